//! What happens to a journal between writing and reading is noticed, and the place is named.
#![expect(clippy::unwrap_used, reason = "a test")]

use bytes::Bytes;
use carrel_contract::SessionId;
use carrel_journal::error::DamageKind;
use carrel_journal::record::{Answer, Record};
use carrel_journal::{Position, Tail};

fn session() -> SessionId {
    SessionId::new("session-1").unwrap()
}

/// Returns a journal of three entries.
fn journal() -> Vec<Bytes> {
    let mut tail = Tail::start(session());
    let answered = |call| Record::Answered {
        cell: 1,
        call,
        answer: Answer::Result("{\"found\":[1,2,3]}".into()),
        now_us: 1_700_000_000_000_000,
    };
    [
        vec![Record::SessionCreated { spec: "{}".into(), created_at_us: 7 }],
        vec![answered(1), answered(2)],
        vec![Record::ControlYielded { cell: 1 }],
    ]
    .iter()
    .map(|records| tail.seal(records).unwrap())
    .collect()
}

/// Reads entries as if they were the whole journal, up to the first fault.
fn read(entries: &[Bytes]) -> Result<usize, (Position, DamageKind)> {
    let mut tail = Tail::start(session());
    let mut records = 0;
    for (position, bytes) in (1..).map(Position).zip(entries) {
        records += tail.read(position, bytes).map_err(|error| (error.position, error.kind))?.len();
    }
    Ok(records)
}

#[test]
fn a_sound_journal_reads() {
    assert_eq!(read(&journal()), Ok(4));
}

#[test]
fn every_flipped_bit_is_noticed_where_it_is() {
    let sound = journal();
    for (entry, bytes) in sound.iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut entries = sound.clone();
            entries[entry] = damaged.into();
            let (position, kind) = read(&entries).unwrap_err();
            assert_eq!(position, Position(entry as u64 + 1), "bit {bit}");
            assert!(matches!(kind, DamageKind::Checksum | DamageKind::Version { .. }), "bit {bit}: {kind}");
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let sound = journal();
    for length in 0..sound[1].len() {
        let entries = [sound[0].clone(), sound[1].slice(..length), sound[2].clone()];
        assert_eq!(read(&entries).unwrap_err().0, Position(2), "cut to {length}");
    }
}

#[test]
fn entries_that_are_missing_repeated_or_exchanged_are_noticed() {
    let e = journal();
    for (entries, at) in [
        (vec![&e[1], &e[2]], 1),
        (vec![&e[0], &e[2]], 2),
        (vec![&e[0], &e[0], &e[1]], 2),
        (vec![&e[1], &e[0], &e[2]], 1),
        (vec![&e[0], &e[2], &e[1]], 2),
    ] {
        let entries: Vec<_> = entries.into_iter().cloned().collect();
        assert_eq!(read(&entries).unwrap_err().0, Position(at));
    }
}

#[test]
fn an_entry_of_another_session_is_noticed() {
    let entry = Tail::start(SessionId::new("session-2").unwrap()).seal(&[]).unwrap();
    assert_eq!(read(&[entry]).unwrap_err(), (Position(1), DamageKind::Checksum));
}

#[test]
fn an_entry_of_another_history_is_noticed() {
    let mut tail = Tail::start(session());
    let other_first = tail.seal(&[Record::ControlYielded { cell: 2 }]).unwrap();
    let other_second = tail.seal(&[]).unwrap();
    assert_eq!(read(&[other_first, other_second.clone()]), Ok(1));
    assert_eq!(read(&[journal()[0].clone(), other_second]).unwrap_err(), (Position(2), DamageKind::Chain));
}

#[test]
fn a_journal_without_its_beginning_reads_on_and_is_written_on() {
    let entries = journal();
    let mut tail = Tail::after(session(), Position(1));
    assert_eq!(tail.seal(&[]), None, "what to chain to is not known yet");
    assert_eq!(tail.read(Position(2), &entries[1]).unwrap().len(), 2);
    assert_eq!(tail.seal(&[Record::ControlYielded { cell: 1 }]).unwrap(), entries[2]);
}

#[test]
fn a_gap_names_what_is_missing() {
    let error = Tail::start(session()).read(Position(2), &journal()[1]).unwrap_err();
    assert_eq!(error.kind, DamageKind::Missing { expected: Position(1) });
    assert!(error.to_string().contains("session-1"), "{error}");
}
