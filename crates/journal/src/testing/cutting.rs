//! Cutting off the beginning of a journal.

use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;

use super::{entry, read_all, session};
use crate::error::{AppendError, CompactError};
use crate::{Blob, Cut, Head, Position, Record, Store, Tail};

fn before(position: u64) -> Cut {
    Cut { before: Position(position), blobs: Vec::new() }
}

pub fn a_cut_keeps_positions_and_the_last_entry(store: Arc<dyn Store>) {
    let id = session("s");
    let entries: Vec<_> = (1..=5).map(|n| entry(&n.to_string())).collect();
    let last = block_on(store.append(&id, Position::START, entries)).unwrap();
    let positions = || read_all(&store, &id).iter().map(|(position, _)| position.0).collect::<Vec<_>>();
    block_on(store.compact(&id, last, before(0))).unwrap();
    assert_eq!(positions(), [1, 2, 3, 4, 5]);
    block_on(store.compact(&id, last, before(3))).unwrap();
    assert_eq!(positions(), [3, 4, 5]);
    let page = block_on(store.read(&id, Position(1), 1)).unwrap();
    assert_eq!(page.head, Head { first: Position(3), last: Position(5) });
    assert_eq!(page.entries, [(Position(3), entry("3"))], "a reader before the cut begins behind it");
    block_on(store.compact(&id, last, before(2))).unwrap();
    assert_eq!(positions(), [3, 4, 5], "what is cut is cut");
    block_on(store.compact(&id, last, before(99))).unwrap();
    assert_eq!(positions(), [5]);
    assert!(matches!(
        block_on(store.append(&id, Position::START, vec![entry("x")])),
        Err(AppendError::Conflict { actual: Position(5), .. })
    ));
    assert_eq!(block_on(store.append(&id, last, vec![entry("6")])).unwrap(), Position(6));
    assert_eq!(positions(), [5, 6]);
    block_on(store.compact(&session("none"), Position::START, before(9))).unwrap();
}

pub fn a_cut_keeps_the_blobs_it_is_told_to(store: Arc<dyn Store>) {
    let (id, other) = (session("s"), session("other"));
    let [old, new, shared] = [&b"old"[..], b"new", b"shared"].map(Blob::new);
    for blob in [&old, &new, &shared] {
        block_on(store.put_blob(&id, blob.clone())).unwrap();
    }
    block_on(store.put_blob(&other, shared.clone())).unwrap();
    let last = block_on(store.append(&id, Position::START, vec![entry("a"), entry("b")])).unwrap();
    let cut = Cut { before: Position(2), blobs: vec![new.hash(), Blob::new(&b"never put"[..]).hash()] };
    block_on(store.compact(&id, last, cut)).unwrap();
    let is_there = |blob: &Blob| block_on(store.get_blob(blob.hash())).unwrap().is_some();
    assert!(!is_there(&old) && is_there(&new) && is_there(&shared));
    assert_eq!(block_on(store.blobs(&id)).unwrap(), [new.hash()]);
    assert_eq!(block_on(store.blobs(&other)).unwrap(), [shared.hash()]);
}

pub fn a_cut_of_an_old_owner_is_refused(store: Arc<dyn Store>) {
    let id = session("s");
    let blob = Blob::new(&b"blob"[..]);
    block_on(store.put_blob(&id, blob.clone())).unwrap();
    block_on(store.append(&id, Position::START, vec![entry("a"), entry("b")])).unwrap();
    let refused = block_on(store.compact(&id, Position(1), before(2))).unwrap_err();
    assert_eq!(refused, CompactError::Conflict { expected: Position(1), actual: Position(2) });
    assert_eq!(read_all(&store, &id).len(), 2);
    assert!(block_on(store.get_blob(blob.hash())).unwrap().is_some());
}

pub fn a_journal_that_was_cut_can_be_checked_and_written_on(store: Arc<dyn Store>) {
    let mut tail = Tail::start(session("s"));
    let entries: Vec<Bytes> =
        (1..=10).map(|cell| tail.seal(&[Record::ControlYielded { cell }]).unwrap()).collect();
    let last = block_on(store.append(tail.session(), Position::START, entries)).unwrap();
    block_on(store.compact(tail.session(), last, before(7))).unwrap();

    let read_on = || {
        let id = session("s");
        let first = block_on(store.head(&id)).unwrap().unwrap().first;
        let mut tail = Tail::after(id.clone(), Position(first.0 - 1));
        let records: Vec<_> = read_all(&store, &id)
            .iter()
            .flat_map(|(position, bytes)| tail.read(*position, bytes).unwrap())
            .collect();
        (tail, records)
    };
    let (mut tail, records) = read_on();
    assert_eq!(records, [7, 8, 9, 10].map(|cell| Record::ControlYielded { cell }));
    let next = tail.seal(&[Record::ControlYielded { cell: 11 }]).unwrap();
    block_on(store.append(tail.session(), last, vec![next])).unwrap();
    assert_eq!(read_on().1.len(), 5);
}
