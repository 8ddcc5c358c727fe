//! The API's JSON and our words: what is read ([`card`], [`operator`], [`list`]) and what is written ([`body`]).
//!
//! Pure. Decoding goes straight into our types, without a JSON tree in between: a hundred thousand cards are read in a
//! run. A decoding error names the field and the place in the answer, never a value.

pub(super) mod body;
pub(super) mod card;
pub(super) mod list;
pub(super) mod operator;
pub(super) mod value;

/// What is wrong with an answer: JSON errors say their category and place only, since their own text may quote a value.
pub(super) fn describe(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("the JSON ends early at {place}"),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            format!("the JSON is broken at {place}")
        }
        serde_json::error::Category::Data => format!("the JSON is not as the API describes it at {place}"),
    }
}
