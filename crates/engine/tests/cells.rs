//! The behaviour of cells as files: `tests/cells/<name>.js` does what `<name>.out` says; so it is in `tests/cells/codex`, for
//! cells in the dialect of Codex.
//!
//! Each cell is played three times: as it is; again, which has to leave the same memory at every step; and saved
//! and restored, through bytes, each time that it waits. `CARREL_BLESS=1` writes the `.out` files anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carrel_engine::{Engine, EngineOptions, Snapshot, Vm, VmLimits};

use common::{Stored, play};

fn cells() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cells");
    let mut cells: Vec<_> = [folder.clone(), folder.join("codex")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
        .collect();
    cells.sort();
    cells
}

fn through_bytes(engine: &Engine, vm: &Vm) -> Vm {
    let bytes = vm.snapshot().unwrap().to_bytes();
    let stored = Stored([("kept".to_owned(), "{\"from\":\"before\"}".into())].into());
    engine.restore(&Snapshot::from_bytes(&bytes).unwrap(), Arc::new(stored), VmLimits::default()).unwrap()
}

#[test]
fn every_cell_does_what_its_file_says_again_and_after_every_restore() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let cells = cells();
    assert!(cells.len() >= 150, "the corpus is where it is looked for");
    let mut wrong = Vec::new();
    for path in cells {
        let source = fs::read_to_string(&path).unwrap();
        let story = play(&engine, &source, |vm| vm);
        let told = story.lines.join("\n") + "\n";
        let expected = path.with_extension("out");
        if std::env::var_os("CARREL_BLESS").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- but\n{told}", path.display()));
        }
        assert_eq!(play(&engine, &source, |vm| vm), story, "{} is deterministic", path.display());
        let restored = play(&engine, &source, |vm| through_bytes(&engine, &vm));
        assert_eq!(restored, story, "{} goes on where it was", path.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cell_does_the_same_in_a_persistent_vm_and_leaves_it_whole() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let mut wrong = Vec::new();
    for path in cells() {
        let mut source = fs::read_to_string(&path).unwrap();
        let mut expected = play(&engine, &source, |vm| vm).lines;
        source.push_str("// ---- next cell ----\n0;");
        expected.push("end".to_owned());
        let lines = play(&engine, &source, |vm| vm).lines;
        if lines != expected {
            wrong.push(format!(
                "{}\n--- alone\n{}\n--- but\n{}",
                path.display(),
                expected.join("\n"),
                lines.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
