//! Who has a session, by what its journal says, and that nobody else appends to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::{Position, Record, Tail};

/// What all processes have appended.
#[derive(Default)]
pub(super) struct Owners(Mutex<Seen>);

/// What there was to be seen of it.
#[derive(Clone, Default)]
pub(super) struct Seen {
    owners: BTreeMap<SessionId, String>,
    /// Sessions that one process took from another of the same time.
    pub(super) taken: u64,
    /// Journals that were folded, each time.
    pub(super) folds: u64,
    /// What was appended by somebody who could not.
    pub(super) wrong: Option<String>,
}

impl Owners {
    /// Looks at entries that a process has appended.
    pub(super) fn appended(&self, by: &str, session: &SessionId, after: Position, entries: &[Bytes]) {
        let mut seen = self.lock();
        if after == Position::START {
            seen.owners.insert(session.clone(), by.to_owned());
        }
        let mut tail = Tail::after(session.clone(), after);
        for entry in entries {
            let position = tail.position().next();
            let records = match tail.read(position, entry) {
                Ok(records) => records,
                Err(damaged) => return seen.is_wrong(damaged.to_string()),
            };
            for record in records {
                match record {
                    // A fork has those of its origin.
                    Record::Adopted { owner, .. } if after != Position::START => {
                        let is_rival = |before: &String| *before != owner && time(before) == time(&owner);
                        let before = seen.owners.insert(session.clone(), owner.clone());
                        seen.taken += u64::from(before.is_some_and(|before| is_rival(&before)));
                    }
                    Record::Folded { .. } => seen.folds += 1,
                    _ => {}
                }
            }
            if let Some(owner) = seen.owners.get(session).filter(|owner| *owner != by) {
                let what = format!("{by} appended entry {position} to {session}, which {owner} has");
                return seen.is_wrong(what);
            }
        }
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when a process lives, which is the last word of its name.
fn time(process: &str) -> Option<&str> {
    process.split(' ').next_back()
}

impl Seen {
    fn is_wrong(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }
}
