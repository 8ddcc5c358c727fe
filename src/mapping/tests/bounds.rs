//! Expressions that nobody writes by hand end neither the stack nor the memory.

use crate::mapping::testing::{TestSource, evaluate, refusal};

fn world() -> Vec<TestSource> {
    vec![TestSource::with("hr", &[("Name", &["Jan"]), ("five", &["5"])])]
}

#[test]
fn what_is_nested_too_deeply_is_refused_before_it_is_parsed() {
    let deep =
        |head: &str, piece: &str, tail: &str, times: usize| format!("{{{{ {head}{}{tail} }}}}", piece.repeat(times));
    for text in [
        deep("hr.Name", " | lower", "", 5_000),
        deep("", "not ", "hr.Name", 20_000),
        deep("", "(", "hr.Name", 3_000),
        deep("", "-", "5", 9_000),
        deep("", "[", "", 9_000),
        deep("hr.Name", " ~ hr.Name", "", 1_000),
        deep("", "1 if ", "", 3_000),
        deep("hr", ".x", "", 9_000),
        deep("'", "a", "'", 30_000),
    ] {
        let said = refusal(&text, &world());
        assert!(said.contains("are taken"), "{said}");
    }
}

#[test]
fn what_is_just_allowed_is_parsed_and_evaluated() {
    let lower = " | lower".repeat(240);
    assert_eq!(evaluate(&format!("{{{{ hr.Name{lower} }}}}"), &world()), "jan");
    let put_together = " ~ hr.Name".repeat(115);
    assert_eq!(
        evaluate(&format!("{{{{ hr.Name{put_together} }}}}"), &world()).len(),
        3 * 116
    );
    let not = "not ".repeat(240);
    assert_eq!(evaluate(&format!("{{{{ {not} true }}}}"), &world()), "true");
    let added = " + 1".repeat(230);
    assert_eq!(
        evaluate(&format!("{{{{ (hr.five | int){added} }}}}"), &world()),
        "number 235"
    );
}

#[test]
fn no_text_grows_without_end() {
    let nested = " | replace('0', '0000000000')".repeat(9);
    let again = " | regex_replace('0', '0000000000')".repeat(9);
    for text in [
        format!("{{{{ '0'{nested} }}}}"),
        format!("{{{{ '0'{again} }}}}"),
        format!("{{{{ '0'{} }}}}", " | regex_replace('(.+)', '$1$1$1$1')".repeat(12)),
    ] {
        assert_eq!(evaluate(&text, &world()), "fault", "{text}");
    }
}
