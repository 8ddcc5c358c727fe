//! Looks for people in the files of the state folder, byte by byte; what is compressed is unpacked.

use aho_corasick::AhoCorasick;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What was found of these words, each with a file, and how many bytes were looked through.
pub fn traces(folder: &Path, words: &BTreeSet<String>) -> (BTreeSet<String>, usize) {
    let search = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words)
        .expect("words can be searched");
    let words: Vec<&String> = words.iter().collect();
    let (mut found, mut looked) = (BTreeSet::new(), 0);
    for file in files(folder) {
        let bytes = unpacked(fs::read(&file).expect("a file that can be read"));
        looked += bytes.len();
        for hit in search.find_overlapping_iter(&bytes) {
            found.insert(format!("{} in {}", words[hit.pattern().as_usize()], file.display()));
        }
    }
    (found, looked)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// What a gzip file holds; other bytes as they are.
fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut plain)
        .expect("a whole gzip file");
    plain
}
