//! Hostile bytes as a journal: whatever they are, reading them gives records or an error that names the place. What is read
//! can be written, and reads as the same.
#![no_main]

use carrel_contract::SessionId;
use carrel_journal::{Chain, Position, Tail, entry};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let session = SessionId::new("fuzz").expect("an id");
    // As they are, and sealed, so that they reach the decoder.
    drop(Tail::start(session.clone()).read(Position(1), bytes));
    let (sealed, _) = entry::seal_encoded(&session, Position(1), Chain::START, bytes);
    if let Ok(records) = Tail::start(session.clone()).read(Position(1), &sealed) {
        let again = Tail::start(session.clone()).seal(&records).expect("the start is known");
        let read = Tail::start(session).read(Position(1), &again).expect("it was just written");
        assert_eq!(read, records);
    }
});
