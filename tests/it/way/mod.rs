//! The way there: a company whose cards were imported by e-mail address for years goes to the number as key, and lives its
//! first month under it. A human who knows whose each card is corrects the list and decides what waits; what stands in the
//! sandbox is compared with the truth after every step.

mod human;
mod outside;

use self::human::Human;
use self::outside::{Outside, figure};
use crate::support::workplace::{PASSWORD, Ran, Workplace, text};
use cardsync::demo::site::Site;
use chrono::{Days, NaiveDate};
use std::time::Instant;

/// How many people the company has where nothing else is said; `scripts/way` plays 5,000.
const PEOPLE: u32 = 200;
/// Days of the month, each with a run.
const DAYS: u64 = 30;

#[test]
fn from_e_mail_to_the_number_and_a_month_under_it() {
    let people = std::env::var("CARDSYNC_WAY_PEOPLE").map_or(PEOPLE, |text| text.parse().expect("a number of people"));
    let mut way = Way::begin(people);
    way.the_audit_sees_the_disorder();
    way.the_old_key_would_harm();
    way.pairs_are_right();
    way.numbers_are_written();
    way.both_keys_are_compared();
    way.first_contact();
    way.both_keys_say_the_same();
    way.a_month();
    way.sum_up();
}

struct Way {
    place: Workplace,
    human: Human,
    outside: Outside,
    began: Instant,
}

impl Way {
    fn begin(people: u32) -> Way {
        let day = NaiveDate::from_ymd_opt(2025, 3, 3).expect("a day");
        let site = Site::new(people, day);
        let place = Workplace::open(serde_json::from_str(&site.seed()).expect("a seed"));
        site.write(place.folder.path(), &place.sandbox.url(), PASSWORD)
            .expect("a folder that can be written to");
        let outside = Outside::new(&site, &place.sandbox);
        figure(people as usize, "people of HR's export at the beginning");
        Way {
            place,
            human: Human::new(site),
            outside,
            began: Instant::now(),
        }
    }

    /// The program at eight o'clock of the day.
    fn cardsync(&self, arguments: &[&str]) -> Ran {
        self.at("08:00", arguments)
    }

    fn at(&self, time: &str, arguments: &[&str]) -> Ran {
        let moment = format!("{}T{time}", self.human.site.today);
        self.place.cardsync(&[arguments, &["--as-of", &moment]].concat())
    }

    fn look(&mut self) {
        self.outside.look(&self.human, &self.place.sandbox);
    }

    /// The audit finds as much of each kind as there is.
    fn the_audit_sees_the_disorder(&self) {
        let audit = self.cardsync(&["audit", "--json"]).exits(3).json();
        let findings = audit["findings"].as_array().expect("findings");
        let found = |code: &str| {
            let finding = findings.iter().find(|finding| finding["code"] == code);
            finding.map_or(0, |finding| finding["count"].as_u64().expect("a count"))
        };
        let disorder = self.human.site.disorder;
        for (code, there_are) in [
            ("operator_looks_like_a_program", disorder.integrations),
            ("operator_on_archived_person", disorder.on_archived),
            ("operator_has_left", disorder.leaving_operators),
            ("operator_without_person", disorder.unlinked),
            ("generated_twin", disorder.twins),
            ("generated_card", disorder.generated - disorder.twins),
        ] {
            assert_eq!(found(code), u64::from(there_are), "{code}");
        }
        assert!(
            found("card_without_key") > 0 && found("harmed_by_another_key") > 0,
            "{findings:#?}"
        );
        figure(findings.len(), "findings of the audit");
        assert!(self.place.writes().is_empty());
    }

    /// Under the old key the next import makes second cards.
    fn the_old_key_would_harm(&self) {
        let ran = self.cardsync(&["plan", "--key", "email", "--json"]);
        let plan = ran.json();
        let changes = plan["changes"].as_array().expect("changes");
        let second = changes
            .iter()
            .filter(|change| change["action"] == "create")
            .filter(|change| self.human.has_a_card_with_other_address(text(&change["key"])))
            .count();
        assert!(second > 0, "{}", plan["summary"]);
        figure(second, "second cards that an import by e-mail would make next");
        assert!(self.place.writes().is_empty());
    }

    fn pairs_are_right(&mut self) {
        self.cardsync(&["rekey", "pair", "--unclaimed", "--csv", "pairs.csv"])
            .exits(0);
        self.human.correct(&self.place, "pairs.csv");
        assert!(self.place.writes().is_empty(), "to pair changes nothing");
    }

    /// First what the human has decided on the first day, then, from a new list that keeps the decisions, the rest.
    fn numbers_are_written(&mut self) {
        // The human knows everybody, and has looked at each.
        let looked = ["--other-numbers", "100000"];
        self.cardsync(&[&["rekey", "write", "pairs.csv", "--unclaimed"][..], &looked].concat())
            .exits(0);
        self.look();
        let first = self.place.writes().len();
        self.cardsync(&[
            "rekey",
            "pair",
            "--unclaimed",
            "--from",
            "pairs.csv",
            "--csv",
            "rest.csv",
        ])
        .exits(0);
        self.human.whole_list = true;
        self.human.correct(&self.place, "rest.csv");
        let rest = ["rekey", "write", "rest.csv", "--unclaimed", looked[0], looked[1]];
        self.cardsync(&rest).exits(0);
        self.look();
        let writes = self.place.writes().len();
        assert!(
            first > 0 && writes > first,
            "the rest came on the second day: {first}, {writes}"
        );
        figure(writes, "numbers written onto cards");
        self.cardsync(&rest).exits(0);
        assert_eq!(self.place.writes().len(), writes, "nothing is written twice");
        let sheet = human::sheet(&self.place, "rest.csv");
        assert!(sheet.rows.len() > 1, "former colleagues stay on the list");
    }

    /// The two plans differ by the people for whose sake all this is done; nobody can sign that.
    fn both_keys_are_compared(&mut self) {
        let verify = ["rekey", "verify", "--old", "email", "--floor", "1", "--json"];
        let difference = self.cardsync(&verify).exits(3).json();
        assert_eq!(difference["same"], false);
        let mark = text(&difference["difference"]["id"]).to_owned();
        let plans = &difference["difference"];
        let count = |what: &str| plans[what].as_array().map_or(0, Vec::len);
        figure(count("added"), "items only under the number");
        figure(count("removed"), "items only under the e-mail address");
        let signed = [&verify[..], &["--sign", &mark, "--note", "seen"]].concat();
        self.cardsync(&signed).exits(1);
        let review = self.cardsync(&["rekey", "review", "--json"]).exits(0).json();
        figure(
            usize::try_from(review["written"].as_u64().expect("a number")).expect("a count"),
            "written numbers that can be reviewed",
        );
        self.look();
    }

    /// Once the sources' addresses stand on the cards the human signs what still differs; unless somebody who has a card would
    /// get a second one under one of the keys (an archived card without a number), which nobody can sign.
    fn both_keys_say_the_same(&mut self) {
        let verify = ["rekey", "verify", "--old", "email", "--json"];
        let ran = self.at("14:00", &verify);
        let difference = ran.json();
        if difference["same"] == false {
            let mark = text(&difference["difference"]["id"]).to_owned();
            let signed = [&verify[..], &["--sign", &mark, "--note", "seen"]].concat();
            let items = ["added", "removed"].map(|list| difference["difference"][list].as_array().expect("items"));
            let second: Vec<&str> = items
                .into_iter()
                .flatten()
                .filter(|item| item["action"] == "create" || item["action"] == "archive")
                .map(|item| text(&item["key"]))
                .collect();
            figure(
                second.len(),
                "creations and archives under one key only, after first contact",
            );
            for number in &second {
                let number = number.parse().expect("a number");
                assert!(self.human.has_card(number), "{number}: {:#}", difference["difference"]);
            }
            self.at("14:00", &signed).exits(i32::from(!second.is_empty()));
        }
        self.look();
    }

    /// A run writes what is harmless, the human decides what waits, and then nothing is left.
    fn first_contact(&mut self) {
        for time in ["09:00", "10:00", "11:00", "12:00"] {
            let ran = self.at(time, &["run"]);
            assert!([0, 3].contains(&ran.code), "{ran:?}");
            self.look();
            if self.human.decide(&self.place) == 0 {
                break;
            }
        }
        let ran = self.at("13:00", &["plan", "--json"]);
        let summary = &ran.json()["summary"];
        let allowed = |action: &str| summary[action]["allowed"].as_u64().unwrap_or(0);
        for action in ["create", "update", "adopt", "exchange", "archive", "unarchive", "merge"] {
            assert_eq!(allowed(action), 0, "a second run has nothing to do: {summary}");
        }
    }

    fn a_month(&mut self) {
        let first = self.human.site.today;
        for n in 1..=DAYS {
            self.human.site.today = first + Days::new(n);
            self.human.happen(n);
            self.place.write("hr.csv", self.human.site.hr());
            self.place.write("people.ldif", self.human.site.directory());
            let ran = self.cardsync(&["run"]);
            assert!([0, 3].contains(&ran.code), "day {n}: {ran:?}");
            self.look();
            if ran.code == 3 {
                self.human.decide(&self.place);
            }
        }
        self.human.site.today = first + Days::new(DAYS + 1);
        let ran = self.cardsync(&["run"]);
        assert!([0, 3].contains(&ran.code), "{ran:?}");
        self.look();
    }

    fn sum_up(&self) {
        self.outside.everybody_is_as_hr_says(&self.human, &self.place.sandbox);
        self.human.tell();
        figure(
            usize::try_from(self.began.elapsed().as_secs()).expect("seconds"),
            "seconds",
        );
    }
}
