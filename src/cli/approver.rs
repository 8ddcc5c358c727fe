//! Who decides: never an argument, and no more certain than it is (RULES 8.4).
//!
//! PAM notes who logged in, and neither `su` nor `sudo` changes that: `/proc/self/loginuid`, which only root can set. Where
//! nobody logged in through PAM there is only what the environment says, which anybody can write: it is told as such.

use nix::unistd::{Uid, User};

/// What the kernel says where nobody has logged in through PAM.
const NOBODY: u32 = u32::MAX;

/// The user who types, as it is kept with a decision.
pub(super) fn operating_system_user() -> String {
    let number = |text: String| text.trim().parse::<u32>().ok();
    let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(number);
    let sudo = std::env::var("SUDO_UID").ok().and_then(number);
    let name = |uid: u32| User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
    approver(login, sudo, Uid::current().as_raw(), &name)
}

/// Who logged in; else the user, with whom sudo names where there is such a user.
fn approver(login: Option<u32>, sudo: Option<u32>, user: u32, name: &dyn Fn(u32) -> Option<String>) -> String {
    let called = |uid: u32| name(uid).unwrap_or_else(|| format!("uid {uid}"));
    if let Some(login) = login.filter(|login| *login != NOBODY) {
        return called(login);
    }
    match sudo.filter(|sudo| *sudo != user).and_then(name) {
        Some(claimed) => format!("{} (unproven: {claimed})", called(user)),
        None => called(user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(login: Option<u32>, sudo: Option<u32>, user: u32) -> String {
        let name = |uid: u32| match uid {
            0 => Some("root".to_owned()),
            33 => Some("www-data".to_owned()),
            990 => Some("cardsync".to_owned()),
            1000 => Some("jan".to_owned()),
            _nobody => None,
        };
        approver(login, sudo, user, &name)
    }

    #[test]
    fn who_logged_in_decides_whoever_they_became() {
        assert_eq!(told(Some(1000), Some(1000), 0), "jan");
        assert_eq!(
            told(Some(1000), Some(33), 990),
            "jan",
            "through sudo -u, with a variable that lies"
        );
        assert_eq!(told(Some(1000), None, 0), "jan", "through su, doas or pkexec");
        assert_eq!(told(Some(4242), None, 0), "uid 4242");
    }

    #[test]
    fn what_a_variable_says_is_marked_and_must_be_a_user() {
        assert_eq!(told(Some(NOBODY), Some(33), 0), "root (unproven: www-data)");
        assert_eq!(told(None, Some(1000), 990), "cardsync (unproven: jan)");
        assert_eq!(told(None, Some(4242), 0), "root");
        assert_eq!(told(None, None, 0), "root");
        assert_eq!(told(None, Some(0), 0), "root");
    }
}
