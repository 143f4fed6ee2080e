//! The SQLite store and the one in memory do the same, whatever is asked of them in whatever order.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::{Blob, Cut, Lease, Memory, Owner, Position, Sqlite, Store};
use futures::executor::block_on;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::{prop_oneof, proptest};

#[derive(Clone, Debug)]
enum Ask {
    Append { session: u8, expected: Expected, lengths: Vec<u16> },
    Read { session: u8, after: u64, max_bytes: u16 },
    Cut { session: u8, expected: Expected, before: u64, blobs: Vec<u8> },
    PutBlob { session: u8, blob: u8 },
    Acquire { session: u8, owner: u8, now_us: u16 },
    Renew { session: u8, owner: u8, epoch: u8, now_us: u16 },
    Release { session: u8, owner: u8, epoch: u8 },
    Delete { session: u8 },
    Reopen,
}

/// The last position, or perhaps another.
#[derive(Clone, Debug)]
enum Expected {
    Last,
    Some(u64),
}

fn ask() -> impl Strategy<Value = Ask> {
    let session = 0..3_u8;
    let expected = || prop_oneof![4 => proptest::prelude::Just(Expected::Last), 1 => (0..20_u64).prop_map(Expected::Some)];
    prop_oneof![
        6 => (session.clone(), expected(), vec(0..3000_u16, 0..4))
            .prop_map(|(session, expected, lengths)| Ask::Append { session, expected, lengths }),
        2 => (session.clone(), 0..20_u64, any::<u16>())
            .prop_map(|(session, after, max_bytes)| Ask::Read { session, after, max_bytes }),
        2 => (session.clone(), expected(), 0..20_u64, vec(0..5_u8, 0..3))
            .prop_map(|(session, expected, before, blobs)| Ask::Cut { session, expected, before, blobs }),
        2 => (session.clone(), 0..5_u8).prop_map(|(session, blob)| Ask::PutBlob { session, blob }),
        2 => (session.clone(), 0..3_u8, 0..500_u16)
            .prop_map(|(session, owner, now_us)| Ask::Acquire { session, owner, now_us }),
        1 => (session.clone(), 0..3_u8, 0..6_u8, 0..500_u16)
            .prop_map(|(session, owner, epoch, now_us)| Ask::Renew { session, owner, epoch, now_us }),
        1 => (session.clone(), 0..3_u8, 0..6_u8)
            .prop_map(|(session, owner, epoch)| Ask::Release { session, owner, epoch }),
        1 => session.prop_map(|session| Ask::Delete { session }),
        1 => proptest::prelude::Just(Ask::Reopen),
    ]
}

fn session(number: u8) -> SessionId {
    SessionId::new(&format!("session-{number}")).unwrap()
}

fn blob(number: u8) -> Blob {
    Blob::new(vec![number; 1000 * usize::from(number)])
}

fn lease(owner: u8, epoch: u8) -> Lease {
    let owner = Owner::new(&format!("owner-{owner}")).unwrap();
    Lease { owner, epoch: epoch.into(), until_us: 0 }
}

/// Asks, and returns what a caller sees of the answer.
fn answer(store: &dyn Store, ask: &Ask) -> String {
    const TTL: Duration = Duration::from_micros(100);
    let last = |session: &SessionId, expected: &Expected| match expected {
        Expected::Some(position) => Position(*position),
        Expected::Last => block_on(store.head(session)).unwrap().map_or(Position::START, |head| head.last),
    };
    match ask {
        Ask::Append { session: id, expected, lengths } => {
            let id = session(*id);
            let fill = |length: &u16| Bytes::from(vec![(*length % 251) as u8; usize::from(*length)]);
            let entries = lengths.iter().map(fill).collect();
            format!("{:?}", block_on(store.append(&id, last(&id, expected), entries)))
        }
        Ask::Read { session: id, after, max_bytes } => {
            format!("{:?}", block_on(store.read(&session(*id), Position(*after), usize::from(*max_bytes))))
        }
        Ask::Cut { session: id, expected, before, blobs } => {
            let id = session(*id);
            let blobs = blobs.iter().map(|number| blob(*number).hash()).collect();
            let cut = Cut { before: Position(*before), blobs };
            format!("{:?}", block_on(store.compact(&id, last(&id, expected), cut)))
        }
        Ask::PutBlob { session: id, blob: number } => {
            format!("{:?}", block_on(store.put_blob(&session(*id), blob(*number))))
        }
        Ask::Acquire { session: id, owner, now_us } => {
            let owner = lease(*owner, 0).owner;
            format!("{:?}", block_on(store.acquire(&session(*id), &owner, TTL, (*now_us).into())))
        }
        Ask::Renew { session: id, owner, epoch, now_us } => {
            let lease = lease(*owner, *epoch);
            format!("{:?}", block_on(store.renew(&session(*id), &lease, TTL, (*now_us).into())))
        }
        Ask::Release { session: id, owner, epoch } => {
            format!("{:?}", block_on(store.release(&session(*id), &lease(*owner, *epoch))))
        }
        Ask::Delete { session: id } => format!("{:?}", block_on(store.delete(&session(*id)))),
        Ask::Reopen => String::new(),
    }
}

/// Returns everything that can be read.
fn contents(store: &dyn Store) -> String {
    let mut text = format!("{:?}", block_on(store.list(None, 100)));
    for number in 0..5 {
        let id = session(number);
        let page = block_on(store.read(&id, Position::START, usize::MAX));
        let kept = block_on(store.get_blob(blob(number).hash())).map(|blob| blob.is_some());
        let (head, blobs) = (block_on(store.head(&id)), block_on(store.blobs(&id)));
        text.push_str(&format!("\n{id}: {page:?} {head:?} {blobs:?}; blob {number}: {kept:?}"));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn both_stores_do_the_same(asks in vec(ask(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("carrel.db");
        let memory = Memory::new();
        let mut sqlite = Sqlite::open(&path).unwrap();
        for ask in &asks {
            if matches!(ask, Ask::Reopen) {
                drop(sqlite);
                sqlite = Sqlite::open(&path).unwrap();
            }
            assert_eq!(answer(&sqlite, ask), answer(&memory, ask), "{ask:?}");
        }
        assert_eq!(contents(&sqlite), contents(&memory));
    }
}
