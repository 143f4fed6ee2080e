//! What every store has to do: the promises of [`Store`], each a test.
//!
//! A store runs them from its own tests. The expression makes a store and whatever has to live as long, a folder for
//! example; it is evaluated anew for each test:
//!
//! ```ignore
//! carrel_journal::store_suite!((std::sync::Arc::new(MyStore::new()), ()));
//! ```
//!
//! And [`PassesOn`], for stores that fail as a test of something else needs it.

#![expect(
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "these are tests; their names say what they show"
)]

mod appending;
mod blobs;
mod cutting;
mod leases;
mod passing;
mod sessions;

pub use appending::*;
pub use blobs::*;
pub use cutting::*;
pub use leases::*;
pub use passing::PassesOn;
pub use sessions::*;

use std::sync::Arc;

use bytes::Bytes;
use carrel_contract::SessionId;
use futures::executor::block_on;

use crate::{Position, Store};

/// Expands to a test for each test of the suite.
#[macro_export]
macro_rules! store_suite {
    ($make:expr) => {
        $crate::store_suite! { @tests $make;
            a_session_begins_with_its_first_append
            an_append_that_expects_another_position_appends_nothing
            an_append_takes_all_its_entries_or_none
            entries_come_back_byte_by_byte
            appends_happen_in_the_order_of_the_calls
            of_appends_that_race_one_wins_each_position
            a_reader_sees_a_growing_prefix_while_others_append
            many_sessions_append_at_once
            a_page_is_bounded_and_never_empty_before_the_end
            entries_over_a_bound_are_refused
            a_session_may_begin_with_more_than_an_append_takes
            a_dropped_append_leaves_the_journal_whole
            blobs_are_kept_once_for_all_sessions
            a_blob_is_gone_when_nobody_has_it
            a_blob_is_shared_without_its_bytes
            a_cut_keeps_positions_and_the_last_entry
            a_cut_keeps_the_blobs_it_is_told_to
            a_cut_of_an_old_owner_is_refused
            a_journal_that_was_cut_can_be_checked_and_written_on
            a_session_has_one_owner_at_a_time
            a_lease_that_ran_out_can_be_taken
            a_lost_lease_is_neither_renewed_nor_released
            each_lease_has_a_greater_epoch
            of_owners_that_race_one_gets_the_session
            an_old_owner_can_append_nothing_once_it_is_fenced
            sessions_are_listed_in_order_and_in_parts
            a_deleted_session_is_gone_and_others_are_not
        }
    };
    (@tests $make:expr; $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let (store, _keep) = $make;
                $crate::testing::$name(store);
            }
        )*
    };
}

fn session(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

fn entry(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Reads all entries of a session, page by page.
fn read_all(store: &Arc<dyn Store>, session: &SessionId) -> Vec<(Position, Bytes)> {
    let (mut entries, mut after) = (Vec::new(), Position::START);
    loop {
        let page = block_on(store.read(session, after, 1000)).unwrap();
        let Some((last, _)) = page.entries.last() else { return entries };
        after = *last;
        entries.extend(page.entries);
    }
}
