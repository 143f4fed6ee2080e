//! What `carrel approve` and a server say to each other: a line of JSON each way.

use serde::{Deserialize, Serialize};

/// Asks for something.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// What waits?
    List,
    /// A person has answered these.
    Answer { questions: Vec<String>, decision: Said },
}

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Allow,
    AllowForSession,
    Deny,
}

/// What a server says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    /// This waits, oldest first.
    Waiting(Vec<Waiting>),
    /// These were no longer waiting; the others have the answer.
    Answered { too_late: Vec<String> },
}

/// A call that waits for a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// What it is called, which nothing else ever is.
    pub(super) question: String,
    pub(super) session: String,
    pub(super) cell: String,
    /// What the person is asked.
    pub(super) text: String,
}
