//! What becomes of TypeScript, as files: `blank/<name>.ts` becomes `blank/<name>.js`; `refused/<name>.ts` is answered
//! with `refused/<name>.txt`. `CARREL_BLESS=1` writes what came out.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use carrel_typescript::{Problem, prepare};

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut sources: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "ts"));
    sources.sort();
    assert!(!sources.is_empty());
    sources
}

fn compare(source: &Path, extension: &str, got: &str) {
    let path = source.with_extension(extension);
    if std::env::var_os("CARREL_BLESS").is_some() {
        fs::write(path, got).unwrap();
    } else {
        assert_eq!(got, fs::read_to_string(&path).unwrap(), "{}", path.display());
    }
}

#[test]
fn types_become_spaces() {
    for path in sources("blank") {
        let source = fs::read_to_string(&path).unwrap();
        let prepared = prepare(&source).unwrap_or_else(|problem| panic!("{}: {problem:?}", path.display()));
        assert_eq!(prepared.was_typescript, prepared.code != source);
        compare(&path, "js", &prepared.code);
        let again = prepare(&prepared.code).unwrap();
        assert!(!again.was_typescript, "{}", path.display());
        assert_eq!(again.code, prepared.code);
    }
}

#[test]
fn what_cannot_be_blanked_says_what_to_write_instead() {
    for path in sources("refused") {
        let source = fs::read_to_string(&path).unwrap();
        let problem = prepare(&source).expect_err(&path.display().to_string());
        let Problem { cause, message, place, excerpt, help, .. } = problem;
        let place = place.unwrap();
        let shown = format!(
            "{cause:?} at {}:{}: {message}\n{}\nhelp: {}\n",
            place.line,
            place.column,
            excerpt.unwrap_or_default(),
            help.as_deref().unwrap_or("-"),
        );
        compare(&path, "txt", &shown);
    }
}
