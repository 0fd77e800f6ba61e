//! Each fault of a bus is found by the case that is there for it.

use transport_conformance::cases::BUS;

use crate::faulty_bus::{Fault, buses};
use crate::run::failures;

#[test]
fn sound_buses_pass_every_case() {
    assert_eq!(failures(BUS, || buses(Fault::None)), [""; 0]);
    assert_eq!(failures(BUS, || buses(Fault::WithoutEcho)), [""; 0]);
    assert_eq!(failures(BUS, || buses(Fault::OfBytes)), [""; 0]);
}

/// A fault, and the case that must fail for it. Others may fail too.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::DeliversTwice, "a_message_reaches_every_subscriber_of_its_topic_once"),
    (Fault::DropsAll, "a_message_reaches_every_subscriber_of_its_topic_once"),
    (Fault::PromisesEcho, "a_sender_hears_itself_if_the_bus_says_so"),
    (Fault::DeniesEcho, "a_sender_hears_itself_if_the_bus_says_so"),
    (Fault::Reorders, "messages_of_one_sender_arrive_in_order"),
    (Fault::ReordersTheSecond, "senders_at_once_keep_their_own_order"),
    (Fault::SendsWhenAsked, "nothing_happens_before_the_first_poll"),
    (Fault::DamagesBodies, "bodies_arrive_as_they_were_sent"),
    (Fault::SubscribesLater, "a_subscription_is_in_place_when_the_call_returns"),
    (Fault::UnsubscribesAll, "a_dropped_subscription_takes_no_other_with_it"),
    (Fault::UnsubscribesTheNext, "a_topic_can_be_subscribed_to_again_and_again"),
    (Fault::ReconnectsSilently, "a_broken_connection_shows_as_a_gap_and_heals"),
    (Fault::NeverComesBack, "a_broken_connection_shows_as_a_gap_and_heals"),
    (Fault::GapsTooLate, "nothing_is_missing_without_a_gap_in_its_place"),
    (Fault::ReconnectsSilently, "nothing_is_missing_without_a_gap_in_its_place"),
    (Fault::RepeatsTheDropped, "a_message_whose_call_was_dropped_comes_once_or_never_and_in_order"),
    (Fault::UnsubscribesAll, "a_subscribing_call_that_was_dropped_takes_no_other_with_it"),
    (Fault::FoldsTopics, "topics_do_not_mix_whatever_their_characters"),
    (Fault::TruncatesTopics, "long_topics_that_differ_at_their_end_do_not_mix"),
    (Fault::TakesEmptyTopics, "a_topic_without_a_name_is_refused"),
    (Fault::AllowsLongTopics, "a_topic_over_the_limit_is_refused_with_both_sizes"),
    (Fault::AllowsLessBody, "a_body_as_large_as_the_limit_is_carried"),
    (Fault::AllowsMoreBody, "a_body_over_the_limit_is_refused_with_both_sizes"),
    (Fault::TakesBytes, "a_text_bus_refuses_bytes_that_are_no_text"),
];

#[test]
fn each_fault_fails_the_case_that_is_there_for_it() {
    for &(fault, case) in FAULTS {
        let failed = failures(BUS, move || buses(fault));
        assert!(failed.contains(&case), "{fault:?} does not fail {case}, but {failed:?}");
    }
}

#[test]
fn every_case_has_a_fault_that_it_finds() {
    let found = |name: &str| FAULTS.iter().any(|(_, case)| *case == name);
    let idle: Vec<_> = BUS.iter().map(|case| case.name).filter(|name| !found(name)).collect();
    assert_eq!(idle, [""; 0]);
}
