//! How a cell ended.

use minicbor::{Decode, Encode};

use super::Value;

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// It came to its end.
    #[n(0)]
    Completed {
        /// The value of its `export default`, as JSON.
        #[cbor(n(0), decode_with = "super::codec::known")]
        result: Option<Value>,
        /// Why the program failed; absent when it did not.
        #[cbor(n(1), decode_with = "super::codec::known")]
        failure: Option<Box<CellFailure>>,
        /// What its author should know.
        #[n(2)]
        warnings: Vec<String>,
    },
    /// It was ended from outside.
    #[n(1)]
    Terminated {
        /// Why.
        #[n(0)]
        reason: Termination,
        /// The ids of the calls that did not end within their grace.
        #[n(1)]
        abandoned: Vec<String>,
    },
}

impl Outcome {
    /// Returns its texts, each of which may be in a blob.
    pub fn values_mut(&mut self) -> Vec<&mut Value> {
        match self {
            Self::Completed { result, failure, .. } => {
                let texts = failure.as_mut().map(|failure| [&mut failure.message, &mut failure.stack]);
                result.iter_mut().chain(texts.into_iter().flatten()).collect()
            }
            Self::Terminated { .. } => Vec::new(),
        }
    }
}

/// Why a program failed: the contract's `CellError`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CellFailure {
    /// The contract's `CellErrorKind`, in its text form.
    #[n(0)]
    pub kind: String,
    /// The error's class.
    #[n(1)]
    pub name: String,
    /// The error's message.
    #[n(2)]
    pub message: Value,
    /// The stack trace.
    #[n(3)]
    pub stack: Value,
    /// Line and column.
    #[n(4)]
    pub location: Option<(u32, u32)>,
    /// The line, with a mark.
    #[n(5)]
    pub excerpt: Option<String>,
}

/// Why a cell was ended from outside: the contract's `TerminationReason`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Termination {
    /// Somebody asked for it.
    #[n(0)]
    Requested,
    /// Its session was shut down.
    #[n(1)]
    Shutdown,
    /// It used more CPU time than its limit.
    #[n(2)]
    CpuTime {
        /// The limit, in microseconds.
        #[n(0)]
        limit_us: u64,
    },
}

/// What a cell used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Usage {
    /// Guest CPU time, in microseconds.
    #[n(0)]
    pub cpu_us: u64,
    /// From its admission to its end, in microseconds.
    #[n(1)]
    pub elapsed_us: u64,
    /// Tool calls made.
    #[n(2)]
    pub tool_calls: u64,
}
