//! Snapshots that are not signed here, and notebooks whose variables this build cannot take up.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::testing::{RecordingDelegate, Seen, tool_descriptions};
use carrel_contract::{
    CellErrorKind, CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Durability, Notice,
    SessionId, SessionMode, SessionSpec, WaitRequest,
};
use carrel_engine::Snapshot;
use carrel_journal::check::check;
use carrel_journal::export::export;
use carrel_journal::fold::Fold;
use carrel_journal::import::{Existing, import, import_trusted};
use carrel_journal::{Blob, BlobHash, Memory, Position, Record, Signature, SnapshotKey, Store, Tail};
use carrel_runtime::travel::{RecordingError, Verdict};
use carrel_runtime::{InProcessProvider, Options};

use super::{end, start};

const HERE: SnapshotKey = SnapshotKey::new([1; 32]);
const ELSEWHERE: SnapshotKey = SnapshotKey::new([2; 32]);

fn provider(store: &Arc<Memory>, key: Option<SnapshotKey>) -> InProcessProvider {
    InProcessProvider::new(options(store, key)).unwrap()
}

fn options(store: &Arc<Memory>, key: Option<SnapshotKey>) -> Options {
    let mut options = Options::default();
    options.store = Some(Arc::clone(store) as Arc<dyn Store>);
    options.snapshot_key = key;
    options
}

async fn session(
    provider: &InProcessProvider,
    delegate: &Arc<RecordingDelegate>,
    mode: SessionMode,
) -> Arc<dyn CodeModeSession> {
    let mut spec = SessionSpec::default();
    (spec.mode, spec.durability, spec.tools) = (mode, Durability::Journaled, tool_descriptions());
    // The seed is part of the memory.
    spec.seed = Some(1);
    provider.create(spec, delegate.clone()).await.unwrap()
}

/// Leaves a session, and waits until all of it is written down.
async fn leave(provider: &InProcessProvider, session: Arc<dyn CodeModeSession>) -> SessionId {
    let id = session.id().clone();
    drop(session);
    provider.settle().await;
    id
}

async fn records(store: &Memory, id: &SessionId) -> Vec<Record> {
    let first = store.head(id).await.unwrap().unwrap().first;
    let mut tail = Tail::after(id.clone(), Position(first.0 - 1));
    let page = store.read(id, tail.position(), usize::MAX).await.unwrap();
    page.entries.iter().flat_map(|(position, bytes)| tail.read(*position, bytes).unwrap()).collect()
}

/// Writes a whole journal anew, as somebody may who may write to the store: with all hashes as they have to be.
async fn forge(
    store: &Memory,
    id: &SessionId,
    mut change: impl FnMut(&mut Record),
    blobs: &[Blob],
) -> Arc<Memory> {
    let forged = Arc::new(Memory::new());
    for blob in store.blobs(id).await.unwrap() {
        forged.put_blob(id, store.get_blob(blob).await.unwrap().unwrap()).await.unwrap();
    }
    for blob in blobs {
        forged.put_blob(id, blob.clone()).await.unwrap();
    }
    let (mut reader, mut writer) = (Tail::start(id.clone()), Tail::start(id.clone()));
    for (position, bytes) in store.read(id, Position::START, usize::MAX).await.unwrap().entries {
        let mut records = reader.read(position, &bytes).unwrap();
        records.iter_mut().for_each(&mut change);
        let entry = writer.seal(&records).unwrap();
        forged.append(id, Position(position.0 - 1), vec![entry]).await.unwrap();
    }
    forged
}

async fn has_snapshot(store: &Memory, id: &SessionId) -> bool {
    for hash in store.blobs(id).await.unwrap() {
        let blob = store.get_blob(hash).await.unwrap();
        if blob.is_some_and(|blob| Snapshot::from_bytes(blob.bytes()).is_ok()) {
            return true;
        }
    }
    false
}

/// Runs a cell until it has been saved and waits, and leaves it there.
async fn saved(key: Option<SnapshotKey>, word: &str) -> (Arc<Memory>, SessionId, CellId) {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = options(&store, key);
    // A fold would have the snapshot a second time.
    options.folding.after_bytes = 1 << 30;
    let here = InProcessProvider::new(options).unwrap();
    let session = session(&here, &delegate, SessionMode::Fresh).await;
    // What it was given is so much that it is saved.
    let source = format!(
        "const big = await tools.echo('x'.repeat(1.2e6)); await tools.gate().catch(() => 0); text('{word} ' + big.length)"
    );
    let cell = start(&session, &source).await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    while !has_snapshot(&store, session.id()).await {
        tokio::task::yield_now().await;
    }
    let id = leave(&here, session).await;
    (store, id, cell)
}

fn snapshots(records: &[Record]) -> Vec<(BlobHash, BlobHash, Option<Signature>)> {
    let snapshot = |record: &Record| match record {
        Record::SnapshotTaken { blob, memory, signature, .. } => Some((*blob, *memory, *signature)),
        _ => None,
    };
    records.iter().filter_map(snapshot).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_snapshot_is_not_used_and_the_cell_goes_on_by_its_journal() {
    let (store, id, cell) = saved(Some(HERE), "true").await;
    let (other, other_id, _) = saved(Some(ELSEWHERE), "lies").await;
    let [(_, _, Some(own))] = snapshots(&records(&store, &id).await)[..] else { panic!("it is saved once") };
    let [(blob, memory, Some(foreign))] = snapshots(&records(&other, &other_id).await)[..] else {
        panic!("it is saved once")
    };
    let lies = other.get_blob(blob).await.unwrap().unwrap();
    let said = async |key: Option<SnapshotKey>, signed: Option<Signature>| {
        let change = |record: &mut Record| {
            if let Record::SnapshotTaken { blob: it, memory: of, signature, .. } = record {
                (*it, *of, *signature) = (blob, memory, signed);
            }
        };
        let forged = forge(&store, &id, change, std::slice::from_ref(&lies)).await;
        let there = provider(&forged, key);
        let session = there.resume(id.clone(), RecordingDelegate::new()).await.unwrap();
        end(&session, &cell).await.text()
    };
    for signature in [None, Some(foreign), Some(own), Some(Signature([0; 32]))] {
        assert_eq!(said(Some(HERE), signature).await, "true 1200000", "signed {signature:?}");
    }
    // Where nobody looks at signatures, that is what whoever may write to the store can do.
    assert_eq!(said(None, Some(own)).await, "lies 1200000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_ones_own_is_used() {
    let (store, id, cell) = saved(Some(HERE), "true").await;
    // Of the answer nothing is left: only the snapshot can bring the cell back.
    let change = |record: &mut Record| {
        if let Record::CellBegun { code, .. } = record {
            *code = Some("throw new Error('it began anew')".into());
        }
    };
    let changed = forge(&store, &id, change, &[]).await;
    let there = provider(&changed, Some(HERE));
    let session = there.resume(id, RecordingDelegate::new()).await.unwrap();
    assert_eq!(end(&session, &cell).await.text(), "true 1200000");
}

/// Has as much as can be cut off the beginning of a journal.
fn cut(options: &mut Options) {
    options.folding.after_bytes = 1;
    options.folding.kept_bytes = 0;
    options.folding.kept_notebook_bytes = 0;
}

/// Lives until a fold says enough, and nothing but that.
async fn until_folded(store: &Memory, session: &Arc<dyn CodeModeSession>, is_enough: impl Fn(&Fold) -> bool) {
    let is_left =
        |record: &Record| matches!(record, Record::SnapshotTaken { .. } | Record::CellBegun { cell: 1, .. });
    loop {
        let records = records(store, session.id()).await;
        let newest = records.iter().rev().find_map(|record| match record {
            Record::Folded { blob, .. } => Some(*blob),
            _ => None,
        });
        // One that was just named may be cut off already, for the next.
        if let Some(blob) = newest
            && let Ok(fold) = Fold::read(store, blob).await
            && is_enough(&fold)
            && !records.iter().any(is_left)
        {
            return;
        }
        // The next fold is due when as much was written as this one takes.
        let cell = start(session, "text('x'.repeat(4e5))").await;
        end(session, &cell).await;
    }
}

/// Waits for a cell as the session's own reader, who is told what was lost.
async fn told(session: &Arc<dyn CodeModeSession>, cell: &CellId) -> CellResponse {
    let request = WaitRequest::new([cell.clone()]).with_yield_time(Duration::MAX);
    session.wait(request).await.unwrap().cells.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_has_nothing_else_says_that_its_snapshot_is_not_used() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = options(&store, Some(ELSEWHERE));
    cut(&mut options);
    let elsewhere = InProcessProvider::new(options).unwrap();
    let session = session(&elsewhere, &delegate, SessionMode::Fresh).await;
    let source = "const big = await tools.echo('x'.repeat(1.2e6)); await tools.gate(); text(big.length)";
    let cell = start(&session, source).await;
    delegate.reached(|seen| matches!(seen, Seen::Called(_, tool) if tool == "gate")).await;
    until_folded(&store, &session, |fold| fold.running.iter().any(|cell| cell.saved.is_some())).await;
    let id = leave(&elsewhere, session).await;
    let here = provider(&store, Some(HERE));
    let session = here.resume(id, RecordingDelegate::new()).await.unwrap();
    let CellResponse::Completed(done) = end(&session, &cell).await else { panic!("it ends") };
    let error = done.error.unwrap();
    assert_eq!(error.kind, CellErrorKind::ReplayDivergence);
    assert!(error.message.contains("not signed with the key of this installation"), "{}", error.message);
    // The session itself is as good as before.
    let cell = start(&session, "text('goes on')").await;
    assert_eq!(end(&session, &cell).await.text(), "goes on");
}

/// Makes a notebook with some variables, elsewhere.
async fn notebook(change: impl FnOnce(&mut Options)) -> (Arc<Memory>, SessionId) {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = options(&store, Some(ELSEWHERE));
    change(&mut options);
    let elsewhere = InProcessProvider::new(options).unwrap();
    let session = session(&elsewhere, &delegate, SessionMode::Persistent).await;
    for source in [
        "let total = await tools.echo(40); const id = crypto.randomUUID(); store('id', id)",
        "const add = (n: number): number => total += n; add(1)",
        "class Account {}; throw new Error('as it should')",
    ] {
        let cell = start(&session, source).await;
        end(&session, &cell).await;
    }
    let id = leave(&elsewhere, session).await;
    (store, id)
}

fn left(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record, Record::VariablesLeft { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_that_cannot_be_taken_up_are_computed_again() {
    let (store, id) = notebook(|_| ()).await;
    let here = provider(&store, Some(HERE));
    let look = "text([add(1), id === load('id'), typeof Account])";
    for (round, expected) in ["[42,true,\"function\"]", "[43,true,\"function\"]"].into_iter().enumerate() {
        let delegate = RecordingDelegate::new();
        let session = here.resume(id.clone(), delegate.clone()).await.unwrap();
        let cell = start(&session, look).await;
        let response = told(&session, &cell).await;
        assert_eq!(response.text(), expected);
        assert_eq!(response.observation().notices, [], "nothing is lost");
        assert!(!delegate.seen().iter().any(|seen| matches!(seen, Seen::Called(..))), "no tool is called");
        leave(&here, session).await;
        // Computed once, kept, and taken up from then on.
        assert_eq!(left(&records(&store, &id).await), 3 + 1 + round + 1);
    }
}

/// The place of the image's id in a snapshot, behind the magic and the version.
const IMAGE: std::ops::Range<usize> = 8..40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_of_another_image_are_computed_again_for_a_look_back_too() {
    let (store, id) = notebook(|_| ()).await;
    let mut blobs = Vec::new();
    for blob in store.blobs(&id).await.unwrap() {
        let mut bytes = store.get_blob(blob).await.unwrap().unwrap().into_bytes().to_vec();
        if bytes.starts_with(b"CRLVM\0") {
            bytes[IMAGE].fill(7);
            let end = bytes.len() - 32;
            let hash = BlobHash::of(&bytes[..end]);
            bytes[end..].copy_from_slice(&hash.0);
            blobs.push((blob, Blob::new(bytes)));
        }
    }
    let change = |record: &mut Record| {
        if let Record::VariablesLeft { blob, signature, .. } = record {
            let other = &blobs.iter().find(|(before, _)| before == blob).unwrap().1;
            (*blob, *signature) = (other.hash(), Some(HERE.sign(other.hash())));
        }
    };
    let others: Vec<_> = blobs.iter().map(|(_, other)| other.clone()).collect();
    let upgraded = forge(&store, &id, change, &others).await;
    let here = provider(&upgraded, Some(HERE));
    let cell = CellId::new("cell-2").unwrap();
    let mut replay = here.recording(&id, &cell).await.unwrap().replay().unwrap();
    while replay.step().await.is_some() {}
    assert_eq!(replay.verdict(), Some(&Verdict::Ended { differences: 0 }));
    let session = here.resume(id.clone(), RecordingDelegate::new()).await.unwrap();
    let cell = start(&session, "text(add(1))").await;
    assert_eq!(end(&session, &cell).await.text(), "42");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_that_are_lost_are_named_once() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = options(&store, Some(ELSEWHERE));
    cut(&mut options);
    let elsewhere = InProcessProvider::new(options).unwrap();
    let session = session(&elsewhere, &delegate, SessionMode::Persistent).await;
    let cell = start(&session, "let total = 1; function add() {}; interface Shape {}").await;
    end(&session, &cell).await;
    until_folded(&store, &session, |fold| fold.variables.is_some()).await;
    let id = leave(&elsewhere, session).await;
    let here = provider(&store, Some(HERE));
    assert!(matches!(
        here.recording(&id, &CellId::new("cell-1").unwrap()).await,
        Err(RecordingError::HistoryCut(_))
    ));
    // Told as soon as there is a cell to tell it with, and not before.
    drop(here.resume(id.clone(), delegate.clone()).await.unwrap());
    let session = here.resume(id.clone(), delegate.clone()).await.unwrap();
    let cell = start(&session, "text(typeof total); let fresh = 1").await;
    let response = told(&session, &cell).await;
    assert_eq!(response.text(), "undefined");
    let [Notice::VariablesLost { names, why }] = &response.observation().notices[..] else {
        panic!("{:?}", response.observation().notices)
    };
    assert_eq!(names, &["add", "total"]);
    assert!(why.contains("not signed with the key") && why.contains("cut off"), "{why}");
    leave(&here, session).await;
    let session = here.resume(id, delegate).await.unwrap();
    let cell = start(&session, "text(fresh)").await;
    let response = told(&session, &cell).await;
    assert_eq!((response.text().as_str(), &response.observation().notices[..]), ("1", &[][..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_imported_from_somebody_who_is_trusted_has_its_variables() {
    let (store, delegate) = (Arc::new(Memory::new()), RecordingDelegate::new());
    let mut options = options(&store, Some(ELSEWHERE));
    cut(&mut options);
    options.folding.part_bytes = 500;
    let elsewhere = InProcessProvider::new(options).unwrap();
    let session = session(&elsewhere, &delegate, SessionMode::Persistent).await;
    let cell = start(&session, "let total = 41").await;
    end(&session, &cell).await;
    until_folded(&store, &session, |fold| fold.variables.is_some()).await;
    let id = leave(&elsewhere, session).await;
    let file = loop {
        let mut file = Vec::new();
        // Its last cut may be under way, and then what is read has a gap.
        if export(&*store, std::slice::from_ref(&id), &mut file).await.is_ok() {
            break file;
        }
        tokio::task::yield_now().await;
    };

    for (is_trusted, shown) in [(true, "42"), (false, "undefined")] {
        let imported = Arc::new(Memory::new());
        if is_trusted {
            import_trusted(&*imported, &mut &*file, Existing::Refuse, &HERE).await.unwrap();
        } else {
            import(&*imported, &mut &*file, Existing::Refuse).await.unwrap();
        }
        assert_eq!(check(&*imported).await.unwrap().faults, []);
        let here = provider(&imported, Some(HERE));
        let session = here.resume(id.clone(), delegate.clone()).await.unwrap();
        let cell = start(&session, "text(typeof total == 'number' ? total + 1 : typeof total)").await;
        let response = told(&session, &cell).await;
        assert_eq!(response.text(), shown);
        assert_eq!(response.observation().notices.is_empty(), is_trusted);
    }
}
