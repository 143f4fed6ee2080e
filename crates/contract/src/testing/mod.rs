//! The contract suite: what every provider has to do, one test per line of the contract.
//!
//! A test is named after the section of its line: `s5_…` holds a line of "5. Ending", `persistent_…` what only
//! persistent sessions do, `codex_…` what those in the dialect of Codex do. None sleeps; each waits for
//! what it expects, and the test runner's own time limit ends one that waits in vain. A provider runs the suite
//! from its own tests:
//!
//! ```ignore
//! carrel_contract::contract_suite!(std::sync::Arc::new(MyProvider::new()));
//! ```

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod checking;
mod codex;
mod delegate;
mod dropping;
mod ending;
mod forking;
mod harness;
mod interface;
mod keys;
mod limits;
mod misbehaving;
mod model;
mod observing;
mod output;
mod persistent;
mod stored;
mod tools;
mod typescript;

pub use checking::*;
pub use codex::*;
pub use delegate::{RecordingDelegate, Seen, tool_descriptions};
pub use dropping::*;
pub use ending::*;
pub use forking::*;
pub use harness::Harness;
pub use interface::*;
pub use keys::*;
pub use limits::*;
pub use misbehaving::*;
pub use model::*;
pub use observing::*;
pub use output::*;
pub use persistent::*;
pub use stored::*;
pub use tools::*;
pub use typescript::*;

/// Expands to a tokio test for each test of the suite. Takes an expression that makes an
/// `Arc<dyn CodeModeSessionProvider>`, evaluated anew for each; after `journaled:`, the sessions are.
#[macro_export]
macro_rules! contract_suite {
    ($provider:expr) => {
        $crate::contract_suite! { @each $crate::testing::Harness::new($provider) }
    };
    (journaled: $provider:expr) => {
        $crate::contract_suite! { @each $crate::testing::Harness::new($provider).journaled() }
    };
    (@each $harness:expr) => {
        $crate::contract_suite! { @tests $harness;
            s1_a_cell_has_its_id_before_its_first_response
            s1_ids_are_never_used_again
            s1_a_session_is_listed_resumed_and_deleted
            s1_a_cell_is_running_before_anything_it_does_reaches_the_delegate
            s1_a_key_runs_once
            s1_a_key_runs_once_whoever_comes_at_once
            s1_a_key_finds_its_cell_whatever_else_is_full
            s1_a_key_is_known_to_whoever_resumes_the_session
            s1_a_key_with_another_source_is_refused
            s1_a_key_is_forgotten_with_its_outcome
            s2_a_tool_call_goes_out_and_its_answer_comes_back
            s2_a_failing_tool_rejects_with_a_tool_error
            s2_calls_run_side_by_side
            s2_an_unknown_tool_names_the_nearest
            s2_notifications_arrive_while_the_cell_runs
            s2_local_times_are_of_the_sessions_zone
            s2_typescript_is_accepted
            s2_javascript_runs_as_it_was_written
            s2_places_in_typescript_are_those_of_the_source
            s3_items_come_in_order_with_the_numbers_of_their_events
            s3_the_middle_of_long_output_is_cut_and_counted
            s3_a_flood_is_held_to_the_window
            s3_a_large_picture_stays_whole
            s4_a_wait_returns_as_soon_as_its_condition_holds
            s4_a_wait_can_cover_many_cells
            s4_a_finished_cell_can_be_read_again
            s4_a_look_is_read_when_that_is_said
            s4_a_cell_that_never_was_is_another_error_than_one_forgotten
            s4_a_dropped_observer_consumes_nothing
            s4_yield_control_ends_an_observation
            s4_a_busy_cell_yields_at_its_time
            s4_events_tell_the_whole_story_in_order
            s4_a_late_reader_is_told_what_it_missed
            s4_a_cursor_of_ones_own_moves_nobody_elses
            s5_a_loop_is_terminated
            s5_a_waiting_cell_is_terminated_and_its_callbacks_cancelled
            s5_a_second_terminate_gets_the_same_outcome
            s5_a_natural_result_beats_a_later_terminate
            s5_a_callback_that_ignores_its_token_is_abandoned_and_named
            s5_shutdown_ends_every_cell_and_is_idempotent
            s5_dropping_the_last_handle_ends_the_cells
            s5_a_session_that_is_shut_down_takes_no_cell
            s5_cell_closed_comes_once_a_cell
            s5_a_panicking_delegate_fails_one_call
            s5_a_delegate_may_call_back_into_its_session
            s5_a_call_is_not_issued_after_its_cell_ended
            s5_calls_that_nobody_awaited_are_cancelled_and_named
            s5_a_future_that_panics_as_it_is_dropped_does_no_harm
            s1_execute_can_be_dropped_at_every_poll
            s4_a_first_response_can_be_dropped_at_every_poll
            s4_wait_can_be_dropped_at_every_poll
            s4_a_read_of_the_log_can_be_dropped_at_every_poll
            s5_terminate_can_be_dropped_at_every_poll
            s5_shutdown_can_be_dropped_at_every_poll
            s5_a_panic_before_the_future_fails_one_call
            s5_a_delegate_that_blocks_its_thread_holds_no_cell
            s5_a_blocked_call_that_nobody_awaits_is_named
            s5_shutdown_is_over_in_its_time_whatever_the_delegate_does
            s5_an_answer_that_comes_late_changes_nothing
            s5_a_delegate_may_end_the_cell_that_called_it
            s5_a_delegate_may_wait_for_the_cell_that_called_it
            s5_many_delegates_may_call_back_at_once
            s5_notifications_that_fail_are_warnings
            s5_notifications_that_are_never_delivered_time_out
            s5_a_panic_at_the_close_does_no_harm
            s6_stored_values_carry_over
            s6_a_terminated_cell_stores_nothing
            s6_a_failed_cell_stores_what_it_wrote
            s6_a_cell_sees_what_was_committed_when_it_was_admitted
            s6_a_quota_is_an_error_the_cell_can_catch
            s6_a_quota_holds_for_cells_side_by_side
            s7_cpu_time_is_limited_and_waiting_is_free
            s8_running_cells_are_limited_and_named
            s8_memory_is_limited_for_one_cell_alone
            s8_tool_values_are_limited
            s8_pending_calls_wait_their_turn
            s8_outcomes_are_forgotten_over_their_limit
            s10_bad_requests_name_what_was_wrong
            s10_what_is_wrong_in_a_source_is_shown
            s10_bad_specifications_name_what_was_wrong
            persistent_a_cell_sees_what_earlier_ones_declared
            persistent_typescript_and_javascript_share_their_variables
            persistent_large_variables_carry_over
            persistent_what_a_tool_answered_carries_over
            persistent_a_failed_cell_keeps_what_it_did
            persistent_a_terminated_cell_leaves_the_variables_alone
            persistent_cells_take_turns_in_order
            persistent_a_cell_that_waits_for_its_turn_is_terminated
            persistent_terminations_leave_what_the_other_cells_did
            persistent_shutdown_ends_the_cells_that_wait
            persistent_a_cell_that_exhausts_its_memory_says_what_became_of_the_variables
            codex_a_cell_speaks_the_dialect
            codex_media_come_by_their_urls
            codex_an_error_is_one_text
            codex_a_cell_that_waits_for_nothing_goes_on_waiting
            codex_timers_keep_nothing_alive
            codex_a_last_call_is_made
            codex_memory_is_limited_for_one_cell_alone
            codex_a_hostile_error_harms_its_cell_alone
            codex_typescript_is_accepted
            codex_tools_are_as_they_were_given
            codex_a_notebook_speaks_the_dialect
            codex_the_dialect_is_kept
            check_a_cell_is_checked_or_says_that_it_was_not
            check_is_off_unless_asked_for
            tools_can_become_others
            tools_that_cannot_be_taken_change_nothing
            tools_tell_how_a_call_gets_on
            tools_may_wait_for_a_person
            tools_know_where_a_call_stands
            tools_are_found_and_described
            tools_leave_the_names_of_functions_alone
            tools_can_be_asked_for_without_end
            fork_goes_on_from_an_event_of_the_other
            fork_in_the_middle_of_calls_side_by_side
            fork_of_a_fork_has_what_both_had
            fork_of_a_notebook_has_its_variables
            fork_that_cannot_be_made_says_why
            any_sequence_of_operations_does_what_the_model_does
        }
    };
    (@tests $harness:expr; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::testing::$name($harness).await;
            }
        )*
    };
}
