//! What was seen of a cell: its output since a cursor, and what it has used.

use std::time::Duration;

use carrel_contract as contract;
use carrel_contract::Seq;
use minicbor::{Decode, Encode};

use crate::content::Content;
use crate::notice::Notice;
use crate::text::{Malformed, cell_id};

/// The contract's `Observation`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Observation {
    /// The cell.
    #[n(0)]
    pub cell_id: String,
    /// Its output.
    #[cbor(n(1), decode_with = "crate::list::many")]
    pub items: Vec<OutputItem>,
    /// The cursor to go on from.
    #[n(2)]
    pub cursor: u64,
    /// Bytes that are not in the items.
    #[n(3)]
    pub omitted_bytes: u64,
    /// What the cell has used.
    #[n(4)]
    pub usage: Usage,
    /// What its reader should know.
    #[cbor(n(5), decode_with = "crate::list::few")]
    pub notices: Vec<Notice>,
}

/// The contract's `OutputItem`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct OutputItem {
    /// The number of its event.
    #[n(0)]
    pub seq: u64,
    /// What it is.
    #[n(1)]
    pub content: Content,
}

/// The contract's `Usage`.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct Usage {
    /// Guest CPU time.
    #[n(0)]
    pub cpu_time: Duration,
    /// Time since admission.
    #[n(1)]
    pub elapsed: Duration,
    /// Tool calls made.
    #[n(2)]
    pub tool_calls: u64,
}

impl From<contract::Observation> for Observation {
    fn from(observation: contract::Observation) -> Self {
        let item = |item: contract::OutputItem| OutputItem { seq: item.seq.0, content: item.content.into() };
        Self {
            cell_id: observation.cell_id.into(),
            items: observation.items.into_iter().map(item).collect(),
            cursor: observation.cursor.0,
            omitted_bytes: observation.omitted_bytes,
            usage: Usage {
                cpu_time: observation.usage.cpu_time,
                elapsed: observation.usage.elapsed,
                tool_calls: observation.usage.tool_calls,
            },
            notices: observation.notices.into_iter().filter_map(Notice::of).collect(),
        }
    }
}

impl TryFrom<Observation> for contract::Observation {
    type Error = Malformed;

    fn try_from(wire: Observation) -> Result<Self, Malformed> {
        let mut observation = Self::new(cell_id(&wire.cell_id)?, Seq(wire.cursor));
        for item in wire.items {
            let content = item.content.try_into()?;
            observation.items.push(contract::OutputItem { seq: Seq(item.seq), content });
        }
        observation.omitted_bytes = wire.omitted_bytes;
        observation.usage.cpu_time = wire.usage.cpu_time;
        observation.usage.elapsed = wire.usage.elapsed;
        observation.usage.tool_calls = wire.usage.tool_calls;
        observation.notices =
            wire.notices.into_iter().map(contract::Notice::try_from).collect::<Result<_, _>>()?;
        Ok(observation)
    }
}
