//! Each fault of a store is found by the case that is there for it.

use transport_conformance::cases::STORE;

use crate::faulty_store::{Fault, stores};
use crate::run::failures;

#[test]
fn sound_stores_pass_every_case() {
    assert_eq!(failures(STORE, || stores(Fault::None)), [""; 0]);
    assert_eq!(failures(STORE, || stores(Fault::WithoutHistory)), [""; 0]);
}

/// A fault, and the case that must fail for it. Others may fail too.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::LosesMetadata, "a_record_is_read_as_it_was_written_by_every_server"),
    (Fault::ReadsItsCache, "a_server_reads_at_once_what_it_and_others_wrote"),
    (Fault::InventsRecords, "what_was_never_written_is_not_there"),
    (Fault::KeepsTheDeleted, "a_deleted_record_is_gone_for_everyone"),
    (Fault::LosesNulls, "a_null_character_in_a_value_is_kept_or_refused"),
    (Fault::KeepsOldUsers, "a_write_replaces_the_whole_record"),
    (Fault::WritesWhenAsked, "nothing_happens_before_the_first_poll"),
    (Fault::ForgetsTheStore, "stores_and_keys_do_not_mix_whatever_their_characters"),
    (Fault::FoldsCase, "stores_and_keys_do_not_mix_whatever_their_characters"),
    (Fault::TrimsKeys, "stores_and_keys_do_not_mix_whatever_their_characters"),
    (Fault::DamagesUnicode, "values_keep_every_character_and_number"),
    (Fault::IgnoresAbsence, "a_write_or_deletion_happens_only_where_its_precondition_holds"),
    (Fault::DeletesAlways, "a_write_or_deletion_happens_only_where_its_precondition_holds"),
    (Fault::IgnoresVersions, "a_version_is_good_once"),
    (Fault::IgnoresVersions, "of_the_increments_of_a_hundred_racing_writers_none_is_lost"),
    (Fault::IgnoresAbsence, "of_a_hundred_racing_creations_one_succeeds"),
    (Fault::DeletesAlways, "of_a_hundred_racing_deletions_of_one_version_one_succeeds"),
    (Fault::CountsVersionsPerLife, "versions_never_repeat_also_after_a_deletion"),
    (Fault::CountsVersionsPerLife, "a_record_that_was_made_again_is_not_what_it_was_before"),
    (Fault::TakesNumbersForVersions, "a_version_that_the_store_never_gave_conflicts"),
    (Fault::TakesAnyJson, "a_value_is_a_json_object_that_everyone_can_read"),
    (Fault::TakesHalfSurrogates, "a_value_is_a_json_object_that_everyone_can_read"),
    (Fault::TakesAnyMetadata, "metadata_is_plain_ascii"),
    (Fault::TakesEmptyNames, "names_are_not_empty"),
    (Fault::CountsBytes, "what_is_as_large_as_a_limit_is_taken"),
    (Fault::AllowsOneLess, "what_is_as_large_as_a_limit_is_taken"),
    (Fault::AllowsOneMore, "what_is_over_a_limit_is_refused_with_both_sizes"),
    (Fault::ForgetsToCheckReads, "every_call_checks_the_names_it_is_given"),
    (Fault::TruncatesValues, "large_values_come_back_whole"),
    (Fault::TreatsPrefixAsPattern, "a_prefix_is_taken_literally_whatever_its_characters"),
    (Fault::ListsAPage, "long_lists_are_whole_and_name_each_key_once"),
    (Fault::ListsTwice, "long_lists_are_whole_and_name_each_key_once"),
    (Fault::ListsTheDeleted, "deleted_keys_and_those_of_other_stores_are_not_listed"),
    (Fault::ListsOneAndStops, "keys_may_vanish_while_they_are_listed"),
    (Fault::PretendsHistory, "history_that_is_not_claimed_is_refused"),
    (Fault::HistoryOldestFirst, "past_states_are_listed_latest_first_and_can_be_read"),
    (Fault::HistoryWithoutDeletions, "a_deletion_is_a_state_that_holds_nothing"),
    (Fault::HistoryOfOthers, "states_that_a_record_never_had_are_not_found"),
    (Fault::MixesAnswers, "the_answer_to_a_call_that_was_dropped_reaches_no_other"),
    (Fault::RepeatsTheDropped, "a_write_that_was_dropped_happens_once_or_never"),
];

#[test]
fn each_fault_fails_the_case_that_is_there_for_it() {
    for &(fault, case) in FAULTS {
        let failed = failures(STORE, move || stores(fault));
        assert!(failed.contains(&case), "{fault:?} does not fail {case}, but {failed:?}");
    }
}

#[test]
fn every_case_has_a_fault_that_it_finds() {
    let found = |name: &str| FAULTS.iter().any(|(_, case)| *case == name);
    let idle: Vec<_> = STORE.iter().map(|case| case.name).filter(|name| !found(name)).collect();
    assert_eq!(idle, [""; 0]);
}
