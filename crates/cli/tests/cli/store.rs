//! `carrel store`: what it finds, what it carries, what it refuses.

use std::fs::{self, File};
use std::path::Path;

use carrel_contract::SessionId;
use carrel_journal::record::{Record, Value};
use carrel_journal::{Blob, Position, Sqlite, Store as _, Tail};
use futures::executor::block_on;

use crate::harness::{Desk, Ran};

/// Makes a store of two sessions, each with two entries and a blob, the second's entries with a text of their own.
fn make(path: &Path) {
    let store = Sqlite::open(path).unwrap();
    let large = Blob::new(b"a large value".to_vec());
    for name in ["first", "second"] {
        let mut tail = Tail::start(SessionId::new(name).unwrap());
        block_on(store.put_blob(tail.session(), large.clone())).unwrap();
        let named = Value::Blob { hash: large.hash(), bytes: 13 };
        let entries = [format!("a text of the {name}").into(), named]
            .map(|text| tail.seal(&[Record::Warned { cell: 1, text }]).unwrap());
        block_on(store.append(&SessionId::new(name).unwrap(), Position::START, entries.to_vec())).unwrap();
    }
}

/// Changes one bit of what stands in the file.
fn damage(path: &Path, what: &str) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(what.len()).position(|window| window == what.as_bytes()).unwrap();
    *bytes.get_mut(at).unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn check_finds_a_sound_store_sound_and_names_what_is_not() {
    let desk = Desk::new();
    let path = desk.path().join("carrel.db");
    make(&path);
    let check = ["store", "check", "--store", "carrel.db"];
    let ran = desk.run(&check).expect(0);
    assert_eq!(ran.stdout, "2 sessions, 4 entries, 2 large values: all as they were written\n");

    damage(&path, "a text of the second");
    let ran = desk.run(&check).expect(1);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].contains("session second: entry 1 is damaged"), "{}", ran.stdout);
    assert_eq!(lines[1..], ["2 sessions, 2 entries, 2 large values read; 1 fault"]);

    let ran = desk.run(&[&check[..], &["--json"]].concat()).expect(1);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&json["entries"], &json["faults"][0]["session"]), (&2.into(), &"second".into()), "{json}");
}

#[test]
fn sessions_are_carried_from_one_store_to_another() {
    let desk = Desk::new();
    make(&desk.path().join("carrel.db"));
    desk.run(&["store", "export", "-o", "all", "--store", "carrel.db"])
        .expect(0)
        .says(&["exported 2 sessions, 4 entries, 1 large value"]);
    desk.run(&["store", "export", "-o", "all", "--store", "carrel.db"]).expect(2).says(&["open all"]);
    let piped = File::create(desk.path().join("piped")).unwrap();
    let status =
        desk.command(&["store", "export", "second", "--store", "carrel.db"]).stdout(piped).status().unwrap();
    assert!(status.success());

    let other = ["--store", "new/folder/other.db"];
    let import = |args: &[&str]| desk.run(&[&["store", "import"][..], args, &other].concat());
    let one = fs::read(desk.path().join("piped")).unwrap();
    desk.run_with_stdin(&[&["store", "import", "-"][..], &other].concat(), &one)
        .expect(0)
        .says(&["imported 1 session, 2 entries, 1 large value"]);
    // What comes before the one that is there stays.
    import(&["all"]).expect(2).says(&["session second", "already"]);
    import(&["all", "--skip-existing"])
        .expect(0)
        .says(&["imported 0 sessions, 0 entries, 0 large values; left 2 as they were"]);
    desk.run(&[&["store", "check"][..], &other].concat()).expect(0);

    desk.run(&["store", "import", "all", "--trust", "--store", "trusting.db"])
        .expect(0)
        .says(&["imported 2 sessions, 4 entries, 1 large value"]);
    desk.run(&["store", "check", "--store", "trusting.db"]).expect(0);

    damage(&desk.path().join("all"), "a text of the second");
    desk.run(&["store", "import", "all", "--store", "third.db"]).expect(1).says(&["session second: entry 1"]);
    desk.write("text", "no export, but long enough to be one");
    import(&["text"]).expect(2).says(&["no export"]);
    import(&["nowhere"]).expect(2).says(&["nowhere"]);
}

#[test]
fn a_store_is_found_where_the_environment_says_and_made_by_no_look_at_it() {
    let desk = Desk::new();
    let run = |args: &[&str]| -> Ran {
        desk.command(args).env("CARREL_DATA", desk.path().join("data")).output().unwrap().into()
    };
    for command in ["check", "compact", "export"] {
        run(&["store", command]).expect(2).says(&["data/store/carrel.db", "there is none"]);
    }
    assert!(!desk.path().join("data").exists());
    make(&desk.path().join("data/store/carrel.db"));
    run(&["store", "check"]).expect(0);
    let ran = run(&["store", "compact"]).expect(0);
    assert!(ran.stdout.contains("before, ") && ran.stdout.contains(" after"), "{}", ran.stdout);
    run(&["store", "check"]).expect(0);
    run(&["store", "export", "third"]).expect(2).says(&["session third"]);
    run(&["store", "export", "no id"]).expect(2).says(&["no id"]);
}

#[test]
fn a_store_of_an_earlier_build_is_moved_to_where_it_is_now() {
    let desk = Desk::new();
    make(&desk.path().join("data/carrel.db"));
    for _ in 0..2 {
        let mut check = desk.command(&["store", "check"]);
        let ran = Ran::from(check.env("CARREL_DATA", desk.path().join("data")).output().unwrap()).expect(0);
        assert!(ran.stdout.starts_with("2 sessions, 4 entries"), "{}", ran.stdout);
        assert!(!desk.path().join("data/carrel.db").exists());
    }
}

#[test]
fn what_is_no_store_is_refused() {
    let desk = Desk::new();
    desk.write("notes", "x".repeat(5000));
    for command in ["check", "compact", "export"] {
        desk.run(&["store", command, "--store", "notes"]).expect(2).says(&["not a Carrel store"]);
    }
}
