//! The tables of docs/codex.md: what they name is there, and no number is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The numbers of the list of behaviours.
fn listed() -> BTreeSet<u16> {
    (1..=69).chain(91..=137).chain(208..=258).chain(368..=382).collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the rows of the table below a heading: what is in their two columns.
fn table(heading: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(workspace().join("docs/codex.md")).unwrap();
    let (_, below) = text.split_once(heading).unwrap();
    let mut rows = Vec::new();
    for line in below.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let mut columns = line.trim_matches('|').splitn(2, " | ");
        rows.push((columns.next().unwrap().trim().to_owned(), columns.next().unwrap().trim().to_owned()));
    }
    assert!(!rows.is_empty());
    rows
}

/// Reads `1, 3-5`.
fn numbers(text: &str) -> Vec<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        first.parse::<u16>().unwrap()..=last.parse().unwrap()
    };
    text.split(", ").flat_map(range).collect()
}

/// The tests that there are, and the contract suite's.
fn tests() -> BTreeSet<String> {
    let mut folders: Vec<_> =
        ["codex-host/tests/codex", "codex-host/src", "codex/src", "contract/src/testing"]
            .map(PathBuf::from)
            .into();
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(workspace().join("crates").join(&folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(folder.join(path.file_name().unwrap()));
            } else {
                let text = fs::read_to_string(path).unwrap();
                let name = |rest: &str| rest.split(['(', '<']).next().unwrap().to_owned();
                names.extend(text.split("fn ").skip(1).map(name));
            }
        }
    }
    names
}

/// The numbers that a test's name begins with.
fn of_name(name: &str) -> Vec<u16> {
    let number = |part: &str| part.strip_prefix('n').filter(|digits| digits.len() == 3)?.parse().ok();
    name.split('_').map_while(number).collect()
}

#[test]
fn every_number_is_in_one_table() {
    let mut seen = BTreeMap::<u16, usize>::new();
    for heading in ["| number | test |", "| number | why there is no test |"] {
        for (column, _) in table(heading) {
            for number in numbers(&column) {
                *seen.entry(number).or_default() += 1;
            }
        }
    }
    assert_eq!(seen, listed().into_iter().map(|number| (number, 1)).collect());
}

#[test]
fn every_test_that_is_named_is_there_and_every_numbered_test_is_named() {
    let (tests, mut named) = (tests(), BTreeSet::new());
    for (number, names) in table("| number | test |") {
        for name in names.split(", ").map(|name| name.trim_matches('`')) {
            let is_there = match name.ends_with(".js") {
                true => workspace().join("tests/cells").join(name).is_file(),
                false => tests.contains(name),
            };
            assert!(is_there, "{number}: there is no {name}");
            named.insert((number.parse().unwrap(), name.to_owned()));
        }
    }
    for (names, _) in table("| test | why it fails there |") {
        for name in names.split('`').skip(1).step_by(2).filter(|name| !name.ends_with(".rs")) {
            assert!(tests.contains(name), "there is no {name}");
        }
    }
    for test in &tests {
        for number in of_name(test) {
            assert!(named.contains(&(number, test.clone())), "{test} is not in the row of {number}");
        }
    }
}
