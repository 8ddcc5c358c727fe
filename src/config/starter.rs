//! The file that `config init` writes.

/// A commented starter file: five values filled in make it work. It loads as it is.
pub fn starter() -> &'static str {
    include_str!("starter.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::from_text;
    use std::path::Path;

    #[test]
    fn the_starter_loads_and_marks_five_values() {
        if let Err(problems) = from_text(Path::new("starter.yaml"), starter()) {
            panic!("{problems}");
        }
        for n in 1..=5 {
            assert_eq!(starter().matches(&format!("# <-- {n}:")).count(), 1, "value {n}");
        }
        assert!(!starter().contains("# <-- 6"));
    }

    #[test]
    fn what_the_starter_has_in_comments_is_right_too() {
        // A commented option is '#' and the option, an explanation is '#' and a blank.
        let open: String = starter()
            .lines()
            .map(|line| match line.trim_start().strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| !c.is_whitespace()) => {
                    format!("{}{rest}\n", &line[..line.len() - line.trim_start().len()])
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let loaded = from_text(Path::new("starter.yaml"), &open).unwrap_or_else(|e| panic!("{e}\n{open}"));
        assert_eq!(loaded.config.sources.len(), 2);
        assert!(loaded.config.schedule.is_some() && loaded.config.include.is_some());
    }
}
