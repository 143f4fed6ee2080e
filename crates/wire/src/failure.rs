//! Why a cell failed, and where.

use carrel_contract::{CellError, CellErrorKind, Location};
use minicbor::{Decode, Encode};

use crate::same::same;

/// The contract's `CellError`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct CellFailure {
    /// Who is at fault.
    #[n(0)]
    pub kind: FailureKind,
    /// The error's class.
    #[n(1)]
    pub name: String,
    /// Its message.
    #[n(2)]
    pub message: String,
    /// Its stack.
    #[n(3)]
    pub stack: String,
    /// Where it was thrown.
    #[n(4)]
    pub location: Option<Place>,
    /// The line of that place.
    #[n(5)]
    pub excerpt: Option<String>,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct Place {
    /// The line, from 1.
    #[n(0)]
    pub line: u32,
    /// The column, from 1.
    #[n(1)]
    pub column: u32,
}

/// The contract's `CellErrorKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FailureKind {
    /// The source does not parse.
    #[n(0)]
    Syntax,
    /// It failed the check of its types.
    #[n(1)]
    Types,
    /// It threw.
    #[n(2)]
    Thrown,
    /// It used up its memory.
    #[n(3)]
    OutOfMemory,
    /// It waits for nothing.
    #[n(4)]
    Unsettled,
    /// The engine's stack is exhausted.
    #[n(5)]
    StackExhausted,
    /// It did not do again what it did.
    #[n(6)]
    ReplayDivergence,
    /// The guest trapped.
    #[n(7)]
    Trap,
}

same!(CellErrorKind, FailureKind: Syntax Types Thrown OutOfMemory Unsettled StackExhausted ReplayDivergence Trap; else Trap);

impl From<Location> for Place {
    fn from(place: Location) -> Self {
        Self { line: place.line, column: place.column }
    }
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Self { line: place.line, column: place.column }
    }
}

impl From<CellError> for CellFailure {
    fn from(error: CellError) -> Self {
        Self {
            kind: error.kind.into(),
            name: error.name,
            message: error.message,
            stack: error.stack,
            location: error.location.map(Place::from),
            excerpt: error.excerpt,
        }
    }
}

impl From<CellFailure> for CellError {
    fn from(wire: CellFailure) -> Self {
        let mut error = Self::new(wire.kind.into(), wire.name, wire.message);
        error.stack = wire.stack;
        error.location = wire.location.map(Location::from);
        error.excerpt = wire.excerpt;
        error
    }
}
