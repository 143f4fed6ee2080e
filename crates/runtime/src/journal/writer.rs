//! The journal of one session, as its cells write it.
//!
//! Records are taken in at once and written in batches: while one batch is on its way to the disk, the next one gathers.
//! Nobody waits for a record of their own; whoever lets something out of the session waits until all that came before it
//! is durable. After a failure nothing more is written, and nothing more is said to be durable.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::SessionId;
use carrel_contract::error::{OwnedElsewhere, StorageFailed};
use carrel_journal::error::{AppendError, PutBlobError, StoreError};
use carrel_journal::record::Value;
use carrel_journal::{Blob, BlobHash, Position, Record, Store, Tail};
use tokio::runtime::Handle;

use super::announced::Announced;

/// A text from this length on goes into a blob of its own: an entry is to stay small.
const BLOB_BYTES: usize = 16 * 1024;
/// Records are put into one entry up to about this size.
const ENTRY_BYTES: usize = 256 * 1024;
/// What a record takes beside its texts, and more.
const RECORD_BYTES: usize = 256;
/// How often a store that another process keeps busy is asked again.
const BUSY_ATTEMPTS: usize = 10;

/// How many records had been taken in at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u64);

/// Why nothing more is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Storage(StorageFailed),
    Owner(OwnedElsewhere),
}

/// The journal of one session.
pub(crate) struct Journal {
    pub(crate) store: Arc<dyn Store>,
    session_id: SessionId,
    /// Where batches are written, whoever asks for it.
    pub(crate) runtime: Handle,
    state: Mutex<State>,
    standing: Announced<Standing>,
}

struct State {
    gathered: Vec<Record>,
    taken: Mark,
    is_writing: bool,
    tail: Option<Tail>,
}

#[derive(Clone, Debug, Default)]
struct Standing {
    durable: Mark,
    trouble: Option<Trouble>,
}

impl Journal {
    /// Writes on where the journal was read, or made, up to `tail`.
    pub(crate) fn new(store: Arc<dyn Store>, tail: Tail, runtime: Handle) -> Self {
        let session_id = tail.session().clone();
        let state = State { gathered: Vec::new(), taken: Mark(0), is_writing: false, tail: Some(tail) };
        Self { store, session_id, runtime, state: Mutex::new(state), standing: Announced::default() }
    }

    /// Takes a record in. It is written when somebody asks for that, or with the next that are.
    pub(crate) fn append(&self, record: Record) {
        let mut state = self.lock();
        state.gathered.push(record);
        state.taken.0 += 1;
    }

    /// Returns how many records were taken in.
    pub(crate) fn mark(&self) -> Mark {
        self.lock().taken
    }

    /// Tells whether there is something to be written and nobody at it; who is told so has to [`write`](Self::write).
    pub(crate) fn takes_pen(&self) -> bool {
        let mut state = self.lock();
        let takes = !state.is_writing && !state.gathered.is_empty() && self.trouble().is_none();
        state.is_writing |= takes;
        takes
    }

    /// Writes batch after batch until nothing is left.
    ///
    /// # Errors
    /// Once, what ends the writing for good.
    pub(crate) async fn write(&self) -> Result<(), Trouble> {
        loop {
            let (batch, upto, tail) = {
                let mut state = self.lock();
                if state.gathered.is_empty() {
                    state.is_writing = false;
                    return Ok(());
                }
                (mem::take(&mut state.gathered), state.taken, state.tail.take())
            };
            match self.write_batch(batch, tail).await {
                Ok(tail) => {
                    self.lock().tail = Some(tail);
                    self.standing.change(|standing| standing.durable = upto);
                }
                Err(trouble) => {
                    self.fail(trouble.clone());
                    return Err(trouble);
                }
            }
        }
    }

    /// Writes nothing more.
    pub(crate) fn fail(&self, trouble: Trouble) {
        self.lock().gathered.clear();
        self.standing.change(|standing| {
            standing.trouble.get_or_insert(trouble);
        });
    }

    /// Writes nothing more: the store panicked. The panic hook has reported it.
    pub(crate) fn panicked(&self) -> Trouble {
        let trouble = self.storage(&"the store panicked");
        self.fail(trouble.clone());
        trouble
    }

    /// Returns why nothing more is written, if so.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.standing.now().trouble.clone()
    }

    /// Waits until the records up to a mark are durable; somebody must be writing them. Cancel safe.
    pub(crate) async fn durable(&self, mark: Mark) -> Result<(), Trouble> {
        let reached = |now: &Standing| {
            if now.durable >= mark { Some(Ok(())) } else { now.trouble.clone().map(Err) }
        };
        self.standing.until(reached).await
    }

    /// Tells whether the records up to a mark are durable.
    pub(crate) fn is_durable(&self, mark: Mark) -> bool {
        self.standing.now().durable >= mark
    }

    /// Keeps a blob. Durable on return; the record that names it comes afterwards.
    pub(crate) async fn keep(&self, bytes: Vec<u8>) -> Result<BlobHash, Trouble> {
        let blob = Blob::new(bytes);
        let hash = blob.hash();
        let mut attempts = 1..;
        loop {
            match self.store.put_blob(&self.session_id, blob.clone()).await {
                Ok(()) => return Ok(hash),
                Err(PutBlobError::Store(error)) if self.is_worth_another(&error, attempts.next()) => {}
                Err(error) => return Err(self.storage(&error)),
            }
        }
    }

    async fn write_batch(&self, mut batch: Vec<Record>, tail: Option<Tail>) -> Result<Tail, Trouble> {
        // Only a failed batch leaves no tail, and after one nothing is written.
        let mut tail = tail.unwrap_or_else(|| Tail::after(self.session_id.clone(), Position::START));
        for value in batch.iter_mut().flat_map(Record::values_mut) {
            let Value::Inline(text) = value else { continue };
            if text.len() >= BLOB_BYTES {
                let bytes = text.len() as u64;
                let hash = self.keep(mem::take(text).into_bytes()).await?;
                *value = Value::Blob { hash, bytes };
            }
        }
        let sizes: Vec<usize> = batch.iter_mut().map(size).collect();
        let (mut rest, mut sizes) = (batch.as_slice(), sizes.as_slice());
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = sizes.iter().take_while(|size| {
                bytes += *size;
                bytes <= ENTRY_BYTES
            });
            let count = fits.count().max(1);
            let (entry, others) = rest.split_at(count);
            (rest, sizes) = (others, sizes.split_at(count).1);
            self.write_entry(entry, &mut tail).await?;
        }
        Ok(tail)
    }

    async fn write_entry(&self, records: &[Record], tail: &mut Tail) -> Result<(), Trouble> {
        let expected = tail.position();
        let Some(entry) = tail.seal(records) else {
            return Err(self.storage(&"the journal was not read to its end"));
        };
        let mut attempts = 1..;
        loop {
            match self.store.append(&self.session_id, expected, vec![entry.clone()]).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => return Err(self.owned_elsewhere()),
                Err(AppendError::Store(error)) if self.is_worth_another(&error, attempts.next()) => {}
                Err(error) => return Err(self.storage(&error)),
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads as a question to the journal")]
    fn is_worth_another(&self, error: &StoreError, attempt: Option<usize>) -> bool {
        error.is_retryable() && attempt.is_some_and(|attempt| attempt < BUSY_ATTEMPTS)
    }

    fn storage(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::Storage(StorageFailed { session_id: self.session_id.clone(), detail: error.to_string() })
    }

    fn owned_elsewhere(&self) -> Trouble {
        let owner = "another process, which took it over,".to_owned();
        Trouble::Owner(OwnedElsewhere { session_id: self.session_id.clone(), owner })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

/// Returns about how many bytes a record takes.
fn size(record: &mut Record) -> usize {
    let texts = record.values_mut().into_iter().map(|value| match value {
        Value::Inline(text) => text.len(),
        Value::Blob { .. } => 0,
    });
    RECORD_BYTES + texts.sum::<usize>()
}

/// Makes the error of an operation of what keeps the session from being written.
macro_rules! trouble_of {
    ($($operation:ty),+) => {
        $(impl From<Trouble> for $operation {
            fn from(trouble: Trouble) -> Self {
                match trouble {
                    Trouble::Storage(error) => error.into(),
                    Trouble::Owner(error) => error.into(),
                }
            }
        })+
    };
}

trouble_of!(
    carrel_contract::error::CreateError,
    carrel_contract::error::ResumeError,
    carrel_contract::error::ExecuteError,
    carrel_contract::error::SetToolsError,
    carrel_contract::error::WaitError,
    carrel_contract::error::TerminateError,
    carrel_contract::error::ShutdownError
);

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => f.write_str(&error.detail),
            Self::Owner(error) => error.fmt(f),
        }
    }
}
