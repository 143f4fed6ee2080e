//! A checkout of test262: its tests, and the harness files that they include.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::applies::{self, Reason};
use crate::frontmatter::Frontmatter;
use crate::program;

/// One test that applies.
#[derive(Debug)]
pub(crate) struct Test {
    /// Its path under `test/`, with `/` on every system.
    pub(crate) path: String,
    pub(crate) source: String,
    pub(crate) meta: Frontmatter,
}

/// The tests of a checkout that apply, in the order of their paths.
#[derive(Debug)]
pub(crate) struct Suite {
    tests: Vec<Test>,
    left_out: BTreeMap<Reason, usize>,
    /// Harness files by name, each as a statement that runs it.
    harness: HashMap<String, String>,
}

/// Why a checkout cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("find test262 at {0}: a checkout has the folders `test` and `harness`")]
    NoCheckout(PathBuf),
    #[error("read {path}: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("read {path}: {what}")]
    Odd { path: PathBuf, what: String },
    #[error("find a test whose path has \"{0}\"")]
    NothingMatches(String),
}

impl Suite {
    /// Reads the tests whose path has `filter`.
    pub(crate) fn read(checkout: &Path, filter: Option<&str>) -> Result<Self, Error> {
        let (test, harness) = (checkout.join("test"), checkout.join("harness"));
        if !test.is_dir() || !harness.is_dir() {
            return Err(Error::NoCheckout(checkout.to_owned()));
        }
        let mut suite = Self { tests: Vec::new(), left_out: BTreeMap::new(), harness: HashMap::new() };
        for (name, path) in scripts(&harness)? {
            let source = read(&path)?;
            let odd = |what| Error::Odd { path, what };
            let defines = Frontmatter::of(&source).map_err(odd)?.defines;
            suite.harness.insert(name, program::harness_statement(&source, &defines));
        }
        let matches = |name: &str| filter.is_none_or(|part| name.contains(part));
        // What modules import is no test itself.
        let is_test = |name: &str| !name.contains("_FIXTURE");
        for (name, path) in scripts(&test)?.into_iter().filter(|(name, _)| is_test(name) && matches(name)) {
            let source = read(&path)?;
            let meta = Frontmatter::of(&source).map_err(|what| Error::Odd { path, what })?;
            let test = Test { path: name, source, meta };
            match applies::reason_against(&test) {
                Some(reason) => *suite.left_out.entry(reason).or_default() += 1,
                None => suite.tests.push(test),
            }
        }
        if suite.tests.is_empty() && suite.left_out.is_empty() {
            return Err(Error::NothingMatches(filter.unwrap_or_default().to_owned()));
        }
        Ok(suite)
    }

    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Returns how many tests do not apply, by reason.
    pub(crate) fn left_out(&self) -> &BTreeMap<Reason, usize> {
        &self.left_out
    }

    /// Returns the cell that runs a test.
    pub(crate) fn program(&self, test: &Test) -> String {
        program::of(test, &self.harness)
    }
}

/// Returns the scripts under a folder with their paths in it, sorted.
fn scripts(root: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error| Error::Unreadable { path: folder.clone(), error };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "js") {
                let parts = path.strip_prefix(root).unwrap_or(&path).components();
                let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
                found.push((parts.join("/"), path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Unreadable { path: path.to_owned(), error })
}
