//! How large an expression may be: what is nested without end would take the program's stack when it is parsed, evaluated or
//! thrown away, and nobody writes such a thing by hand.

use crate::mapping::filters::Refusal;

/// Longest text of an expression, in bytes.
const LONGEST: usize = 20_000;

/// Most filters, operators and brackets: each may nest one level deeper.
const MOST_PIECES: usize = 250;

/// Why a text is not even parsed.
pub(super) fn refusal(text: &str) -> Option<Refusal> {
    const CURE: &str = "put it into several fields, or prepare the value in the source";
    if text.len() > LONGEST {
        return Some(Refusal::new(
            format!("the expression has {} bytes, at most {LONGEST} are taken", text.len()),
            CURE,
        ));
    }
    let pieces = pieces(text);
    (pieces > MOST_PIECES).then(|| {
        Refusal::new(
            format!("the expression has {pieces} filters, operators and brackets, at most {MOST_PIECES} are taken"),
            CURE,
        )
    })
}

/// Everything that may nest. Text in quotes does not.
fn pieces(text: &str) -> usize {
    let mut count = 0;
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars().chain([' ']) {
        if let Some(open) = quote {
            if !escaped && c == open {
                quote = None;
            }
            escaped = !escaped && c == '\\';
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        count += usize::from(matches!(
            word.as_str(),
            "not" | "and" | "or" | "if" | "else" | "in" | "is"
        ));
        word.clear();
        match c {
            '\'' | '"' => quote = Some(c),
            '|' | '(' | '[' | '{' | '+' | '-' | '~' | '*' | '/' | '%' | '.' => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_no_piece() {
        assert_eq!(pieces("hr['Last - (name)'] | lower"), 2);
        assert_eq!(pieces(r"'it\'s (((' ~ x"), 1);
        assert_eq!(pieces("not a and b is defined"), 3);
        assert_eq!(pieces("notable android"), 0);
    }
}
