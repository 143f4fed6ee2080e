//! The journal of one session, as its cells write it.
//!
//! Records are taken in at once and written in batches: while one batch is on its way to the disk, the next one gathers.
//! Nobody waits for a record of their own; whoever lets something out of the session waits until all that came before it
//! is durable. After a failure nothing more is written, and nothing more is said to be durable.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::SessionId;
use carrel_contract::error::{OwnedElsewhere, StorageFailed};
use carrel_journal::error::{AppendError, CompactError, PutBlobError, StoreError};
use carrel_journal::record::Value;
use carrel_journal::{Blob, BlobHash, Cut, Position, Record, Store, Tail};
use tokio::runtime::Handle;

use super::announced::Announced;
use super::extent::Extent;
use super::trouble::Trouble;

/// A text from this length on goes into a blob of its own: an entry is to stay small.
const BLOB_BYTES: usize = 16 * 1024;
/// Records are put into one entry up to this size; what takes more alone is an entry of its own.
const ENTRY_BYTES: usize = 256 * 1024;
/// What a record takes in memory beside what is written of it.
const RECORD_BYTES: usize = 256;
/// How often a store that another process keeps busy is asked again.
const BUSY_ATTEMPTS: usize = 10;

/// What may wait to be written before those who write more have to wait, too.
const GATHERED_BYTES: usize = 8 * 1024 * 1024;

/// How many records had been taken in at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u64);

/// The journal of one session.
pub(crate) struct Journal {
    pub(crate) store: Arc<dyn Store>,
    session_id: SessionId,
    /// Where batches are written, whoever asks for it.
    pub(crate) runtime: Handle,
    state: Mutex<State>,
    standing: Announced<Standing>,
    /// Held while the journal is folded; set when it is never to be again.
    pub(super) folding: tokio::sync::Mutex<bool>,
    /// Keeping a blob, by any number at once, or cutting off what names no blob any more.
    keeping: tokio::sync::RwLock<()>,
}

struct State {
    gathered: Vec<Record>,
    gathered_bytes: usize,
    extent: Extent,
    taken: Mark,
    is_writing: bool,
    /// Nothing is taken in any more.
    is_over: bool,
    tail: Option<Tail>,
    position: Position,
}

#[derive(Clone, Debug, Default)]
struct Standing {
    durable: Mark,
    trouble: Option<Trouble>,
}

impl Journal {
    /// Writes on where the journal was read, or made, up to `tail`.
    pub(crate) fn new(store: Arc<dyn Store>, tail: Tail, extent: Extent, runtime: Handle) -> Self {
        let session_id = tail.session().clone();
        let (gathered, gathered_bytes) = (Vec::new(), 0);
        let position = tail.position();
        let (taken, is_writing, is_over, tail) = (Mark(0), false, false, Some(tail));
        let state = State { gathered, gathered_bytes, extent, taken, is_writing, is_over, tail, position };
        let (standing, folding, keeping) = <(Announced<_>, tokio::sync::Mutex<_>, _)>::default();
        Self { store, session_id, runtime, state: Mutex::new(state), standing, folding, keeping }
    }

    /// Takes a record in. It is written when somebody asks for that, or with the next that are; never, when nothing is
    /// written any more: what came before it may be lost.
    pub(crate) fn append(&self, record: Record) {
        let mut state = self.lock();
        state.taken.0 += 1;
        if !state.is_over {
            state.gathered_bytes += RECORD_BYTES + record.encoded_len();
            state.gathered.push(record);
        }
    }

    /// Returns how many records were taken in.
    pub(crate) fn mark(&self) -> Mark {
        self.lock().taken
    }

    /// Returns the last entry that was written, or read.
    pub(crate) fn position(&self) -> Position {
        self.lock().position
    }

    /// Tells whether there is something to be written and nobody at it; who is told so has to [`write`](Self::write).
    pub(crate) fn takes_pen(&self) -> bool {
        let mut state = self.lock();
        let takes = !state.is_writing && state.has_work();
        state.is_writing |= takes;
        takes
    }

    /// Writes batch after batch until nothing is left. Says so after each.
    ///
    /// # Errors
    /// Once, what ends the writing for good.
    pub(crate) async fn write(&self, written: impl Fn()) -> Result<(), Trouble> {
        loop {
            let (batch, upto, tail) = {
                let mut state = self.lock();
                if !state.has_work() {
                    state.is_writing = false;
                    return Ok(());
                }
                state.gathered_bytes = 0;
                (mem::take(&mut state.gathered), state.taken, state.tail.take())
            };
            if batch.is_empty() {
                self.lock().tail = tail;
                self.cut_off().await?;
                continue;
            }
            match self.write_batch(batch, tail).await {
                Ok(tail) => {
                    {
                        let mut state = self.lock();
                        state.position = tail.position();
                        state.tail = Some(tail);
                    }
                    self.standing.change(|standing| standing.durable = upto);
                    written();
                }
                Err(trouble) => {
                    self.fail(trouble.clone());
                    return Err(trouble);
                }
            }
        }
    }

    /// Cuts off the beginning of the journal.
    async fn cut_off(&self) -> Result<(), Trouble> {
        let _nothing_is_kept_meanwhile = self.keeping.write().await;
        let Some((expected, cut)) = self.lock().cut() else { return Ok(()) };
        match self.store.compact(&self.session_id, expected, cut).await {
            Ok(()) => Ok(()),
            Err(CompactError::Conflict { .. }) => {
                let trouble = self.owned_elsewhere();
                self.fail(trouble.clone());
                Err(trouble)
            }
            // Nothing depends on it: the journal is as long as before, and the next fold tries again.
            Err(CompactError::Store(error)) => {
                tracing::warn!(session = %self.session_id, %error, "the journal was not cut");
                Ok(())
            }
        }
    }

    /// Does something with what is known of the journal.
    pub(super) fn with_extent<T>(&self, look: impl FnOnce(&mut Extent) -> T) -> T {
        look(&mut self.lock().extent)
    }

    /// Tells whether more waits to be written than is to wait.
    pub(crate) fn is_behind(&self) -> bool {
        self.trouble().is_none() && self.lags()
    }

    fn lags(&self) -> bool {
        let state = self.lock();
        let Extent { is_folding, bytes, bytes_at_fold, longest, .. } = state.extent;
        let unfolded = bytes - bytes_at_fold + state.gathered_bytes as u64;
        state.gathered_bytes > GATHERED_BYTES || (is_folding && unfolded > longest)
    }

    /// Wakes those who wait until it has caught up.
    pub(super) fn say_caught_up(&self) {
        self.standing.change(|_| ());
    }

    /// Waits until less waits to be written, or nothing is written any more; somebody must be writing. Cancel safe.
    pub(crate) async fn caught_up(&self) {
        self.standing.until(|now| (now.trouble.is_some() || !self.lags()).then_some(())).await;
    }

    /// Writes nothing more.
    pub(crate) fn fail(&self, trouble: Trouble) {
        {
            let mut state = self.lock();
            state.is_over = true;
            state.gathered.clear();
            state.gathered_bytes = 0;
        }
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

    /// Waits until the records up to a mark are durable; somebody must be writing them. Those of a journal that nothing is
    /// written to any more are of no use to anybody here: another may go on with it. Cancel safe.
    pub(crate) async fn durable(&self, mark: Mark) -> Result<(), Trouble> {
        let reached = |now: &Standing| match &now.trouble {
            Some(trouble) => Some(Err(trouble.clone())),
            None => (now.durable >= mark).then_some(Ok(())),
        };
        self.standing.until(reached).await
    }

    /// Tells whether the records up to a mark are durable, and more can be.
    pub(crate) fn is_durable(&self, mark: Mark) -> bool {
        let now = self.standing.now();
        now.trouble.is_none() && now.durable >= mark
    }

    /// Keeps a snapshot: a blob that the journal is the longer for.
    pub(crate) async fn keep_snapshot(&self, bytes: Vec<u8>) -> Result<BlobHash, Trouble> {
        self.lock().extent.bytes += bytes.len() as u64;
        self.keep(bytes).await
    }

    /// Keeps a blob. Durable on return; the record that names it comes afterwards.
    pub(crate) async fn keep(&self, bytes: Vec<u8>) -> Result<BlobHash, Trouble> {
        let blob = Blob::new(bytes);
        let hash = blob.hash();
        // A cut spares it, or is over when it comes.
        let _keeping = self.keeping.read().await;
        self.lock().extent.unnamed.insert(hash);
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
        let sizes: Vec<usize> = batch.iter().map(Record::encoded_len).collect();
        let (mut rest, mut sizes) = (batch.as_mut_slice(), sizes.as_slice());
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = sizes.iter().take_while(|size| {
                bytes += *size;
                bytes <= ENTRY_BYTES
            });
            let count = fits.count().max(1);
            let (entry, others) = mem::take(&mut rest).split_at_mut(count);
            (rest, sizes) = (others, sizes.split_at(count).1);
            self.write_entry(entry, &mut tail).await?;
        }
        Ok(tail)
    }

    async fn write_entry(&self, records: &mut [Record], tail: &mut Tail) -> Result<(), Trouble> {
        let expected = tail.position();
        for record in &mut *records {
            if let Record::Folded { lag, .. } = record {
                // Whoever took it in knew the entry that it goes up to, and not yet its own.
                *lag = expected.next().0.saturating_sub(*lag);
            }
        }
        let Some(entry) = tail.seal(records) else {
            return Err(self.storage(&"the journal was not read to its end"));
        };
        let mut attempts = 1..;
        loop {
            match self.store.append(&self.session_id, expected, vec![entry.clone()]).await {
                Ok(_) => {
                    self.lock().extent.note(expected.next(), records, entry.len());
                    return Ok(());
                }
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

impl State {
    fn cut(&mut self) -> Option<(Position, Cut)> {
        let cut = self.extent.cut()?;
        Some((self.tail.as_ref()?.position(), cut))
    }

    fn has_work(&self) -> bool {
        !self.is_over && (!self.gathered.is_empty() || self.extent.has_cut())
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::task::{Context, Waker};

    use bytes::Bytes;
    use carrel_contract::CodeModeFuture;
    use carrel_journal::Memory;
    use carrel_journal::testing::PassesOn;
    use tokio::sync::watch;

    use super::*;

    /// A store whose appends wait until they are let go.
    #[derive(Default)]
    struct Slow {
        memory: Memory,
        goes: watch::Sender<bool>,
    }

    impl PassesOn for Slow {
        type Behind = Memory;

        fn behind(&self) -> &Memory {
            &self.memory
        }

        fn write_entries(
            &self,
            session: SessionId,
            expected: Position,
            entries: Vec<Bytes>,
        ) -> CodeModeFuture<'_, Position, AppendError> {
            Box::pin(async move {
                self.goes.subscribe().wait_for(|goes| *goes).await.ok();
                self.memory.append(&session, expected, entries).await
            })
        }
    }

    fn id() -> SessionId {
        SessionId::new("s").unwrap()
    }

    fn journal(store: &Arc<Slow>) -> Journal {
        let store = Arc::clone(store) as Arc<dyn Store>;
        Journal::new(store, Tail::start(id()), Extent::default(), Handle::current())
    }

    async fn cells(store: &Slow) -> Vec<u64> {
        let mut tail = Tail::start(id());
        let entries = store.memory.read(&id(), Position::START, usize::MAX).await.unwrap().entries;
        let records = entries.into_iter().flat_map(|(at, bytes)| tail.read(at, &bytes).unwrap());
        records.filter_map(|record| record.cell()).collect()
    }

    #[tokio::test]
    async fn after_trouble_a_write_under_way_writes_and_covers_nothing_more() {
        let store = Arc::<Slow>::default();
        let journal = journal(&store);
        journal.append(Record::ControlYielded { cell: 1 });
        assert!(journal.takes_pen());
        let mut writing = Box::pin(journal.write(|| ()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(writing.as_mut().poll(&mut context).is_pending(), "the first is on its way");
        journal.append(Record::ControlYielded { cell: 2 });
        let lost = journal.mark();
        // As when its lease is another's.
        journal.fail(journal.owned_elsewhere());
        journal.append(Record::ControlYielded { cell: 3 });
        store.goes.send_replace(true);
        writing.await.ok();
        assert_eq!(cells(&store).await, [1]);
        assert_eq!(
            journal.durable(lost).await,
            Err(journal.owned_elsewhere()),
            "the second was never written"
        );
        assert!(!journal.is_durable(lost));
        assert!(!journal.takes_pen());
    }

    #[tokio::test]
    async fn records_of_any_sizes_are_put_into_entries_that_hold_them() {
        let store = Arc::<Slow>::default();
        store.goes.send_replace(true);
        let journal = journal(&store);
        // Nothing of these goes into a blob.
        for cell in 0..400 {
            journal.append(Record::ToolProgressed {
                cell,
                call_id: "call-1".to_owned(),
                percent: None,
                message: Some("x".repeat(4096)),
            });
        }
        assert!(journal.takes_pen());
        assert_eq!(journal.write(|| ()).await, Ok(()));
        let written: BTreeSet<_> = cells(&store).await.into_iter().collect();
        assert_eq!(written.len(), 400);
    }
}
