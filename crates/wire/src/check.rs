//! The check of a cell's types, which a host asks of its client.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CellId, CheckRequest, CheckerUnavailable, EarlierCell, Location, SessionId, ToolDescription,
    TypeDiagnostic,
};
use minicbor::{Decode, Encode};

use crate::failure::Place;
use crate::spec::Tool;
use crate::text::{Malformed, Text};

/// The contract's `CheckRequest`. Its session is that of the stream.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Check {
    /// The cell.
    #[n(0)]
    pub cell_id: String,
    /// What it says.
    #[n(1)]
    pub source: Text,
    /// The tools it may call.
    #[cbor(n(2), decode_with = "crate::list::few")]
    pub tools: Vec<Tool>,
    /// The cells that left it their variables.
    #[cbor(n(3), decode_with = "crate::list::few")]
    pub earlier: Vec<Earlier>,
}

/// The contract's `EarlierCell`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Earlier {
    /// What it said.
    #[n(0)]
    pub source: Text,
    /// Whether it came to its end without an error.
    #[n(1)]
    pub completed: bool,
}

/// What a check found.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Checked {
    /// What is wrong with the cell; it may run when there is nothing.
    #[n(0)]
    Found(#[cbor(n(0), decode_with = "crate::list::few")] Vec<Diagnostic>),
    /// It was not checked.
    #[n(1)]
    Not(#[n(0)] Unchecked),
}

/// The contract's `TypeDiagnostic`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Diagnostic {
    /// Where it begins.
    #[n(0)]
    pub location: Place,
    /// The checker's code for it.
    #[n(1)]
    pub code: String,
    /// What is wrong.
    #[n(2)]
    pub message: String,
}

/// The contract's `CheckerUnavailable`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Unchecked {
    /// There is no checker.
    #[n(0)]
    Absent(#[n(0)] String),
    /// It was busy with others for so long.
    #[n(1)]
    Busy(#[n(0)] Duration),
    /// The cell has so many bytes, and the checker takes so many.
    #[n(2)]
    TooLarge(#[n(0)] u64, #[n(1)] u64),
    /// The check took longer than this.
    #[n(3)]
    TimedOut(#[n(0)] Duration),
    /// The checker failed.
    #[n(4)]
    Failed(#[n(0)] String),
}

impl Check {
    /// Writes down a check of a cell.
    #[must_use]
    pub fn of_cell(cell_id: CellId, request: &CheckRequest) -> Self {
        Self {
            cell_id: cell_id.into(),
            source: Text(Arc::clone(&request.source)),
            tools: request.tools.iter().cloned().map(Tool::from).collect(),
            earlier: request
                .earlier
                .iter()
                .map(|cell| Earlier { source: Text(Arc::clone(&cell.source)), completed: cell.completed })
                .collect(),
        }
    }

    /// Returns how much text it holds, in bytes.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        let of_tool = |tool: &Tool| {
            let input = tool.input_schema.as_ref().map_or(0, |schema| schema.0.len());
            let output = tool.output.as_ref().map_or(0, |output| output.schema.0.len());
            tool.name.len() + tool.description.len() + input + output
        };
        let earlier: usize = self.earlier.iter().map(|cell| cell.source.0.len()).sum();
        self.source.0.len() + earlier + self.tools.iter().map(of_tool).sum::<usize>()
    }

    /// Checks it and makes it a cell's of a session.
    ///
    /// # Errors
    /// [`Malformed`] when a tool is none.
    pub fn into_contract(self, session_id: SessionId, cell_id: CellId) -> Result<CheckRequest, Malformed> {
        let tools = self.tools.into_iter().map(ToolDescription::try_from).collect::<Result<Vec<_>, _>>()?;
        let earlier = self.earlier.into_iter().map(|cell| EarlierCell::new(cell.source.0, cell.completed));
        let request = CheckRequest::new(self.source.0, tools.into()).with_earlier(earlier.collect());
        Ok(request.of_cell(session_id, cell_id))
    }
}

impl From<Result<Vec<TypeDiagnostic>, CheckerUnavailable>> for Checked {
    fn from(outcome: Result<Vec<TypeDiagnostic>, CheckerUnavailable>) -> Self {
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let unavailable = match outcome {
            Ok(found) => {
                let found = found.into_iter().take(crate::FEW);
                return Self::Found(
                    found
                        .map(|it| Diagnostic {
                            location: it.location.into(),
                            code: it.code,
                            message: it.message,
                        })
                        .collect(),
                );
            }
            Err(unavailable) => unavailable,
        };
        Self::Not(match unavailable {
            CheckerUnavailable::Absent { detail } => Unchecked::Absent(detail),
            CheckerUnavailable::Busy { limit } => Unchecked::Busy(limit),
            CheckerUnavailable::TooLarge { bytes, limit } => Unchecked::TooLarge(count(bytes), count(limit)),
            CheckerUnavailable::TimedOut { limit } => Unchecked::TimedOut(limit),
            CheckerUnavailable::Failed { detail } => Unchecked::Failed(detail),
            other => Unchecked::Failed(other.to_string()),
        })
    }
}

impl From<Checked> for Result<Vec<TypeDiagnostic>, CheckerUnavailable> {
    fn from(wire: Checked) -> Self {
        let count = |count| usize::try_from(count).unwrap_or(usize::MAX);
        let unchecked = match wire {
            Checked::Found(found) => {
                let found = found.into_iter();
                return Ok(found
                    .map(|it| TypeDiagnostic::new(Location::from(it.location), it.code, it.message))
                    .collect());
            }
            Checked::Not(unchecked) => unchecked,
        };
        Err(match unchecked {
            Unchecked::Absent(detail) => CheckerUnavailable::Absent { detail },
            Unchecked::Busy(limit) => CheckerUnavailable::Busy { limit },
            Unchecked::TooLarge(bytes, limit) => {
                CheckerUnavailable::TooLarge { bytes: count(bytes), limit: count(limit) }
            }
            Unchecked::TimedOut(limit) => CheckerUnavailable::TimedOut { limit },
            Unchecked::Failed(detail) => CheckerUnavailable::Failed { detail },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carrel_contract::ToolName;

    #[test]
    fn a_check_comes_back_as_it_was() {
        let tools = vec![ToolDescription::new(ToolName::new("t").unwrap(), "says")];
        let earlier = vec![EarlierCell::new("let a = 1".into(), false)];
        let request = CheckRequest::new("a".into(), tools.into()).with_earlier(earlier);
        let (session_id, cell_id) = (SessionId::new("s").unwrap(), CellId::new("cell-1").unwrap());
        let bytes = crate::encode(&Check::of_cell(cell_id.clone(), &request));
        let back = crate::decode::<Check>(&bytes).unwrap().into_contract(session_id.clone(), cell_id.clone());
        let back = back.unwrap();
        assert_eq!((&back.source, &back.tools), (&request.source, &request.tools));
        assert_eq!((&*back.earlier[0].source, back.earlier[0].completed), ("let a = 1", false));
        assert_eq!(back.cell, Some((session_id, cell_id)));
    }

    #[test]
    fn every_outcome_comes_back() {
        let second = Duration::from_secs(1);
        let outcomes = [
            Ok(Vec::new()),
            Ok(vec![TypeDiagnostic::new(Location { line: 2, column: 3 }, "TS1", "it is none")]),
            Err(CheckerUnavailable::Absent { detail: "no".into() }),
            Err(CheckerUnavailable::Busy { limit: second }),
            Err(CheckerUnavailable::TooLarge { bytes: 2, limit: 1 }),
            Err(CheckerUnavailable::TimedOut { limit: second }),
            Err(CheckerUnavailable::Failed { detail: "no".into() }),
        ];
        for outcome in outcomes {
            let bytes = crate::encode(&Checked::from(outcome.clone()));
            assert_eq!(Result::from(crate::decode::<Checked>(&bytes).unwrap()), outcome);
        }
    }
}
