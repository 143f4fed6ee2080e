//! What a session answers of a cell.

use carrel_contract::{CellError, CellResponse, Completed, JsonText, SessionState, Terminated, Yielded};
use minicbor::{Decode, Encode};

use crate::failure::CellFailure;
use crate::observation::Observation;
use crate::reason::Reason;
use crate::same::same;
use crate::text::{Malformed, Text, call_ids, texts};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    /// It takes cells.
    #[n(0)]
    Open,
    /// It ends its cells.
    #[n(1)]
    ShuttingDown,
    /// It has ended.
    #[n(2)]
    Closed,
}

/// The contract's `CellResponse`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Observed {
    /// The cell is alive.
    #[n(0)]
    Yielded(#[n(0)] Observation),
    /// The cell came to its end.
    #[n(1)]
    Completed {
        /// What was observed.
        #[n(0)]
        observation: Observation,
        /// The value of its `export default`, as JSON.
        #[n(1)]
        result: Option<Text>,
        /// Why it failed.
        #[cbor(n(2), decode_with = "crate::text::known")]
        failure: Option<CellFailure>,
        /// What its author should know.
        #[cbor(n(3), decode_with = "crate::list::few")]
        warnings: Vec<String>,
        /// Whether this was given to a reader before.
        #[n(4)]
        read_before: bool,
    },
    /// The cell was ended from outside.
    #[n(2)]
    Terminated {
        /// What was observed.
        #[n(0)]
        observation: Observation,
        /// Why.
        #[n(1)]
        reason: Reason,
        /// Callbacks that were abandoned.
        #[cbor(n(2), decode_with = "crate::list::few")]
        abandoned: Vec<String>,
        /// Whether this was given to a reader before.
        #[n(3)]
        read_before: bool,
    },
}

same!(SessionState, State: Open ShuttingDown Closed; else Closed);

impl From<CellResponse> for Observed {
    fn from(response: CellResponse) -> Self {
        match response {
            CellResponse::Completed(done) => Self::Completed {
                observation: done.observation.into(),
                result: done.result.map(Text::from),
                failure: done.error.map(CellFailure::from),
                warnings: done.warnings,
                read_before: done.read_before,
            },
            CellResponse::Terminated(done) => Self::Terminated {
                observation: done.observation.into(),
                reason: done.reason.into(),
                abandoned: texts(done.abandoned),
                read_before: done.read_before,
            },
            other => Self::Yielded(other.observation().clone().into()),
        }
    }
}

impl TryFrom<Observed> for CellResponse {
    type Error = Malformed;

    fn try_from(wire: Observed) -> Result<Self, Malformed> {
        Ok(match wire {
            Observed::Yielded(observation) => Self::Yielded(Yielded::new(observation.try_into()?)),
            Observed::Completed { observation, result, failure, warnings, read_before } => {
                let mut done = Completed::new(observation.try_into()?);
                done.result = result.map(JsonText::try_from).transpose()?;
                done.error = failure.map(CellError::from);
                done.warnings = warnings;
                done.read_before = read_before;
                Self::Completed(done)
            }
            Observed::Terminated { observation, reason, abandoned, read_before } => {
                let mut done = Terminated::new(observation.try_into()?, reason.into());
                done.abandoned = call_ids(&abandoned)?;
                done.read_before = read_before;
                Self::Terminated(done)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use carrel_contract as contract;
    use contract::{
        CellError, CellErrorKind, CellId, ConsoleLevel, Location, Seq, TerminationReason, ToolCallId,
    };

    fn observation() -> contract::Observation {
        let mut observation = contract::Observation::new(CellId::new("cell-1").unwrap(), Seq(9));
        let block = JsonText::parse("{\"type\":\"x\"}").unwrap();
        for content in [
            contract::Content::Text { text: "ü".into(), level: Some(ConsoleLevel::Warn) },
            contract::Content::Image { data: "AAAA".into(), mime_type: "image/png".into() },
            contract::Content::Audio { data: "AAAA".into(), mime_type: "audio/wav".into() },
            contract::Content::Block { block },
            contract::Content::ImageUrl { url: "data:,".into(), detail: contract::ImageDetail::Original },
            contract::Content::AudioUrl { url: "data:,".into() },
        ] {
            observation.items.push(contract::OutputItem { seq: Seq(3), content });
        }
        observation.omitted_bytes = 5;
        observation.usage.cpu_time = Duration::from_nanos(1);
        observation.usage.tool_calls = 2;
        let calls = vec![ToolCallId::new("call-1").unwrap()];
        observation.notices = vec![
            contract::Notice::Recovered { repeated: calls.clone(), unknown: calls },
            contract::Notice::HostLost {
                detail: "gone".into(),
                cells: vec![CellId::new("cell-7").unwrap()],
                outcomes: 3,
                values: true,
            },
            contract::Notice::VariablesLost { names: vec!["total".into()], why: "another build".into() },
        ];
        observation
    }

    #[test]
    fn responses_come_back_as_they_were() {
        let mut error = CellError::new(CellErrorKind::Trap, "E", "m");
        error.stack = "at cell".into();
        error.location = Some(Location { line: 1, column: 2 });
        error.excerpt = Some("x\n^".into());
        let mut completed = Completed::new(observation());
        completed.result = Some(JsonText::parse("[1]").unwrap());
        completed.error = Some(error);
        completed.warnings = vec!["w".into()];
        completed.read_before = true;
        let limit = Duration::from_millis(50);
        let mut responses =
            vec![CellResponse::Yielded(Yielded::new(observation())), CellResponse::Completed(completed)];
        for reason in [
            TerminationReason::Requested,
            TerminationReason::Shutdown,
            TerminationReason::CpuTime { limit },
            TerminationReason::StorageFailed { detail: "full".into() },
            TerminationReason::HostLost { detail: "gone".into() },
        ] {
            let mut done = Terminated::new(observation(), reason);
            done.abandoned = vec![ToolCallId::new("call-2").unwrap()];
            responses.push(CellResponse::Terminated(done));
        }
        for response in responses {
            let bytes = crate::encode(&Observed::from(response.clone()));
            let back = CellResponse::try_from(crate::decode::<Observed>(&bytes).unwrap()).unwrap();
            assert_eq!(back, response);
        }
    }
}
