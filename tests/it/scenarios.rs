//! Golden scenarios: a folder under `tests/scenarios` per case, named after what it protects.
//!
//! | file | is |
//! |---|---|
//! | `config.yaml` | the configuration; `@URL@` stands for the sandbox, `@LDAP@` for a directory |
//! | `cards.json` | what the sandbox starts with |
//! | `steps` | what happens, one step per line, see [`steps`]; without it one run |
//! | `expected-plan.txt` | what the program said, step by step |
//! | `expected-cards.json` | the cards at the end, what is not empty of them |
//! | `explain` | whom to explain at the end, one per line: the person that the scenario is about |
//! | `expected-explain.txt` | what `explain` said of them |
//! | all others | sources |
//!
//! Every run is followed by a plan over the same input: it must have nothing left that may be done. `BLESS=1 cargo nextest
//! run scenarios` writes the expected files anew; the difference is reviewed like code.

mod cards;
mod directory;
mod steps;

use crate::support::masks::Masks;
use crate::support::workplace::Workplace;
use std::fs;
use std::path::{Path, PathBuf};

/// A test per folder, and one that sees to it that every folder has a test.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                play(stringify!($name));
            }
        )*

        #[test]
        fn every_folder_is_listed() {
            let listed = [$(stringify!($name)),*];
            let mut folders: Vec<String> = fs::read_dir(root())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            folders.sort();
            let unlisted: Vec<&String> = folders.iter().filter(|folder| !listed.contains(&folder.as_str())).collect();
            assert!(unlisted.is_empty(), "add to the list in tests/it/scenarios.rs: {unlisted:?}");
        }
    };
}

scenarios! {
    a_bad_read_leaves_what_waits
    a_class_approves_no_second_cards
    a_plan_without_one_of_its_reads_is_not_compared
    a_rejection_ends_with_its_question
    absent_means_absent_from_every_source
    absent_operator_needs_a_second_source
    an_adoption_taken_back_is_asked_again
    an_approval_is_for_once
    anonymize_by_api_in_place_or_for_a_moment_awake
    anonymize_by_topdesk_lists_who_is_due_and_notices
    anonymized_card_is_left_alone
    anonymized_with_the_operator_by_hand
    another_cardsync_writes_here_or_the_store_is_old
    another_content_of_a_read_is_another_question
    another_value_is_another_question
    another_login_of_the_operator_ends_an_approval
    answers_that_exclude_each_other_are_refused
    approval_expired
    approval_on_a_changed_item
    approval_raced
    archived_by_hand_and_works_here_is_asked
    archived_by_hand_stays_archived
    archived_twins
    archives_over_budget_are_held_whole_and_joiners_go_on
    archiving_reason_that_is_not_there
    attribute_hidden_in_one_unit
    attribute_that_nobody_has_any_more
    bad_export_is_rejected_then_repaired
    blank_branch_stays_as_it_is
    blank_end_date_is_no_evidence
    branch_filter_hides_cards
    canary_about_to_leave
    card_deleted_by_hand_is_not_made_again
    cards_of_special_accounts_are_never_touched
    column_emptied
    column_renamed
    config_edit_holds_archives_and_the_run_after_it
    contract_rows
    csv_as_spreadsheets_and_databases_write_it
    current_row_cannot_be_used
    current_row_is_missing
    current_rows_that_differ_leave_the_field
    cut_off_csv
    dates_that_cannot_be_are_held
    deleted_with_the_operator_by_hand
    department_as_plain_text
    department_is_created_once
    department_shrank
    directory_filter_edited_so_that_all_look_absent
    directory_gone_half_way
    directory_refers_to_another_server
    directory_sends_values_in_ranges
    directory_stops_at_a_limit
    directory_succeeds_with_zero_entries
    directory_unit_is_gone
    doubled_rows
    duplicate_key_in_source_stops_that_person_only
    duplicate_key_in_topdesk_stops_that_person_only
    emptying_the_login_of_an_operator_waits
    end_date_that_was_seen_stays_when_the_row_goes
    enrich_source_down_holds_creates_only
    evidence_vanishes_when_a_unit_is_renamed
    exchanged_numbers_are_one_item
    filter_edited_so_that_all_look_absent
    forgotten_people_stay_on_the_anonymization_list
    forgotten_person_is_not_called_anonymized
    generated_card_is_adopted_not_duplicated
    half_of_a_pair_keeps_its_question
    hand_changed_value_is_listed
    header_only_csv
    heading_differs_invisibly
    hidden_operators_hold_archives
    hr_takes_a_mistake_back
    is_defined_asks_this_record
    joiner_with_a_later_contract
    joiners
    joiners_wait_for_their_first_day
    junk_rows_never_become_people
    key_differs_by_case_and_blanks
    key_emptied_by_hand_is_drift
    key_that_differs_by_zeros_is_another_key
    last_operator_of_a_group
    lasting_rise_of_keyless_records_is_accepted_by_approval
    leaver_is_disarmed_before_the_archive
    leaver_whose_card_has_no_number_is_offered
    leaver_whose_card_has_the_number_of_nobody_is_offered
    leaver_with_an_unknown_department_is_archived
    leaver_with_end_date_is_archived_a_day_later
    leaver_without_card_is_never_created
    leavers_at_an_hour
    leavers_record_goes_before_the_answer
    leaves_on_a_date_that_is_known
    listed_number_holds_the_person_after_a_new_number
    login_held_by_another_card_is_left_out
    login_moves_from_one_to_another
    login_reused_by_another_human_waits
    long_past_end_on_a_card_in_step_is_held
    made_once_and_gone_from_the_next_export
    manager_by_dn_from_ldif
    manager_dns_however_they_are_written
    managers_in_a_second_pass_with_a_cycle
    marriage_changes_name_email_and_login
    mass_update_at_first_contact_waits
    missing_needs_three_reads_and_48_hours
    mojibake_and_hex_names
    mostly_unreadable_export
    movers
    needs_a_human_is_told_once
    new_branch_and_mapped_locations
    new_branch_takes_the_old_location_off
    newest_of_several_exports
    next_contract_is_known_and_nobody_leaves
    nobody_can_be_seen_to_leave
    number_on_the_wrong_card_waits
    older_csv
    one_field_changed_on_everybody_waits
    one_key_in_two_sources_is_a_conflict
    only_one_person
    operator_among_leavers_is_held_until_approved
    operator_that_does_not_follow_its_card
    out_of_scope_is_not_absent
    over_long_value_is_left_out
    protected_people_are_never_touched
    questions_take_no_room_in_a_budget
    records_that_are_no_people
    refused_twice_waits_and_the_rest_goes_on
    rehire_keeps_the_operator_archived
    rehire_of_whom_we_archived
    rehire_restores_the_operator_once_approved
    rehire_with_a_new_number_waits
    rejected_item_stays_quiet_until_it_changes
    rejected_snapshot_accepted_by_approval
    same_file_read_again_does_not_count
    same_human_under_a_new_number_is_not_leaver_and_joiner
    same_number_another_person
    same_person_new_number_is_one_item
    same_person_new_number_rejected_are_two_people
    second_accounts_in_an_enrich_source
    second_employment_waits
    shared_mailbox_merges_nobody
    shield_of_a_record_with_bad_fields
    shield_of_a_record_without_a_number
    shield_of_records_in_conflict
    skip_that_suddenly_takes_many_is_a_doubt
    skip_whose_word_was_renamed_makes_no_cards
    slices_under_the_budget_for_a_week
    spreadsheet_ate_the_zeros_of_all_keys
    spreadsheet_dropped_trailing_separators
    title_above_the_header
    too_long_surname_of_a_joiner
    topdesk_is_upgraded_between_two_runs
    topdesk_refuses_to_archive_an_operator
    twin_with_operator_survives
    two_new_numbers_of_one_human_wait
    two_records_with_one_key_in_an_enrich_source
    unarchived_by_hand_stays_active
    undo_and_sync_never_fight
    undo_puts_operators_back_that_were_archived_before
    undo_wakes_the_operator_where_topdesk_does_not
    unknown_branch_holds_the_person
    unrelated_config_edit_lets_archives_go_on
    value_with_a_language_option_only
    values_in_another_order_change_nothing
    woken_by_hand_after_a_hand_had_archived_it
    word_of_include_is_renamed
    work_left_behind
    wrong_clock
    years_of_two_digits_are_held
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Files of a scenario that are not sources.
const OWN: [&str; 7] = [
    "config.yaml",
    "cards.json",
    "steps",
    "expected-plan.txt",
    "expected-cards.json",
    "explain",
    "expected-explain.txt",
];

fn play(name: &str) {
    let folder = root().join(name);
    let read =
        |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
    let seed = serde_json::from_str(&read("cards.json")).unwrap_or_else(|error| panic!("{name}/cards.json: {error}"));
    let place = Workplace::open(seed);
    place.configure(&read("config.yaml"));
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        if !OWN.contains(&file.as_str()) {
            place.write(&file, fs::read(entry.path()).unwrap());
        }
    }
    let steps = match fs::read_to_string(folder.join("steps")) {
        Ok(steps) => steps,
        Err(_none) => "run 2025-03-03T08:00".to_owned(),
    };
    let mut masks = Masks::default();
    let said = steps::play(&place, &steps, &mut masks);
    replays_as_it_was(&place);
    let cards = cards::describe(&place.sandbox.state_json());
    if let Ok(words) = fs::read_to_string(folder.join("explain")) {
        compare(
            &folder.join("expected-explain.txt"),
            &explained(&place, &words, &steps, &mut masks),
        );
    }
    compare(&folder.join("expected-plan.txt"), &said);
    compare(&folder.join("expected-cards.json"), &cards);
}

/// What `explain` says of these people after the last step, at the moment of the last run.
fn explained(place: &Workplace, words: &str, steps: &str, masks: &mut Masks) -> String {
    let moment = steps.lines().rev().find_map(|step| {
        let (verb, moment) = step.trim().split_once(' ')?;
        ["run", "run!", "plan"].contains(&verb).then_some(moment)
    });
    let moment = moment.expect("a scenario has a run");
    let mut said = String::new();
    for word in words.lines() {
        let ran = place.cardsync(&["explain", word, "--as-of", moment]);
        said.push_str(&format!("$ explain {word}   (exit {})\n", ran.code));
        said.push_str(&masks.apply(&ran.stdout, place));
        said.push_str(&masks.apply(&ran.stderr, place));
    }
    said
}

/// What the last run read and remembered gives the same plan again, without any server.
fn replays_as_it_was(place: &Workplace) {
    let history = place.path("inputs");
    if !history.exists() {
        return;
    }
    let again = place.cardsync(&["plan", "--replay", "last", "--json"]).json();
    // A plan without the people who were purged can be another one.
    assert!(
        again["same"] == true || again["people_taken_out"] != 0,
        "{:#}",
        again["replayed"]
    );
}

fn compare(file: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(file, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == found {
        return;
    }
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(expected, found)| expected != found);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count())) + 1;
    panic!(
        "{} differs from line {line} on; if that is right: BLESS=1 cargo nextest run scenarios\n--- found\n{found}",
        file.display()
    );
}
