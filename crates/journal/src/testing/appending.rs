//! Appending and reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use futures::executor::block_on;

use super::{entry, read_all, session};
use crate::error::AppendError;
use crate::{Head, MAX_APPEND_BYTES, MAX_ENTRY_BYTES, Page, Position, Record, Store, Tail};

pub fn a_session_begins_with_its_first_append(store: Arc<dyn Store>) {
    let id = session("s");
    assert_eq!(block_on(store.head(&id)).unwrap(), None);
    assert_eq!(block_on(store.read(&id, Position::START, 100)).unwrap(), Page::default());
    assert_eq!(block_on(store.append(&id, Position::START, Vec::new())).unwrap(), Position::START);
    assert_eq!(block_on(store.head(&id)).unwrap(), None, "nothing was appended");
    assert_eq!(block_on(store.append(&id, Position::START, vec![entry("a")])).unwrap(), Position(1));
    let head = Head { first: Position(1), last: Position(1) };
    assert_eq!(block_on(store.head(&id)).unwrap(), Some(head));
    let page = block_on(store.read(&id, Position::START, 100)).unwrap();
    assert_eq!(page, Page { entries: vec![(Position(1), entry("a"))], head });
}

pub fn an_append_that_expects_another_position_appends_nothing(store: Arc<dyn Store>) {
    let id = session("s");
    let conflict = |expected, actual| AppendError::Conflict { expected, actual };
    let refused = block_on(store.append(&id, Position(1), vec![entry("x")])).unwrap_err();
    assert_eq!(refused, conflict(Position(1), Position::START));
    block_on(store.append(&id, Position::START, vec![entry("a"), entry("b")])).unwrap();
    for wrong in [0, 1, 3, u64::MAX].map(Position) {
        for entries in [vec![entry("x")], Vec::new()] {
            let refused = block_on(store.append(&id, wrong, entries)).unwrap_err();
            assert_eq!(refused, conflict(wrong, Position(2)));
        }
    }
    assert_eq!(read_all(&store, &id), [(Position(1), entry("a")), (Position(2), entry("b"))]);
}

pub fn an_append_takes_all_its_entries_or_none(store: Arc<dyn Store>) {
    let id = session("s");
    let entries: Vec<_> = (0..100).map(|n| entry(&format!("entry {n}"))).collect();
    assert_eq!(block_on(store.append(&id, Position::START, entries.clone())).unwrap(), Position(100));
    block_on(store.append(&id, Position(99), entries.clone())).unwrap_err();
    let read: Vec<_> = read_all(&store, &id).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(read, entries);
}

pub fn entries_come_back_byte_by_byte(store: Arc<dyn Store>) {
    let id = session("s");
    let all_bytes: Vec<u8> = (0..=255).collect();
    let entries =
        [Bytes::new(), Bytes::from(all_bytes), Bytes::from(vec![0; 100_000]), Bytes::from_static(b"\xff")];
    block_on(store.append(&id, Position::START, entries.to_vec())).unwrap();
    let read: Vec<_> = read_all(&store, &id).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(read, entries);
}

pub fn appends_happen_in_the_order_of_the_calls(store: Arc<dyn Store>) {
    let id = session("s");
    let asked: Vec<_> =
        (0..200).map(|n| store.append(&id, Position(n), vec![entry(&n.to_string())])).collect();
    for (append, n) in asked.into_iter().zip(0_u64..).collect::<Vec<_>>().into_iter().rev() {
        assert_eq!(block_on(append).unwrap(), Position(n + 1));
    }
    for (n, (position, bytes)) in (0..).zip(read_all(&store, &id)) {
        assert_eq!((position, bytes), (Position(n + 1), entry(&n.to_string())));
    }
}

pub fn of_appends_that_race_one_wins_each_position(store: Arc<dyn Store>) {
    const THREADS: i64 = 8;
    const EACH: i64 = 20;
    let id = session("s");
    let won: Vec<_> = thread::scope(|scope| {
        let racers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let store = &store;
                    move || race(store, thread, EACH)
                })
            })
            .collect();
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    // Read as one journal: what each racer chained its entries to was the entry before.
    let mut tail = Tail::start(id.clone());
    let mut seen = Vec::new();
    for (position, bytes) in read_all(&store, &id) {
        let records = tail.read(position, &bytes).unwrap();
        let [Record::TimerCleared { cell, timer }] = records[..] else { panic!("{records:?}") };
        seen.push((position, cell, timer));
    }
    let mut won = won;
    won.sort_unstable();
    assert_eq!(seen, won);
}

fn race(store: &Arc<dyn Store>, thread: i64, each: i64) -> Vec<(Position, u64, i64)> {
    let mut tail = Tail::start(session("s"));
    let mut won = Vec::new();
    for timer in 0..each {
        loop {
            let page = block_on(store.read(tail.session(), tail.position(), 1 << 20)).unwrap();
            for (position, bytes) in page.entries {
                tail.pass(position, &bytes).unwrap();
            }
            let cell = thread.unsigned_abs();
            let sealed = tail.clone().seal(&[Record::TimerCleared { cell, timer }]).unwrap();
            match block_on(store.append(tail.session(), tail.position(), vec![sealed])) {
                Ok(position) => break won.push((position, cell, timer)),
                Err(AppendError::Conflict { expected, actual }) => {
                    assert_eq!(expected, tail.position());
                    assert!(actual > expected);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    won
}

pub fn a_reader_sees_a_growing_prefix_while_others_append(store: Arc<dyn Store>) {
    const ENTRIES: u64 = 300;
    let id = session("s");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..ENTRIES {
                block_on(store.append(&id, Position(n), vec![entry(&n.to_string())])).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut acknowledged = Position::START;
        loop {
            let was_done = done.load(Ordering::SeqCst);
            let page = block_on(store.read(&id, Position::START, usize::MAX)).unwrap();
            for (n, (position, bytes)) in (0..).zip(&page.entries) {
                assert_eq!((*position, bytes), (Position(n + 1), &entry(&n.to_string())));
            }
            let last = page.entries.last().map_or(Position::START, |(last, _)| *last);
            assert_eq!(page.head.last, last, "entries and head are of one moment");
            assert!(last >= acknowledged, "what was seen stays");
            acknowledged = last;
            if was_done {
                break assert_eq!(last, Position(ENTRIES));
            }
        }
    });
}

pub fn many_sessions_append_at_once(store: Arc<dyn Store>) {
    thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..25 {
                    for name in ["a", "b"] {
                        let id = session(&format!("{name}-{thread}"));
                        let bytes = entry(&format!("{id} {n}"));
                        assert_eq!(
                            block_on(store.append(&id, Position(n), vec![bytes])).unwrap(),
                            Position(n + 1)
                        );
                    }
                }
            });
        }
    });
    let sessions = block_on(store.list(None, 100)).unwrap();
    assert_eq!(sessions.len(), 16);
    for id in sessions {
        let read: Vec<_> = read_all(&store, &id).into_iter().map(|(_, bytes)| bytes).collect();
        let written: Vec<_> = (0..25).map(|n| entry(&format!("{id} {n}"))).collect();
        assert_eq!(read, written);
    }
}

pub fn a_page_is_bounded_and_never_empty_before_the_end(store: Arc<dyn Store>) {
    let id = session("s");
    let entries: Vec<_> = [10, 20, 30, 40].map(|length| Bytes::from(vec![7; length])).to_vec();
    block_on(store.append(&id, Position::START, entries)).unwrap();
    let lengths = |after, max_bytes| -> Vec<_> {
        let page = block_on(store.read(&id, after, max_bytes)).unwrap();
        assert_eq!(page.head, Head { first: Position(1), last: Position(4) });
        page.entries.iter().map(|(position, bytes)| (position.0, bytes.len())).collect()
    };
    assert_eq!(lengths(Position::START, 0), [(1, 10)]);
    assert_eq!(lengths(Position::START, 29), [(1, 10)]);
    assert_eq!(lengths(Position::START, 30), [(1, 10), (2, 20)]);
    assert_eq!(lengths(Position(1), 50), [(2, 20), (3, 30)]);
    assert_eq!(lengths(Position(3), 1), [(4, 40)]);
    assert_eq!(lengths(Position(4), 100), []);
    assert_eq!(lengths(Position(u64::MAX), 100), []);
}

pub fn entries_over_a_bound_are_refused(store: Arc<dyn Store>) {
    let id = session("s");
    let of = |bytes| Bytes::from(vec![1; bytes]);
    let first = block_on(store.append(&id, Position::START, vec![of(1)])).unwrap();
    for (entries, is_too_large) in [
        (vec![of(MAX_ENTRY_BYTES + 1)], MAX_ENTRY_BYTES + 1),
        (
            vec![of(MAX_ENTRY_BYTES); MAX_APPEND_BYTES / MAX_ENTRY_BYTES + 1],
            MAX_APPEND_BYTES + MAX_ENTRY_BYTES,
        ),
    ] {
        match block_on(store.append(&id, first, entries)).unwrap_err() {
            AppendError::TooLarge { bytes, .. } => assert_eq!(bytes, is_too_large),
            error => panic!("{error}"),
        }
    }
    assert_eq!(block_on(store.head(&id)).unwrap(), Some(Head { first, last: first }));
    let most = vec![of(MAX_ENTRY_BYTES); MAX_APPEND_BYTES / MAX_ENTRY_BYTES];
    let last = block_on(store.append(&id, first, most.clone())).unwrap();
    assert_eq!(last, Position(1 + most.len() as u64));
}

pub fn a_session_may_begin_with_more_than_an_append_takes(store: Arc<dyn Store>) {
    let id = session("s");
    let entry = Bytes::from(vec![1; MAX_ENTRY_BYTES]);
    let whole = vec![entry; MAX_APPEND_BYTES / MAX_ENTRY_BYTES + 1];
    let last = block_on(store.append(&id, Position::START, whole.clone())).unwrap();
    assert_eq!(last, Position(whole.len() as u64));
    let mut over = whole;
    over.push(Bytes::from(vec![1; MAX_ENTRY_BYTES + 1]));
    let refused = block_on(store.append(&session("other"), Position::START, over)).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { what: "an entry", .. }), "{refused}");
    assert_eq!(block_on(store.head(&session("other"))).unwrap(), None);
}

pub fn a_dropped_append_leaves_the_journal_whole(store: Arc<dyn Store>) {
    let id = session("s");
    let mut last = Position::START;
    for n in 0..50 {
        // It happens or not, and whoever wants to know reads.
        drop(store.append(&id, last, vec![entry(&format!("dropped {n}"))]));
        last = loop {
            let now = block_on(store.head(&id)).unwrap().map_or(Position::START, |head| head.last);
            match block_on(store.append(&id, now, vec![entry(&format!("kept {n}"))])) {
                Ok(last) => break last,
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        };
    }
    let read = read_all(&store, &id);
    assert_eq!(read.len() as u64, last.0);
    for n in 0..50 {
        assert_eq!(read.iter().filter(|(_, bytes)| *bytes == entry(&format!("kept {n}"))).count(), 1);
        assert!(read.iter().filter(|(_, bytes)| *bytes == entry(&format!("dropped {n}"))).count() <= 1);
    }
}
