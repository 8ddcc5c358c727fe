//! An LDAP server that answers by a script, to say what no real server would say on demand. On a free port of 127.0.0.1.

use futures::{SinkExt, StreamExt};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedResponse, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult, LdapResultCode,
    LdapSearchRequest, LdapSearchResultEntry, LdapSearchResultReference,
};
use ldap3_proto::{LdapCodec, LdapSearchScope};
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

/// One thing the server does while it answers a search for people.
#[derive(Clone, Debug)]
pub enum Step {
    /// Entries `uid=N` with the key `EN` and a mail address.
    People(Range<u32>),
    /// One entry with these attributes.
    Entry(&'static str, Vec<(&'static str, &'static [u8])>),
    /// One entry whose attributes are made on the way.
    Row(String, Vec<(String, String)>),
    /// A search reference.
    Reference(Vec<&'static str>),
    /// The end of the page with code 0 and this cookie.
    Page(&'static [u8]),
    /// The end of the search with this code, diagnostic text and no control.
    Done(LdapResultCode, &'static str),
    /// The end of the search with code 10 and these addresses.
    Refer(Vec<&'static str>),
    /// Nothing happens for so long.
    Wait(Duration),
    /// Bytes that are no LDAP.
    Bytes(&'static [u8]),
    /// The connection is closed.
    Cut,
}

/// What the server answers.
#[derive(Clone, Debug)]
pub struct Script {
    pub bind: (LdapResultCode, &'static str),
    /// The steps of the first, second, ... search for people on all connections together; the last one stays.
    pub searches: Vec<Vec<Step>>,
}

impl Script {
    pub fn searches(searches: Vec<Vec<Step>>) -> Self {
        Self {
            bind: (LdapResultCode::Success, ""),
            searches,
        }
    }

    pub fn bind(code: LdapResultCode, text: &'static str) -> Self {
        Self {
            bind: (code, text),
            searches: Vec::new(),
        }
    }
}

/// What the server was asked.
#[derive(Debug, Default)]
pub struct Asked {
    pub binds: usize,
    pub searches: Vec<LdapSearchRequest>,
    /// Page size and cookie of each of them.
    pub pages: Vec<(i64, Vec<u8>)>,
}

/// A running server; it ends with the runtime of the test.
pub struct Hostile {
    port: u16,
    script: Arc<Mutex<Script>>,
    asked: Arc<Mutex<Asked>>,
}

impl Hostile {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Asked::default()));
        let shared = Arc::clone(&asked);
        let script = Arc::new(Mutex::new(script));
        let played = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = played.lock().expect("no panic").clone();
                tokio::spawn(talk(stream, script, Arc::clone(&shared)));
            }
        });
        Self { port, script, asked }
    }

    /// From the next connection on it answers like this.
    pub fn play(&self, script: Script) {
        *self.script.lock().expect("no panic") = script;
    }

    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Looks at what was asked so far.
    pub fn asked<T>(&self, look: impl FnOnce(&Asked) -> T) -> T {
        look(&self.asked.lock().expect("no test panicked while asking"))
    }
}

type Connection = Framed<TcpStream, LdapCodec>;

async fn talk(stream: TcpStream, script: Script, asked: Arc<Mutex<Asked>>) {
    // Entry after entry in small packets would otherwise wait for acknowledgements.
    stream.set_nodelay(true).expect("a TCP option");
    let mut connection = Framed::new(stream, LdapCodec::default());
    while let Some(Ok(message)) = connection.next().await {
        let id = message.msgid;
        let goes_on = match message.op {
            LdapOp::BindRequest(_) => {
                asked.lock().expect("no panic").binds += 1;
                let (code, text) = script.bind.clone();
                let response = LdapBindResponse {
                    res: result(code, text),
                    saslcreds: None,
                };
                send(&mut connection, id, LdapOp::BindResponse(response), None).await
            }
            LdapOp::ExtendedRequest(_) => {
                let response = LdapExtendedResponse {
                    res: result(LdapResultCode::ProtocolError, "unsupported extended operation"),
                    name: None,
                    value: None,
                };
                send(&mut connection, id, LdapOp::ExtendedResponse(response), None).await
            }
            LdapOp::SearchRequest(search) if search.scope == LdapSearchScope::Base => {
                let done = LdapOp::SearchResultDone(result(LdapResultCode::NoSuchObject, ""));
                send(&mut connection, id, done, None).await
            }
            LdapOp::SearchRequest(search) => {
                let number = {
                    let mut asked = asked.lock().expect("no panic");
                    for control in &message.ctrl {
                        if let LdapControl::SimplePagedResults { size, cookie } = control {
                            asked.pages.push((*size, cookie.clone()));
                        }
                    }
                    asked.searches.push(search);
                    asked.searches.len() - 1
                };
                let steps = script.searches.get(number).or(script.searches.last()).cloned();
                play(&mut connection, id, steps.expect("a script for searches")).await
            }
            LdapOp::UnbindRequest => false,
            _ => true,
        };
        if !goes_on {
            return;
        }
    }
}

/// Plays one search. False when the connection is to be closed.
async fn play(connection: &mut Connection, id: i32, steps: Vec<Step>) -> bool {
    for step in steps {
        let goes_on = match step {
            Step::People(numbers) => {
                let mut goes_on = true;
                for number in numbers {
                    goes_on &= send(connection, id, LdapOp::SearchResultEntry(person(number)), None).await;
                }
                goes_on
            }
            Step::Entry(dn, attributes) => {
                let entry = entry(dn, attributes.into_iter().map(|(name, value)| (name, value.to_vec())));
                send(connection, id, LdapOp::SearchResultEntry(entry), None).await
            }
            Step::Row(dn, attributes) => {
                let attributes = attributes
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone().into_bytes()));
                send(connection, id, LdapOp::SearchResultEntry(entry(&dn, attributes)), None).await
            }
            Step::Reference(uris) => {
                let uris = uris.into_iter().map(str::to_owned).collect();
                let reference = LdapOp::SearchResultReference(LdapSearchResultReference { uris });
                send(connection, id, reference, None).await
            }
            Step::Page(cookie) => {
                let done = LdapOp::SearchResultDone(result(LdapResultCode::Success, ""));
                send(connection, id, done, Some(cookie)).await
            }
            Step::Done(code, text) => send(connection, id, LdapOp::SearchResultDone(result(code, text)), None).await,
            Step::Refer(addresses) => {
                let referral = LdapResult {
                    referral: addresses.into_iter().map(str::to_owned).collect(),
                    ..result(LdapResultCode::Referral, "")
                };
                send(connection, id, LdapOp::SearchResultDone(referral), None).await
            }
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                true
            }
            Step::Bytes(bytes) => connection.get_mut().write_all(bytes).await.is_ok(),
            Step::Cut => false,
        };
        if !goes_on {
            return false;
        }
    }
    true
}

async fn send(connection: &mut Connection, id: i32, op: LdapOp, cookie: Option<&[u8]>) -> bool {
    let message = match cookie {
        None => LdapMsg::new(id, op),
        Some(cookie) => {
            let control = LdapControl::SimplePagedResults {
                size: 0,
                cookie: cookie.to_vec(),
            };
            LdapMsg::new_with_ctrls(id, op, vec![control])
        }
    };
    // The client may be gone; that is its right.
    connection.send(message).await.is_ok()
}

fn person(number: u32) -> LdapSearchResultEntry {
    entry(
        &format!("uid=u{number},ou=people,dc=example,dc=test"),
        [
            ("employeeID", format!("E{number}").into_bytes()),
            ("mail", format!("u{number}@example.test").into_bytes()),
        ],
    )
}

fn entry<'a>(dn: &str, attributes: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> LdapSearchResultEntry {
    LdapSearchResultEntry {
        dn: dn.to_owned(),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| LdapPartialAttribute {
                atype: name.to_owned(),
                vals: vec![value],
            })
            .collect(),
    }
}

fn result(code: LdapResultCode, text: &str) -> LdapResult {
    LdapResult {
        code,
        matcheddn: String::new(),
        message: text.to_owned(),
        referral: Vec::new(),
    }
}
