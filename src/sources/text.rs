//! Bytes of a file become text: any WHATWG encoding, byte order marks, and the doubt whether the encoding is the right one.
//!
//! Bytes that the encoding does not know become U+FFFD, and their places are kept so that each can be blamed on its row.

pub use crate::core::model::letters::line_breaks;
use crate::core::reads::snapshot::{Effect, Finding};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::path::Path;

/// More undecodable places than this are counted, not kept.
const KEPT_PLACES: usize = 100_000;

/// How a file is encoded, as the configuration says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// One encoding; a byte order mark of another contradicts it.
    Only(&'static Encoding),
    /// `utf-16`: the byte order mark says which, little-endian without one.
    Utf16,
    /// A byte order mark decides, UTF-8 without one.
    ByMark,
}

impl Declared {
    /// Reads an encoding name of the configuration; `None` when the WHATWG Encoding Standard does not know it.
    pub fn named(label: &str) -> Option<Self> {
        if label.trim().eq_ignore_ascii_case("utf-16") {
            return Some(Declared::Utf16);
        }
        Encoding::for_label_no_replacement(label.as_bytes()).map(Declared::Only)
    }

    fn encoding(self, mark: Option<&'static Encoding>) -> &'static Encoding {
        match self {
            Declared::Only(encoding) => encoding,
            Declared::Utf16 => mark.filter(|mark| *mark == UTF_16BE).unwrap_or(UTF_16LE),
            Declared::ByMark => mark.unwrap_or(UTF_8),
        }
    }
}

/// The text of a file, without byte order mark.
#[derive(Clone, Debug)]
pub struct Text {
    pub text: String,
    /// Ascending places in `text` of the U+FFFD that stand for undecodable bytes.
    pub malformed: Vec<usize>,
    pub encoding: &'static Encoding,
    mark: Option<&'static Encoding>,
    tally: Tally,
}

/// Counts over the raw bytes that tell encodings apart.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    malformed: usize,
    bytes: usize,
    nul_even: usize,
    nul_odd: usize,
    /// Characters of several bytes that are valid UTF-8, and byte sequences that are not.
    utf8_wide: usize,
    utf8_wrong: usize,
}

/// Takes chunks of bytes in order and makes the text of them.
pub struct TextReader {
    declared: Declared,
    decoder: Option<Decoder>,
    mark: Option<&'static Encoding>,
    text: String,
    malformed: Vec<usize>,
    tally: Tally,
    /// The start of a UTF-8 character whose rest is in the next chunk.
    carry: Vec<u8>,
}

impl TextReader {
    /// A reader for a file with this encoding.
    pub fn new(declared: Declared) -> Self {
        Self {
            declared,
            decoder: None,
            mark: None,
            text: String::new(),
            malformed: Vec::new(),
            tally: Tally::default(),
            carry: Vec::new(),
        }
    }

    /// Takes the next bytes. The first chunk must hold at least three bytes, if the file has as many.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut body = bytes;
        if self.decoder.is_none()
            && let Some((encoding, length)) = Encoding::for_bom(bytes)
        {
            self.mark = Some(encoding);
            // A foreign mark stays in the text; the contradiction is found in the end.
            if self.declared.encoding(self.mark) == encoding {
                body = &bytes[length..];
            }
        }
        self.tally_nul(bytes);
        self.tally_utf8(body);
        self.decode(body, false);
    }

    /// The whole text.
    pub fn finish(mut self) -> Text {
        self.decode(&[], true);
        if !self.carry.is_empty() {
            self.tally.utf8_wrong += 1;
        }
        Text {
            encoding: self.declared.encoding(self.mark),
            text: self.text,
            malformed: self.malformed,
            mark: self.mark,
            tally: self.tally,
        }
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) {
        let (declared, mark) = (self.declared, self.mark);
        let decoder = self
            .decoder
            .get_or_insert_with(|| declared.encoding(mark).new_decoder_without_bom_handling());
        loop {
            let room = decoder
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .expect("a chunk is far smaller than memory");
            self.text.reserve(room);
            let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut self.text, last);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(_, _) => {
                    self.tally.malformed += 1;
                    if self.malformed.len() < KEPT_PLACES {
                        self.malformed.push(self.text.len());
                    }
                    self.text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }

    fn tally_nul(&mut self, bytes: &[u8]) {
        for (index, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0) {
            if (self.tally.bytes + index).is_multiple_of(2) {
                self.tally.nul_even += 1;
            } else {
                self.tally.nul_odd += 1;
            }
        }
        self.tally.bytes += bytes.len();
    }

    fn tally_utf8(&mut self, bytes: &[u8]) {
        let joined;
        let mut rest = if self.carry.is_empty() {
            bytes
        } else {
            joined = [self.carry.as_slice(), bytes].concat();
            self.carry.clear();
            joined.as_slice()
        };
        loop {
            let (valid, error) = match std::str::from_utf8(rest) {
                Ok(text) => (text.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            self.tally.utf8_wide += rest[..valid].iter().filter(|byte| **byte >= 0xc2).count();
            match error {
                None => return,
                Some(None) => {
                    self.carry = rest[valid..].to_vec();
                    return;
                }
                Some(Some(length)) => {
                    self.tally.utf8_wrong += 1;
                    rest = &rest[valid + length..];
                }
            }
        }
    }
}

impl Text {
    /// Why this text cannot be what the file means: bytes that contradict the encoding, or NUL characters.
    ///
    /// `cure` says how to declare another encoding, given its name.
    pub fn contradiction(&self, path: &Path, cure: impl Fn(&str) -> String) -> Option<Finding> {
        let path = path.display();
        if let Some(likely) = self.likely_encoding() {
            return Some(Finding::new(
                "encoding_contradicted",
                Effect::Reject,
                format!(
                    "{path} is read as {}, but its bytes look like {}",
                    self.encoding.name().to_lowercase(),
                    likely.name().to_lowercase()
                ),
                cure(&likely.name().to_lowercase()),
            ));
        }
        let nul = self.text.bytes().position(|byte| byte == 0)?;
        Some(Finding::new(
            "nul_bytes",
            Effect::Reject,
            format!("{path} holds NUL characters, the first in line {}", self.line_of(nul)),
            "Export the file again: it is damaged, or it is not a text file.",
        ))
    }

    /// The encoding the bytes speak for, when they speak against the declared one.
    fn likely_encoding(&self) -> Option<&'static Encoding> {
        let tally = &self.tally;
        if let Some(mark) = self.mark.filter(|mark| *mark != self.encoding) {
            return Some(mark);
        }
        let wide = [UTF_16LE, UTF_16BE].contains(&self.encoding);
        let nuls = tally.nul_even + tally.nul_odd;
        if wide {
            // Delimiters and line ends alone have a NUL each in UTF-16.
            if nuls == 0 && tally.bytes > 0 {
                return Some(self.likely_narrow());
            }
            let (own, other, swapped) = if self.encoding == UTF_16LE {
                (tally.nul_odd, tally.nul_even, UTF_16BE)
            } else {
                (tally.nul_even, tally.nul_odd, UTF_16LE)
            };
            return (other > own * 4).then_some(swapped);
        }
        if nuls * 4 > tally.bytes {
            return Some(if tally.nul_odd >= tally.nul_even {
                UTF_16LE
            } else {
                UTF_16BE
            });
        }
        if self.encoding == UTF_8 {
            // One broken row is that row's fault. Where several rows are broken and little else is wide, the rows are
            // right and the encoding is wrong.
            let wrong = self.malformed_lines() >= 2 && tally.malformed > tally.utf8_wide;
            return (wrong || tally.malformed > KEPT_PLACES).then_some(WINDOWS_1252);
        }
        // Text of a single-byte encoding is hardly ever valid UTF-8 by accident, and never all of it.
        let utf8 = tally.utf8_wide > 0 && tally.utf8_wrong * 20 <= tally.utf8_wide;
        (utf8 && (self.encoding.is_single_byte() || tally.malformed > 0)).then_some(UTF_8)
    }

    fn likely_narrow(&self) -> &'static Encoding {
        if self.tally.utf8_wrong == 0 {
            UTF_8
        } else {
            WINDOWS_1252
        }
    }

    /// On how many lines something is undecodable; 2 is as good as more.
    fn malformed_lines(&self) -> usize {
        let broken = self
            .malformed
            .windows(2)
            .any(|pair| self.text[pair[0]..pair[1]].contains(['\n', '\r']));
        usize::from(!self.malformed.is_empty()) + usize::from(broken)
    }

    /// Whether something in this part of the text was undecodable.
    pub fn is_malformed(&self, part: std::ops::Range<usize>) -> bool {
        let next = self.malformed.partition_point(|place| *place < part.start);
        self.malformed.get(next).is_some_and(|place| part.contains(place))
    }

    /// The line of a place in the text, from 1.
    pub fn line_of(&self, place: usize) -> u64 {
        1 + line_breaks(&self.text.as_bytes()[..place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str, bytes: &[u8]) -> Text {
        let mut reader = TextReader::new(Declared::named(label).unwrap());
        // Small chunks, so that characters are split; the first must hold a mark.
        let (head, tail) = bytes.split_at(bytes.len().min(3));
        reader.push(head);
        for chunk in tail.chunks(3) {
            reader.push(chunk);
        }
        reader.finish()
    }

    fn likely(label: &str, bytes: &[u8]) -> Option<String> {
        let cure = read(label, bytes).contradiction(Path::new("x"), |name| name.to_owned())?;
        assert_eq!(&*cure.code, "encoding_contradicted");
        Some(cure.cure)
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn the_usual_encodings_are_read_with_and_without_mark() {
        let text = "key;naam\r\n1;Zoë Ōta 李\r\n";
        for (label, bytes) in [
            ("utf-8", text.as_bytes().to_vec()),
            ("UTF8", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
            ("utf-16le", utf16(text, true)),
            ("utf-16be", utf16(text, false)),
            ("utf-16", utf16(&format!("\u{feff}{text}"), true)),
            ("utf-16", utf16(&format!("\u{feff}{text}"), false)),
            ("utf-16be", utf16(&format!("\u{feff}{text}"), false)),
        ] {
            let read = read(label, &bytes);
            assert_eq!(read.text, text, "{label}");
            assert!(read.malformed.is_empty(), "{label}");
            assert_eq!(read.contradiction(Path::new("x"), |_| String::new()), None, "{label}");
        }
        assert_eq!(read("windows-1252", b"Zo\xeb \x80").text, "Zoë €");
        assert_eq!(read("iso-8859-15", b"\xa4").text, "€");
        assert_eq!(read("shift_jis", b"\x93\x63").text, "田");
        assert_eq!(Declared::named("latin-42"), None);
    }

    #[test]
    fn bytes_that_speak_against_the_encoding_name_the_likely_one() {
        let text = "key;naam\n1;Zoë\n2;Noël\n";
        let latin = b"key;naam\n1;Zo\xeb\n2;No\xebl\n";
        assert_eq!(likely("windows-1252", text.as_bytes()).as_deref(), Some("utf-8"));
        assert_eq!(likely("iso-8859-1", b"\xef\xbb\xbfkey\n1\n").as_deref(), Some("utf-8"));
        assert_eq!(likely("gbk", "1;é\n".as_bytes()).as_deref(), None);
        assert_eq!(likely("utf-8", latin).as_deref(), Some("windows-1252"));
        assert_eq!(likely("utf-8", &utf16(text, true)).as_deref(), Some("utf-16le"));
        assert_eq!(likely("utf-8", &utf16(text, false)).as_deref(), Some("utf-16be"));
        assert_eq!(
            likely("windows-1252", &utf16(&format!("\u{feff}{text}"), true)).as_deref(),
            Some("utf-16le")
        );
        assert_eq!(likely("utf-16le", &utf16(text, false)).as_deref(), Some("utf-16be"));
        assert_eq!(likely("utf-16le", text.as_bytes()).as_deref(), Some("utf-8"));
        assert_eq!(likely("utf-16", latin).as_deref(), Some("windows-1252"));
    }

    #[test]
    fn text_that_fits_its_encoding_is_left_in_peace() {
        assert_eq!(likely("windows-1252", b"1;Zo\xeb\n2;plain\n"), None);
        assert_eq!(likely("windows-1252", b"1;plain\n"), None);
        // One mojibake in an otherwise honest file.
        assert_eq!(likely("windows-1252", b"1;Zo\xeb\n2;Zo\xc3\xab\n"), None);
        assert_eq!(likely("utf-8", b"1;Zo\xc3\xab\n2;Zo\xeb\n"), None);
        assert_eq!(likely("utf-8", b"1;Zoe\n2;Zo\xeb\n"), None);
        assert_eq!(
            likely("windows-874", b"\xa1\xd2\xc3\xb7\xd5\xe8;\xca\xc1\xaa\xd2\xc2\n"),
            None
        );
    }

    #[test]
    fn undecodable_places_are_known() {
        let text = read("utf-8", b"1;ok\n2;Zo\xeb;x\xff\n3;\xc3\xab\n");
        assert_eq!(text.malformed.len(), 2);
        assert!(text.text.is_char_boundary(text.malformed[0]));
        assert_eq!(
            (text.line_of(text.malformed[0]), text.line_of(text.malformed[1])),
            (2, 2)
        );
        assert!(!text.is_malformed(0..5) && text.is_malformed(5..12));
        assert_eq!(
            read("utf-16le", &[&utf16("a\n", true)[..], b"x"].concat())
                .malformed
                .len(),
            1
        );
    }

    #[test]
    fn a_nul_is_refused_with_its_line() {
        let found = read("utf-8", b"key;naam\r\n1;a\0b\r\n")
            .contradiction(Path::new("x"), |_| String::new())
            .unwrap();
        assert_eq!(&*found.code, "nul_bytes");
        assert!(found.message.contains("line 2"), "{}", found.message);
    }

    #[test]
    fn line_ends_of_all_three_kinds_count_once() {
        assert_eq!(line_breaks(b"a\nb\r\nc\rd"), 3);
        assert_eq!(line_breaks(b"\r\r\n\n"), 3);
    }
}
