//! Why a source cannot be made ready: what is wrong, where, and what to write instead.

use crate::text::{Place, excerpt, place};

/// Why a source cannot be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Problem {
    /// What kind of problem it is.
    pub cause: Cause,
    /// What is wrong.
    pub message: String,
    /// Where, when that is a place.
    pub place: Option<Place>,
    /// The line of that place with a caret under it, cut around it when it is long.
    pub excerpt: Option<String>,
    /// What to write instead, when that is known.
    pub help: Option<String>,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The source is neither JavaScript nor TypeScript.
    Syntax,
    /// The source is TypeScript, and something in it has no counterpart in a cell.
    Unsupported,
    /// The source is nested so deeply that it is not parsed.
    TooDeep,
    /// The parser failed.
    Fault,
}

impl Problem {
    /// Makes the problem of something at a byte offset.
    pub(crate) fn at(source: &str, offset: u32, cause: Cause, message: String, help: Option<String>) -> Self {
        let place = place(source, offset as usize);
        Self { cause, message, place: Some(place), excerpt: excerpt(source, place), help }
    }

    pub(crate) fn unsupported(source: &str, offset: u32, message: &str, help: &str) -> Self {
        Self::at(source, offset, Cause::Unsupported, message.to_owned(), Some(help.to_owned()))
    }

    pub(crate) fn fault() -> Self {
        Self {
            cause: Cause::Fault,
            message: "the parser of TypeScript failed at this source".to_owned(),
            place: None,
            excerpt: None,
            help: Some("write it in JavaScript, and please report it".to_owned()),
        }
    }

    pub(crate) fn too_deep() -> Self {
        Self {
            cause: Cause::TooDeep,
            message: "the source is nested too deeply to be read as TypeScript".to_owned(),
            place: None,
            excerpt: None,
            help: Some("write it in several statements, or in JavaScript".to_owned()),
        }
    }
}
