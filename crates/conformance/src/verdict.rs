//! Whether a test passed.

use crate::frontmatter::{Negative, Phase};
use crate::suite::Test;

/// What happened when a test ran, in one engine or the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) printed: Vec<String>,
    pub(crate) end: End,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The module ran to its end.
    Completed,
    /// The module did not compile.
    DidNotCompile(Thrown),
    /// An error reached the top.
    Threw(Thrown),
    /// The limit of its time.
    TooLong,
    /// Anything else: no test wants it.
    Broke(String),
}

/// A thrown value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thrown {
    /// Empty when the value is no error.
    pub(crate) name: String,
    pub(crate) message: String,
}

/// Whether a test passed; what happened, when it did not.
pub(crate) type Verdict = Result<(), String>;

const DONE: &str = "Test262:AsyncTestComplete";
const FAILED: &str = "Test262:AsyncTestFailure:";

/// Judges a run.
pub(crate) fn of(test: &Test, run: &Run) -> Verdict {
    match (&test.meta.negative, &run.end) {
        (None, End::Completed) if test.meta.has_flag("async") => done(&run.printed),
        (None, End::Completed) => Ok(()),
        (Some(negative), End::DidNotCompile(thrown) | End::Threw(thrown)) if wanted(test, negative, run) => {
            if thrown.name == negative.name {
                Ok(())
            } else {
                Err(format!("{} instead of {}", text(&run.end), negative.name))
            }
        }
        (Some(negative), end) => Err(format!("{} instead of {}", text(end), negative.name)),
        (None, end) => Err(text(end)),
    }
}

/// Tells whether the error came when it should. A script is evaluated within the cell, so that the cell throws what
/// its parser says; that the parser said it is sure, because each such test begins with a call that throws a string.
fn wanted(test: &Test, negative: &Negative, run: &Run) -> bool {
    let compiled = matches!(run.end, End::Threw(_));
    match negative.phase {
        Phase::Parse => !compiled || !test.meta.has_flag("module"),
        Phase::Resolution => true,
        Phase::Runtime => compiled,
    }
}

/// An asynchronous test says how it went; one that says nothing has failed.
fn done(printed: &[String]) -> Verdict {
    match printed.iter().find(|line| line.starts_with("Test262:")) {
        Some(line) if line == DONE => Ok(()),
        Some(line) => Err(line.trim_start_matches(FAILED).to_owned()),
        None => Err("$DONE was never called".to_owned()),
    }
}

fn text(end: &End) -> String {
    match end {
        End::Completed => "it completed".to_owned(),
        End::DidNotCompile(Thrown { name, message }) => format!("does not compile: {name}: {message}"),
        End::Threw(Thrown { name, message }) if name.is_empty() => message.clone(),
        End::Threw(Thrown { name, message }) => format!("{name}: {message}"),
        End::TooLong => "it took too long".to_owned(),
        End::Broke(how) => how.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontmatter::Frontmatter;

    fn judge(frontmatter: &str, printed: &[&str], end: End) -> Verdict {
        let source = format!("/*---\n{frontmatter}\n---*/");
        let meta = Frontmatter::of(&source).unwrap();
        let printed = printed.iter().map(|&line| line.to_owned()).collect();
        of(&Test { path: "a.js".to_owned(), source, meta }, &Run { printed, end })
    }

    fn thrown(name: &str) -> Thrown {
        Thrown { name: name.to_owned(), message: "m".to_owned() }
    }

    #[test]
    fn a_test_passes_by_completing() {
        assert_eq!(judge("", &[], End::Completed), Ok(()));
        assert_eq!(judge("", &[], End::Threw(thrown("TypeError"))), Err("TypeError: m".to_owned()));
        assert!(judge("", &[], End::TooLong).is_err());
    }

    #[test]
    fn an_asynchronous_test_has_to_say_so() {
        let flags = "flags: [async]";
        assert_eq!(judge(flags, &["x", DONE], End::Completed), Ok(()));
        assert!(judge(flags, &[], End::Completed).is_err());
        assert!(judge(flags, &["Test262:AsyncTestFailure:no", DONE], End::Completed).is_err());
    }

    #[test]
    fn a_negative_test_passes_by_its_error_in_its_phase() {
        let parse = "negative: {phase: parse, type: SyntaxError}";
        assert_eq!(judge(parse, &[], End::Threw(thrown("SyntaxError"))), Ok(()));
        assert!(judge(parse, &[], End::Completed).is_err());
        assert!(judge(parse, &[], End::Threw(thrown("TypeError"))).is_err());
        let module = "flags: [module]\nnegative: {phase: parse, type: SyntaxError}";
        assert_eq!(judge(module, &[], End::DidNotCompile(thrown("SyntaxError"))), Ok(()));
        assert!(judge(module, &[], End::Threw(thrown("SyntaxError"))).is_err());
        let runtime = "flags: [module]\nnegative: {phase: runtime, type: TypeError}";
        assert_eq!(judge(runtime, &[], End::Threw(thrown("TypeError"))), Ok(()));
        assert!(judge(runtime, &[], End::DidNotCompile(thrown("TypeError"))).is_err());
    }
}
