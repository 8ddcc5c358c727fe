use super::*;
use crate::config::secret::{EnvSecret, SecretRef};

/// A configuration with every default.
pub(in crate::sources::ldap) fn config() -> LdapConfig {
    serde_yaml::from_str(
        "{ name: ad, url: 'ldaps://dc1.example.net', bind_dn: 'cn=reader,dc=example,dc=net', password: { env: CARDSYNC_TEST_NO_SUCH_VARIABLE },
           base: 'ou=people,dc=example,dc=net', key: employeeID, role: authoritative }",
    )
    .expect("a valid configuration")
}

fn finding(message: &str, cure: &str) -> Finding {
    Finding::new("timeout", Effect::Reject, message, cure)
}

#[test]
fn one_failed_server_is_told_as_it_is_and_several_together() {
    assert_eq!(
        all_failed(vec![finding("a is down", "start it")]),
        finding("a is down", "start it")
    );
    let both = all_failed(vec![finding("a is down", "start it"), finding("b is down", "start it")]);
    assert_eq!(&*both.code, "no_server");
    assert!(both.message.ends_with("a is down; b is down"), "{}", both.message);
    assert_eq!(both.cure, "start it");
    assert_eq!(both.effect, Effect::Reject);
}

#[test]
fn what_is_wrong_in_the_configuration_is_found_before_a_connection() {
    let mut wrong = config();
    wrong.filter = "(objectClass=person".into();
    assert_eq!(&*prepare(&wrong).err().expect("a finding").code, "filter_malformed");
    wrong = config();
    wrong.base = crate::config::OneOrMany::Many(vec![]);
    assert_eq!(&*prepare(&wrong).err().expect("a finding").code, "nothing_to_read");
    let missing = prepare(&config()).err().expect("a finding");
    assert_eq!(&*missing.code, "password_unreadable");
    assert!(
        missing.message.contains("CARDSYNC_TEST_NO_SUCH_VARIABLE"),
        "{}",
        missing.message
    );
    assert_eq!(
        config().password,
        SecretRef::Env(EnvSecret {
            env: "CARDSYNC_TEST_NO_SUCH_VARIABLE".into()
        })
    );
}

#[tokio::test]
async fn work_that_breaks_is_a_finding_and_not_a_panic_of_the_caller() {
    let broken: Result<(), Finding> = apart(&Silent, "ad", |_| async { panic!("a broken invariant") }).await;
    assert_eq!(&*broken.expect_err("a finding").code, "ldap_worker");
}

#[tokio::test]
async fn work_ends_when_nobody_waits_for_it() {
    struct Ended(std::sync::mpsc::Sender<()>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.send(()).unwrap_or_default();
        }
    }
    let (tell, told) = std::sync::mpsc::channel();
    let work = apart(&Silent, "ad", move |_| async move {
        let _ended = Ended(tell);
        std::future::pending::<Result<(), Finding>>().await
    });
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(50), work).await;
    assert!(given_up.is_err());
    told.recv_timeout(std::time::Duration::from_secs(10))
        .expect("the work was dropped");
}
