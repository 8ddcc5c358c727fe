//! Questions with several answers, of which only one can be approved: a new card, or a card that may be this person's.

use crate::core::plan::view::HoldView;
use crate::engine::decisions::Waiting;
use crate::engine::state::KeptHold;
use crate::present::lines::Paint;
use crate::present::lines::line;

/// The code of a rejection.
const REJECTED: &str = "rejected";

/// Questions before the list is cut; `--all` shows everything.
const MOST_SHOWN: usize = 25;

/// Each question with its answers, the best match first.
pub(super) fn questions(
    text: &mut String,
    waiting: &Waiting,
    all: bool,
    show: &dyn Fn(&mut String, &KeptHold, &[&HoldView]),
    paint: Paint,
) {
    let answers: Vec<&KeptHold> = waiting.by_question();
    let is_one = |first: &&KeptHold, next: &&KeptHold| first.item.change.choices == next.item.change.choices;
    let of_several = |answers: &&[&KeptHold]| !answers[0].item.change.choices.is_empty();
    let questions: Vec<&[&KeptHold]> = answers.chunk_by(is_one).filter(of_several).collect();
    let shown = if all { questions.len() } else { MOST_SHOWN };
    for answers in questions.iter().take(shown) {
        let change = &answers[0].item.change;
        let name = answers.iter().find_map(|kept| kept.item.name.as_deref());
        let who = [change.key.as_ref().map(|key| key.as_str()), name];
        let who: Vec<&str> = who.into_iter().flatten().collect();
        let here = match answers.len() {
            1 => format!("{} answers, one of them here", change.choices.len()),
            several => format!("{several} answers"),
        };
        let title = format!("One question, {here}: {}", who.join(" "));
        line!(text, "\n{}  approve one of them", paint.strong(&title));
        // What holds an answer that was shown before it is not said again.
        let mut said: Vec<&HoldView> = Vec::new();
        for kept in *answers {
            show(text, kept, &said);
            // That it was rejected is said of each.
            said.extend(kept.item.change.holds.iter().filter(|hold| hold.code != REJECTED));
        }
    }
    if questions.len() > shown {
        line!(
            text,
            "... and {} more questions (--all, or --json)",
            questions.len() - shown
        );
    }
}
