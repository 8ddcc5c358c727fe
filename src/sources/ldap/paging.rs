//! The pages of one base: asks for one after the other, and knows when the last one was not the end.

use super::Failure;
use super::address::Server;
use super::answer::{self, Search};
use super::connect;
use super::gather::{ENTRY, Gathered};
use crate::config::LdapConfig;
use crate::core::reads::snapshot::{Effect, Finding};
use ldap3::asn1::{PL, parse_tag, parse_uint};
use ldap3::controls::{Control, ControlType, PagedResults};
use ldap3::{Ldap, LdapError, LdapResult, Scope};
use tokio::time::timeout;

/// Empty pages in a row with one and the same cookie after which a server is taken to be going round in circles.
const STUCK_AFTER: u32 = 3;

/// The pages of one base.
pub(super) struct Paging<'a> {
    server: &'a Server,
    config: &'a LdapConfig,
    base: &'a str,
    /// Entries of this base, also those that came before.
    entries: u64,
    pages: u64,
    /// Empty pages in a row that came with the cookie of the page before.
    in_circles: u32,
}

/// One page that came whole.
struct Page {
    entries: u64,
    new: u64,
    result: LdapResult,
}

impl<'a> Paging<'a> {
    pub fn new(server: &'a Server, config: &'a LdapConfig, base: &'a str) -> Self {
        Self {
            server,
            config,
            base,
            entries: 0,
            pages: 0,
            in_circles: 0,
        }
    }

    /// Reads to the last page. False when the read is not whole; a finding says why.
    pub async fn run(
        mut self,
        ldap: &mut Ldap,
        gathered: &mut Gathered<'_>,
        tell: &dyn Fn(u64, Option<u64>),
    ) -> Result<bool, Failure> {
        let mut cookie = Vec::new();
        loop {
            let Some(page) = self.good_page(ldap, gathered, cookie.clone()).await? else {
                return Ok(false);
            };
            let (next, total) = match page_control(&page.result.ctrls) {
                PageControl::Next { cookie, total } => (cookie, total),
                PageControl::Absent if self.pages == 1 => return Ok(self.all_at_once(&page, gathered)),
                PageControl::Absent => return Ok(self.lost(gathered, "the answer holds no cookie")),
                PageControl::Malformed => return Ok(self.lost(gathered, "the cookie cannot be read")),
            };
            tell(gathered.len(), total);
            if next.is_empty() {
                return Ok(true);
            }
            if page.entries > 0 && page.new == 0 {
                // The repetition itself is a finding of its own; going on could last for ever.
                return Ok(self.lost(gathered, "the page before came again"));
            }
            self.in_circles = if page.entries == 0 && next == cookie {
                self.in_circles + 1
            } else {
                0
            };
            if self.in_circles >= STUCK_AFTER {
                return Ok(self.lost(gathered, "empty pages with one and the same cookie follow each other"));
            }
            cookie = next;
        }
    }

    /// Reads the first page only and says whether there are more. `None` when it is not whole; a finding says why.
    pub async fn first_page(mut self, ldap: &mut Ldap, gathered: &mut Gathered<'_>) -> Result<Option<bool>, Failure> {
        let Some(page) = self.good_page(ldap, gathered, Vec::new()).await? else {
            return Ok(None);
        };
        Ok(match page_control(&page.result.ctrls) {
            PageControl::Next { cookie, .. } => Some(!cookie.is_empty()),
            PageControl::Absent => self.all_at_once(&page, gathered).then_some(false),
            PageControl::Malformed => {
                self.lost(gathered, "the cookie cannot be read");
                None
            }
        })
    }

    /// A page that came in time and ended with code 0. `None` with any other code, which is then a finding.
    async fn good_page(
        &mut self,
        ldap: &mut Ldap,
        gathered: &mut Gathered<'_>,
        cookie: Vec<u8>,
    ) -> Result<Option<Page>, Failure> {
        let limit = self.config.page_timeout.duration();
        let page = match timeout(limit, self.page(ldap, gathered, cookie)).await {
            Ok(Ok(page)) => page,
            Ok(Err(e)) => return Err(Failure::Server(self.broke(&e))),
            Err(_) => {
                let what = format!("whole page of base '{}' after {} entries", self.base, self.entries);
                return Err(Failure::Server(connect::too_slow(&self.server.name, &what, limit)));
            }
        };
        self.entries += page.entries;
        if page.result.rc == 0 {
            self.pages += 1;
            return Ok(Some(page));
        }
        let finding = answer::search_refused(&self.search(), &page.result);
        if answer::another_server_may_help(page.result.rc) {
            return Err(Failure::Server(finding));
        }
        gathered.findings.push(finding);
        Ok(None)
    }

    /// Asks for one page and keeps its entries.
    async fn page(&self, ldap: &mut Ldap, gathered: &mut Gathered<'_>, cookie: Vec<u8>) -> Result<Page, LdapError> {
        // Not critical: a server without paging may give everything at once, which is as good.
        let control = PagedResults {
            size: i32::try_from(self.config.page_size).unwrap_or(i32::MAX),
            cookie,
        };
        let mut stream = ldap
            .with_controls(control)
            .streaming_search(
                self.base,
                Scope::Subtree,
                self.config.filter.as_str(),
                gathered.columns.request(),
            )
            .await?;
        let (mut entries, mut new) = (0, 0);
        while let Some(item) = stream.next().await? {
            entries += u64::from(item.0.id == ENTRY);
            new += u64::from(gathered.take(item.0));
        }
        let result = stream.finish().await;
        Ok(Page { entries, new, result })
    }

    /// The server knows no paging. Its answer is whole, unless it holds exactly a page: then somebody on the way may have
    /// taken the cookie out.
    fn all_at_once(&self, page: &Page, gathered: &mut Gathered<'_>) -> bool {
        if page.entries == u64::from(self.config.page_size) {
            return self.lost(gathered, "the answer holds exactly one page and no cookie");
        }
        gathered.findings.push(Finding::new(
            "paging_ignored",
            Effect::Note,
            format!(
                "{}, base '{}': the server ignores paging and sent all {} entries at once",
                self.server, self.base, page.entries
            ),
            "nothing to do; a server with paging needs less memory here",
        ));
        true
    }

    fn lost(&self, gathered: &mut Gathered<'_>, what: &str) -> bool {
        gathered.findings.push(Finding::new(
            "paging_unfinished",
            Effect::Reject,
            format!(
                "{}, base '{}': after {} entries in {} pages of {} {what}",
                self.server, self.base, self.entries, self.pages, self.config.page_size
            ),
            "the read cannot be proven whole: try another page_size or server, and ask its administrator about paged results",
        ));
        false
    }

    fn broke(&self, error: &LdapError) -> Finding {
        match error {
            LdapError::FilterParsing => super::filter_malformed(&self.config.filter),
            error => {
                let when = format!(
                    "while reading base '{}', after {} entries in {} pages",
                    self.base, self.entries, self.pages
                );
                connect::broken(error, &self.server.name, &when)
            }
        }
    }

    fn search(&self) -> Search<'_> {
        Search {
            server: &self.server.name,
            base: self.base,
            bind_dn: &self.config.bind_dn,
            page_size: self.config.page_size,
            entries: self.entries,
            pages: self.pages,
        }
    }
}

/// What the control of a page's result says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageControl {
    /// The cookie for the next page, empty after the last one; and the server's own guess of all entries.
    Next {
        cookie: Vec<u8>,
        total: Option<u64>,
    },
    Absent,
    Malformed,
}

/// Reads the paged results control (RFC 2696) without the panics of ldap3's own parser.
pub(super) fn page_control(controls: &[Control]) -> PageControl {
    let Some(Control(_, raw)) = controls
        .iter()
        .find(|control| matches!(control.0, Some(ControlType::PagedResults)))
    else {
        return PageControl::Absent;
    };
    let parse = || {
        let (_, tag) = parse_tag(raw.val.as_deref()?).ok()?;
        let PL::C(parts) = tag.payload else { return None };
        let mut parts = parts.into_iter();
        let PL::P(size) = parts.next()?.payload else {
            return None;
        };
        let PL::P(cookie) = parts.next()?.payload else {
            return None;
        };
        let (_, size) = parse_uint(&size).ok()?;
        Some(PageControl::Next {
            cookie,
            total: (size > 0).then_some(size),
        })
    };
    parse().unwrap_or(PageControl::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::controls::RawControl;

    fn control(value: Option<Vec<u8>>) -> Vec<Control> {
        let raw = RawControl {
            ctype: "1.2.840.113556.1.4.319".into(),
            crit: false,
            val: value,
        };
        vec![Control(Some(ControlType::PagedResults), raw)]
    }

    #[test]
    fn the_control_of_a_page_is_read_without_trust() {
        let whole: RawControl = PagedResults {
            size: 2500,
            cookie: vec![1, 2],
        }
        .into();
        assert_eq!(
            page_control(&control(whole.val)),
            PageControl::Next {
                cookie: vec![1, 2],
                total: Some(2500)
            }
        );
        assert_eq!(page_control(&[]), PageControl::Absent);
        for broken in [
            None,
            Some(vec![]),
            Some(vec![0x30]),
            Some(vec![0x30, 0]),
            Some(vec![4, 1, 0]),
            Some(vec![0x30, 3, 2, 1, 0]),
        ] {
            assert_eq!(page_control(&control(broken)), PageControl::Malformed);
        }
    }
}
