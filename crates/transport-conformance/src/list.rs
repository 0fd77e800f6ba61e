//! The two lists of cases, and the macros that make tests of them.

/// Makes a `#[test]` of every case for stores.
///
/// `setup` is the path of an `async fn(&'static str) -> Option<Stores>`, called with the path of the test;
/// `run` is that of a function that runs a future to its end, such as `futures::executor::block_on`. Names of tests
/// are sentences, so put the call into a module of its own.
#[macro_export]
macro_rules! store_tests {
    (setup: $setup:path, run: $run:path) => {
        $crate::__store_cases! { __tests (check_store, $setup, $run) }
    };
}

/// Makes a `#[test]` of every case for buses.
///
/// `setup` is the path of an `async fn(&'static str) -> Option<Buses>`, called with the path of the test; `run` as for
/// [`store_tests!`].
#[macro_export]
macro_rules! bus_tests {
    (setup: $setup:path, run: $run:path) => {
        $crate::__bus_cases! { __tests (check_bus, $setup, $run) }
    };
}

/// Every case for stores: module and names. The one list.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
            records:
                a_record_is_read_as_it_was_written_by_every_server
                a_server_reads_at_once_what_it_and_others_wrote
                what_was_never_written_is_not_there
                a_write_replaces_the_whole_record
                a_deleted_record_is_gone_for_everyone
                nothing_happens_before_the_first_poll
                stores_and_keys_do_not_mix_whatever_their_characters
                values_keep_every_character_and_number,
            preconditions:
                a_write_or_deletion_happens_only_where_its_precondition_holds
                a_version_is_good_once
                versions_never_repeat_also_after_a_deletion
                a_version_that_the_store_never_gave_conflicts
                a_record_that_was_made_again_is_not_what_it_was_before,
            races:
                of_the_increments_of_a_hundred_racing_writers_none_is_lost
                of_a_hundred_racing_creations_one_succeeds
                of_a_hundred_racing_deletions_of_one_version_one_succeeds,
            refusals:
                a_value_is_a_json_object_that_everyone_can_read
                a_null_character_in_a_value_is_kept_or_refused
                metadata_is_plain_ascii
                names_are_not_empty,
            sizes:
                what_is_as_large_as_a_limit_is_taken
                what_is_over_a_limit_is_refused_with_both_sizes
                every_call_checks_the_names_it_is_given
                large_values_come_back_whole,
            listing:
                a_prefix_is_taken_literally_whatever_its_characters
                long_lists_are_whole_and_name_each_key_once
                deleted_keys_and_those_of_other_stores_are_not_listed
                keys_may_vanish_while_they_are_listed,
            dropped:
                the_answer_to_a_call_that_was_dropped_reaches_no_other
                a_write_that_was_dropped_happens_once_or_never,
            history:
                history_that_is_not_claimed_is_refused
                past_states_are_listed_latest_first_and_can_be_read
                a_deletion_is_a_state_that_holds_nothing
                states_that_a_record_never_had_are_not_found,
        }
    };
}

/// Every case for buses: module and names. The one list.
#[doc(hidden)]
#[macro_export]
macro_rules! __bus_cases {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
            delivery:
                a_message_reaches_every_subscriber_of_its_topic_once
                a_sender_hears_itself_if_the_bus_says_so
                messages_of_one_sender_arrive_in_order
                senders_at_once_keep_their_own_order
                nothing_happens_before_the_first_poll
                bodies_arrive_as_they_were_sent,
            subscriptions:
                a_subscription_is_in_place_when_the_call_returns
                a_dropped_subscription_takes_no_other_with_it
                a_topic_can_be_subscribed_to_again_and_again
                a_broken_connection_shows_as_a_gap_and_heals
                nothing_is_missing_without_a_gap_in_its_place,
            dropped:
                a_message_whose_call_was_dropped_comes_once_or_never_and_in_order
                a_subscribing_call_that_was_dropped_takes_no_other_with_it,
            refusals:
                topics_do_not_mix_whatever_their_characters
                long_topics_that_differ_at_their_end_do_not_mix
                a_topic_without_a_name_is_refused
                a_topic_over_the_limit_is_refused_with_both_sizes
                a_body_as_large_as_the_limit_is_carried
                a_body_over_the_limit_is_refused_with_both_sizes
                a_text_bus_refuses_bytes_that_are_no_text,
        }
    };
}

/// A test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (($check:ident, $setup:path, $run:path) $($module:ident: $($name:ident)+,)+) => {
        $($(
            #[test]
            fn $name() {
                let setup = $setup(::core::concat!(::core::module_path!(), "::", ::core::stringify!($name)));
                $run($crate::$check(::core::stringify!($name), setup));
            }
        )+)+
    };
}

/// The cases as an array.
#[doc(hidden)]
#[macro_export]
macro_rules! __array {
    (() $($module:ident: $($name:ident)+,)+) => {
        &[$($($crate::support::Case { name: stringify!($name), run: |on| Box::pin($module::$name(on)) }),+),+]
    };
}
