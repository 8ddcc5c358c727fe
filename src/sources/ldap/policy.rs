//! The password policy control (draft-behera-ldap-password-policy-10): servers other than Active Directory tell by it that
//! an account is locked or its password has expired, where all they say otherwise is 'invalid credentials'.

use ldap3::asn1::{PL, TagClass, parse_tag};
use ldap3::controls::{Control, RawControl};

/// The control, in requests and in answers.
const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// Asks the server to say more. Not critical: one that does not know it leaves it aside.
pub(super) fn request() -> RawControl {
    RawControl {
        ctype: POLICY.to_owned(),
        crit: false,
        val: None,
    }
}

/// What the server says of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountState {
    PasswordExpired,
    Locked,
    MustChange,
}

/// Reads the control of an answer without trust.
pub(super) fn account_state(controls: &[Control]) -> Option<AccountState> {
    let Control(_, raw) = controls.iter().find(|control| control.1.ctype == POLICY)?;
    let (_, tag) = parse_tag(raw.val.as_deref()?).ok()?;
    let PL::C(parts) = tag.payload else { return None };
    // error [1] ENUMERATED; the warning before it is [0].
    let error = parts
        .into_iter()
        .find(|part| part.class == TagClass::Context && part.id == 1)?;
    match error.payload {
        PL::P(code) => match code.as_slice() {
            [0] => Some(AccountState::PasswordExpired),
            [1] => Some(AccountState::Locked),
            [2] => Some(AccountState::MustChange),
            _other => None,
        },
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(value: &[u8]) -> Option<AccountState> {
        let raw = RawControl {
            val: Some(value.to_vec()),
            ..request()
        };
        account_state(&[Control(None, raw)])
    }

    #[test]
    fn the_state_of_the_account_is_read_without_trust() {
        assert_eq!(state(&[0x30, 3, 0x81, 1, 1]), Some(AccountState::Locked));
        assert_eq!(state(&[0x30, 3, 0x81, 1, 0]), Some(AccountState::PasswordExpired));
        let after_warning = [0x30, 8, 0xa0, 3, 0x80, 1, 5, 0x81, 1, 2];
        assert_eq!(state(&after_warning), Some(AccountState::MustChange));
        for nothing in [
            &[0x30, 0][..],
            &[],
            &[0x30],
            &[0x30, 3, 0x81, 1, 9],
            &[4, 1, 1],
            &[0x30, 2, 0xa1, 0],
        ] {
            assert_eq!(state(nothing), None, "{nothing:?}");
        }
        assert_eq!(account_state(&[]), None);
    }
}
