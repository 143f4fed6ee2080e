//! Records survive being written and read, by this build and by all later ones.
//!
//! `tests/corpus/v1` holds entries as version 1 wrote them, each beside what it says. They are written once, by
//! `CARREL_BLESS=1 cargo nextest run -p carrel-journal --test codec`, which adds what is missing and changes nothing that is there.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use carrel_contract::SessionId;
use carrel_journal::error::DamageKind;
use carrel_journal::fold::{self, Fold, InvalidFold};
use carrel_journal::record::{
    Answer, CellFailure, Level, Outcome, Output, Record, Termination, ToolFailure, Usage, Value,
};
use carrel_journal::{BlobHash, Chain, Position, Signature, Tail, entry};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::{option, prop_oneof, proptest};

fn session() -> SessionId {
    SessionId::new("corpus").unwrap()
}

fn hash(byte: u8) -> BlobHash {
    BlobHash([byte; 32])
}

/// Returns what the corpus holds: every record with every variant, by the name of its file.
fn corpus() -> Vec<(&'static str, Record)> {
    let blob = || Value::Blob { hash: hash(9), bytes: 70_000 };
    let failure = || CellFailure {
        kind: "thrown".into(),
        name: "TypeError".into(),
        message: "x is not a function".into(),
        stack: "    at cell.js:1:1".into(),
        location: Some((1, 1)),
        excerpt: Some("1 | throw 1".into()),
    };
    let ended = |outcome, refused: &[&str]| Record::CellEnded {
        cell: 2,
        outcome,
        refused: refused.iter().map(|key| (*key).to_owned()).collect(),
        usage: Usage { cpu_us: 1500, elapsed_us: 2_000_000, tool_calls: 3 },
        ended_at_us: 1_790_000_000_000_000,
    };
    let answered = |answer| Record::Answered { cell: 1, call: 4, answer, now_us: 1_790_000_000_000_001 };
    let output = |content| Record::Output { cell: 1, content };
    vec![
        (
            "session-created",
            Record::SessionCreated {
                spec: "{\"mode\":\"fresh\"}".into(),
                created_at_us: 1_790_000_000_000_000,
            },
        ),
        ("adopted", Record::Adopted { epoch: 3, owner: "host-1 pid 77".into(), at_us: 5 }),
        (
            "cell-admitted",
            Record::CellAdmitted {
                cell: 1,
                source: "text('hi')".into(),
                seed: u64::MAX,
                at_us: -1,
                key: None,
            },
        ),
        (
            "cell-admitted-under-a-key",
            Record::CellAdmitted {
                cell: 1,
                source: "text('hi')".into(),
                seed: 0,
                at_us: 1_790_000_000_000_000,
                key: Some("req-7".into()),
            },
        ),
        ("cell-begun", Record::CellBegun { cell: 1, code: None, now_us: 0 }),
        ("cell-begun-with-other-code", Record::CellBegun { cell: 1, code: Some(blob()), now_us: i64::MAX }),
        (
            "tool-called",
            Record::ToolCalled {
                cell: 1,
                call: 4,
                call_id: "call-1".into(),
                tool: "echo".into(),
                input: Some("{\"a\":1}".into()),
                repeatable: true,
            },
        ),
        (
            "tool-called-without-input",
            Record::ToolCalled {
                cell: 1,
                call: i64::MIN,
                call_id: "call-2".into(),
                tool: "now".into(),
                input: None,
                repeatable: false,
            },
        ),
        ("answered", answered(Answer::Result("[1,2,3]".into()))),
        ("answered-in-a-blob", answered(Answer::Result(blob()))),
        (
            "answered-with-a-failure",
            answered(Answer::Failed(ToolFailure {
                message: "no such file".into(),
                code: "failed".into(),
                retryable: true,
                data: Some("{}".into()),
            })),
        ),
        ("timer-set", Record::TimerSet { cell: 1, timer: 2, due_us: 3 }),
        ("timer-cleared", Record::TimerCleared { cell: 1, timer: 2 }),
        ("timer-fired", Record::TimerFired { cell: 1, timer: 2, now_us: 3 }),
        ("output-text", output(Output::Text { text: "grüß dich \u{1F600}".into(), level: None })),
        ("output-of-the-console", output(Output::Text { text: "".into(), level: Some(Level::Error) })),
        ("output-image", output(Output::Image { data: blob(), mime_type: "image/png".into() })),
        ("output-audio", output(Output::Audio { data: "UklGRg==".into(), mime_type: "audio/wav".into() })),
        ("output-image-url", output(Output::ImageUrl { url: blob(), detail: "high".into() })),
        ("output-audio-url", output(Output::AudioUrl { url: "data:audio/wav;base64,UklGRg==".into() })),
        ("output-block", output(Output::Block { json: "{\"type\":\"resource\"}".into() })),
        ("notified", Record::Notified { cell: 1, notification: 1, text: "half way".into() }),
        ("notify-delivered", Record::NotifyDelivered { cell: 1, notification: 1 }),
        ("control-yielded", Record::ControlYielded { cell: u64::MAX }),
        ("warned", Record::Warned { cell: 1, text: "an unhandled rejection".into() }),
        ("unstored", Record::Unstored { cell: 1, keys: "[\"a\",\"b\"]".into() }),
        ("stored", Record::Stored { cell: 1, key: "".into(), value: "[null]".into() }),
        (
            "cell-ended",
            ended(
                Outcome::Completed {
                    result: Some("42".into()),
                    failure: None,
                    warnings: vec!["of this".into()],
                },
                &["too-much", ""],
            ),
        ),
        (
            "cell-ended-with-an-error",
            ended(
                Outcome::Completed { result: None, failure: Some(Box::new(failure())), warnings: vec![] },
                &[],
            ),
        ),
        (
            "cell-ended-by-request",
            ended(
                Outcome::Terminated { reason: Termination::Requested, abandoned: vec!["call-7".into()] },
                &[],
            ),
        ),
        (
            "cell-ended-by-shutdown",
            ended(Outcome::Terminated { reason: Termination::Shutdown, abandoned: vec![] }, &[]),
        ),
        (
            "cell-ended-by-its-limit",
            ended(
                Outcome::Terminated {
                    reason: Termination::CpuTime { limit_us: 30_000_000 },
                    abandoned: vec![],
                },
                &[],
            ),
        ),
        ("asked", Record::Asked { cell: 1, call: 2, question: "{\"Search\":{}}".into() }),
        ("tools-set", Record::ToolsSet { tools: "[]".into() }),
        (
            "tool-progressed",
            Record::ToolProgressed { cell: 1, call_id: "call-1".into(), percent: Some(40), message: None },
        ),
        (
            "person-awaited",
            Record::PersonAwaited {
                cell: 1,
                call_id: "call-1".into(),
                question: "may I?".into(),
                decides: None,
            },
        ),
        (
            "person-decides",
            Record::PersonAwaited {
                cell: 1,
                call_id: "call-1".into(),
                question: "may I?".into(),
                decides: Some(true),
            },
        ),
        ("person-answered", Record::PersonAnswered { cell: 1, call_id: "call-1".into(), leaves: None }),
        ("person-refused", Record::PersonAnswered { cell: 1, call_id: "call-1".into(), leaves: Some(false) }),
        (
            "snapshot-taken",
            Record::SnapshotTaken {
                cell: 1,
                blob: hash(2),
                memory: hash(3),
                inputs: 10,
                effects: 20,
                image: hash(4),
                signature: None,
            },
        ),
        (
            "snapshot-taken-signed",
            Record::SnapshotTaken {
                cell: 1,
                blob: hash(2),
                memory: hash(3),
                inputs: 10,
                effects: 20,
                image: hash(4),
                signature: Some(Signature([5; 32])),
            },
        ),
        ("checkpoint", Record::Checkpoint { cell: 1, memory: hash(3), inputs: 10, image: hash(4) }),
        ("variables-left", Record::VariablesLeft { cell: 1, blob: hash(2), signature: None, names: None }),
        (
            "variables-left-signed",
            Record::VariablesLeft {
                cell: 1,
                blob: hash(2),
                signature: Some(Signature([5; 32])),
                names: Some(vec!["total".into(), "größe".into()]),
            },
        ),
        (
            "variables-lost",
            Record::VariablesLost { names: vec!["total".into()], why: "another build".into() },
        ),
        ("forked", Record::Forked { origin: "session-1".into(), at: 12, at_us: 1_790_000_000_000_000 }),
        ("folded", Record::Folded { lag: 3, blob: hash(2), blobs: vec![hash(5), hash(6)], bytes: 70_000 }),
        ("reader-moved", Record::ReaderMoved { cell: 1, cursor: 100 }),
    ]
}

/// Each record of the corpus is an entry of its own, at position 1 of a journal.
#[test]
fn every_version_of_the_corpus_reads() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/v1");
    let bless = std::env::var_os("CARREL_BLESS").is_some();
    for (name, record) in corpus() {
        let file = folder.join(name).with_extension("entry");
        let (written, _) = entry::seal(&session(), Position(1), Chain::START, std::slice::from_ref(&record));
        if bless && !file.exists() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &written).unwrap();
        }
        let kept = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let read = Tail::start(session()).read(Position(1), &kept).unwrap();
        assert_eq!(read, [record], "{name}");
    }
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, corpus().len(), "each file of the corpus is read here");
}

/// A fold of everything that one of the first builds could have.
fn first_fold() -> Fold {
    let blob = || Value::Blob { hash: hash(9), bytes: 700_000 };
    let stored = |key: &str, value| fold::Stored { key: key.into(), value };
    Fold {
        spec: "{\"mode\":\"fresh\"}".into(),
        now_us: 1_790_000_000_000_000,
        tools: vec!["[]".into(), blob()],
        current_tools: 1,
        stored: vec![stored("a", Some("1".into())), stored("b", Some(blob()))],
        variables: Some(hash(1)),
        earlier: vec![fold::Declared { source: "let a = 1".into(), completed: true }],
        last: 9,
        newest_cell: 2,
        outputs: vec![
            fold::Item { seq: 3, content: Output::Text { text: "hi".into(), level: Some(Level::Warn) } },
            fold::Item { seq: 4, content: Output::Image { data: blob(), mime_type: "image/png".into() } },
        ],
        events: vec![
            fold::Event { seq: 8, cell: 2, kind: None },
            fold::Event { seq: 9, cell: 2, kind: Some("{\"event\":\"control_yielded\"}".into()) },
        ],
        cells: vec![fold::Cell {
            cell: 1,
            admitted_at_us: -1,
            text: fold::Window {
                head: vec![3],
                tail: vec![8],
                tail_pushed: 20,
                dropped: 10,
                last_dropped: 7,
                places: vec![(5, 6)],
            },
            media: fold::Window { head: vec![4], ..fold::Window::default() },
            last: (9, 8, 7),
            read_up_to: 5,
            ended: Some(fold::Ended {
                outcome: Outcome::Completed {
                    result: Some("1".into()),
                    failure: None,
                    warnings: vec!["w".into()],
                },
                seq: 9,
                at_us: 5,
                usage: Usage { cpu_us: 1, elapsed_us: 2, tool_calls: 3 },
                first_read_after: Some(0),
                was_read: true,
            }),
            key: None,
            lost: None,
        }],
        running: vec![fold::Running {
            cell: 2,
            source: "text(1 as number)".into(),
            code: Some("text(1          )".into()),
            seed: u64::MAX,
            tools: 0,
            stored: vec![stored("b", None)],
            begun_us: Some(4),
            clock_us: 6,
            saved: Some(fold::Saved { blob: hash(2), memory: hash(3), image: hash(4), signature: None }),
            inputs: vec![
                fold::Input::Answered { call: 1, json: "2".into(), now_us: 5 },
                fold::Input::Failed { call: 2, json: "{}".into(), now_us: 5 },
                fold::Input::TimerFired { timer: 3, now_us: 6 },
            ],
            done: fold::Done { count: 70_000, warned: 2, digest: hash(5) },
            checkpoints: vec![(2, hash(6), hash(4))],
            counts: (3, 70_100),
            calls: vec![fold::Call {
                handle: 4,
                call_id: "call-3".into(),
                tool: "echo".into(),
                input: Some("[]".into()),
                repeatable: true,
                unsent: None,
            }],
            questions: vec![(5, "{}".into())],
            timers: vec![(6, 7)],
            undelivered: vec![(1, "hello".into())],
            writes: vec![stored("c", Some("3".into()))],
            warnings: vec!["careful".into()],
            calls_made: 3,
            notified: 1,
            left: None,
        }],
        variables_signature: None,
        names: None,
        lost: None,
    }
}

/// The same, with the keys of its cells.
fn fold_with_keys() -> Fold {
    let mut fold = first_fold();
    for cell in &mut fold.cells {
        cell.key = Some(fold::Key { key: "req-7".into(), source: hash(7) });
    }
    fold
}

/// The same, with what came with signatures.
fn signed_fold() -> Fold {
    let mut fold = fold_with_keys();
    fold.variables_signature = Some(Signature([5; 32]));
    fold.names = Some(vec!["total".into()]);
    fold.lost = Some(fold::Lost { names: vec!["x".into()], why: "another build".into() });
    for saved in fold.running.iter_mut().filter_map(|cell| cell.saved.as_mut()) {
        saved.signature = Some(Signature([6; 32]));
    }
    for cell in &mut fold.running {
        cell.calls.iter_mut().for_each(|call| call.unsent = Some(true));
        cell.left =
            Some(fold::Left { blob: hash(8), signature: Some(Signature([8; 32])), names: vec!["y".into()] });
    }
    fold
}

/// A fold of everything that one can have.
fn fold() -> Fold {
    let mut fold = signed_fold();
    for cell in &mut fold.cells {
        cell.lost = Some(fold::Lost { names: vec!["z".into()], why: "another key".into() });
    }
    fold
}

#[test]
fn every_version_of_the_folds_reads() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for (name, fold) in [
        ("fold-1", first_fold()),
        ("fold-1-keys", fold_with_keys()),
        ("fold-1-signed", signed_fold()),
        ("fold-1-lost", fold()),
    ] {
        let file = folder.join(name);
        if std::env::var_os("CARREL_BLESS").is_some() && !file.exists() {
            fs::write(&file, fold.to_bytes()).unwrap();
        }
        let kept = fs::read(&file).unwrap();
        assert_eq!(Fold::from_bytes(&kept), Ok(fold), "{name}");
    }
    assert_eq!(fold().blobs(), [hash(1), hash(2), hash(8), hash(9)]);
    let kept = fold().to_bytes();
    let mut newer = kept.clone();
    newer[0] = fold::VERSION + 1;
    assert!(matches!(Fold::from_bytes(&newer), Err(InvalidFold::Newer { .. })));
    for length in 0..kept.len() {
        assert!(Fold::from_bytes(&kept[..length]).is_err(), "cut to {length} bytes");
    }
}

/// The number of the record in an entry of one.
fn number(bytes: &[u8]) -> u32 {
    let mut decoder = minicbor::Decoder::new(bytes.get(1 + Chain::BYTES..).unwrap());
    decoder.array().unwrap();
    decoder.u32().unwrap()
}

#[test]
fn every_record_is_in_the_corpus() {
    let seal = |record| entry::seal(&session(), Position(1), Chain::START, &[record]).0;
    let numbers: BTreeSet<_> = corpus().into_iter().map(|(_, record)| number(&seal(record))).collect();
    let next = numbers.last().unwrap() + 1;
    assert_eq!(numbers, (0..next).collect());
    let unknown = read_sealed(&minicbor::to_vec((next, [0; 0])).unwrap()).unwrap_err();
    assert!(
        matches!(unknown, DamageKind::NewerRecord { .. }),
        "record {next} is not in the corpus: {unknown}"
    );
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        (any::<[u8; 32]>(), any::<u64>())
            .prop_map(|(hash, bytes)| Value::Blob { hash: BlobHash(hash), bytes }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let numbers = (any::<u64>(), any::<i64>(), any::<i64>());
    prop_oneof![
        proptest::sample::select(corpus()).prop_map(|(_, record)| record),
        (numbers, value())
            .prop_map(|((_, created_at_us, _), spec)| Record::SessionCreated { spec, created_at_us }),
        (numbers, option::of(value())).prop_map(|((cell, now_us, _), code)| Record::CellBegun {
            cell,
            code,
            now_us
        }),
        (numbers, any::<String>(), option::of(value()), any::<bool>()).prop_map(
            |((cell, call, _), tool, input, repeatable)| Record::ToolCalled {
                cell,
                call,
                call_id: tool.clone(),
                tool,
                input,
                repeatable,
            }
        ),
        (numbers, value(), option::of((any::<bool>(), option::of(value())))).prop_map(
            |((cell, call, now_us), text, failure)| {
                let answer = match failure {
                    None => Answer::Result(text),
                    Some((retryable, data)) => {
                        Answer::Failed(ToolFailure { message: text, code: "failed".into(), retryable, data })
                    }
                };
                Record::Answered { cell, call, answer, now_us }
            }
        ),
        (numbers, vec(any::<String>(), 0..4), option::of(value())).prop_map(
            |((cell, ended_at_us, _), refused, result)| Record::CellEnded {
                cell,
                outcome: Outcome::Completed { result, failure: None, warnings: vec![] },
                refused,
                usage: Usage { cpu_us: cell, elapsed_us: cell, tool_calls: cell },
                ended_at_us,
            }
        ),
        numbers.prop_map(|(cell, timer, due_us)| Record::TimerSet { cell, timer, due_us }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in vec(vec(record(), 0..5), 1..5)) {
        let (mut writer, mut reader) = (Tail::start(session()), Tail::start(session()));
        for records in entries {
            let bytes = writer.seal(&records).unwrap();
            assert_eq!(reader.read(writer.position(), &bytes).unwrap(), records);
        }
    }

    #[test]
    fn hostile_bytes_are_an_error_or_records(body in vec(any::<u8>(), 0..400)) {
        // Sealed, so that they reach the decoder.
        let read = read_sealed(&body);
        assert!(!matches!(
            read,
            Err(DamageKind::Short | DamageKind::Checksum | DamageKind::Chain | DamageKind::Version { .. })
        ));
    }

    #[test]
    fn changed_records_are_an_error_or_records(
        record in record(), at in any::<proptest::sample::Index>(), byte in any::<u8>(),
    ) {
        let (sealed, _) = entry::seal(&session(), Position(1), Chain::START, &[record]);
        let mut body = sealed.get(1 + Chain::BYTES..sealed.len() - Chain::BYTES).unwrap().to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        drop(read_sealed(&body));
    }
}

/// Reads bytes as the records of a sound entry.
fn read_sealed(body: &[u8]) -> Result<Vec<Record>, DamageKind> {
    let sealed = entry::seal_encoded(&session(), Position(1), Chain::START, body).0;
    Tail::start(session()).read(Position(1), &sealed).map_err(|error| error.kind)
}

#[test]
fn an_unknown_record_is_newer_and_not_damaged() {
    for (what, body) in [
        ("a record", minicbor::to_vec((200, [1, 2, 3])).unwrap()),
        ("an outcome", minicbor::to_vec((13, (1, (99, (0,)), [0; 0], (1, 2, 3), 5))).unwrap()),
        ("a level", minicbor::to_vec((8, (1, (0, ((0, ("x",)), 77))))).unwrap()),
    ] {
        let kind = read_sealed(&body).unwrap_err();
        assert!(matches!(kind, DamageKind::NewerRecord { .. }), "{what}: {kind}");
    }
}

#[test]
fn a_variant_that_came_later_is_never_read_as_something_else() {
    for (name, record) in corpus() {
        let (sealed, _) = entry::seal(&session(), Position(1), Chain::START, std::slice::from_ref(&record));
        let body = sealed.get(1 + Chain::BYTES..sealed.len() - Chain::BYTES).unwrap();
        // An enum is an array of two, its variant and its fields; an array of two that is none may be read.
        for at in (0..body.len() - 1).filter(|at| body[*at] == 0x82 && body[at + 1] < 24) {
            let changed = [&body[..=at], &[0x18, 99], &body[at + 2..]].concat();
            match read_sealed(&changed) {
                Err(kind) => {
                    assert!(matches!(kind, DamageKind::NewerRecord { .. }), "{name} at {at}: {kind}");
                }
                Ok(records) => {
                    let (again, _) = entry::seal(&session(), Position(1), Chain::START, &records);
                    let again = again.get(1 + Chain::BYTES..again.len() - Chain::BYTES).unwrap();
                    assert_eq!(again, changed, "{name} at {at}: {records:?}");
                }
            }
        }
    }
}

#[test]
fn fields_may_come_later() {
    // A field that this build does not know, after those of `ControlYielded`; and `ToolCalled` as one without its last
    // optional field would have written it.
    let later = minicbor::to_vec((11, (7, "new"))).unwrap();
    assert_eq!(read_sealed(&later), Ok(vec![Record::ControlYielded { cell: 7 }]));
    let earlier = minicbor::to_vec((4, (1, 2, (1, (((0, ("m",)), "failed", false),)), 3))).unwrap();
    let failure = ToolFailure { message: "m".into(), code: "failed".into(), retryable: false, data: None };
    let answered = Record::Answered { cell: 1, call: 2, answer: Answer::Failed(failure), now_us: 3 };
    assert_eq!(read_sealed(&earlier), Ok(vec![answered]));
}

#[test]
fn a_stated_length_makes_no_room() {
    // A text, bytes, an array and a map that say they are 2^62 long.
    for head in [0x7b, 0x5b, 0x9b, 0xbb] {
        for prefix in [vec![], vec![0x82, 0x00, 0x82, 0x82, 0x00, 0x81], vec![0x82, 0x0d, 0x85, 0x01]] {
            let mut body = prefix;
            body.push(head);
            body.extend(1_u64.rotate_right(2).to_be_bytes());
            let kind = read_sealed(&body).unwrap_err();
            assert!(matches!(kind, DamageKind::Record { .. }), "{kind}");
        }
    }
}
