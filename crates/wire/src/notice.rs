//! What the reader of a response should know of what happened meanwhile.

use carrel_contract as contract;
use minicbor::{Decode, Encode};

use crate::text::{Malformed, call_ids, cell_id, texts};

/// The contract's `Notice`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Notice {
    /// The session is there again.
    #[n(0)]
    Recovered {
        /// Calls that were made again.
        #[cbor(n(0), decode_with = "crate::list::few")]
        repeated: Vec<String>,
        /// Calls of which nobody knows.
        #[cbor(n(1), decode_with = "crate::list::few")]
        unknown: Vec<String>,
    },
    /// The process that had the session is gone.
    #[n(1)]
    HostLost {
        /// What is known of its end.
        #[n(0)]
        detail: String,
        /// The cells that ran.
        #[cbor(n(1), decode_with = "crate::list::few")]
        cells: Vec<String>,
        /// How many outcomes are lost.
        #[n(2)]
        outcomes: u64,
        /// Whether values may be lost.
        #[n(3)]
        values: bool,
    },
    /// Variables of a persistent session are lost.
    #[n(2)]
    VariablesLost {
        /// Their names.
        #[n(0)]
        names: Vec<String>,
        /// Why.
        #[n(1)]
        why: String,
    },
}

impl Notice {
    pub(crate) fn of(notice: contract::Notice) -> Option<Self> {
        match notice {
            contract::Notice::Recovered { repeated, unknown } => {
                Some(Self::Recovered { repeated: texts(repeated), unknown: texts(unknown) })
            }
            contract::Notice::HostLost { detail, cells, outcomes, values } => {
                Some(Self::HostLost { detail, cells: texts(cells), outcomes, values })
            }
            contract::Notice::VariablesLost { names, why } => Some(Self::VariablesLost { names, why }),
            _ => None,
        }
    }
}

impl TryFrom<Notice> for contract::Notice {
    type Error = Malformed;

    fn try_from(wire: Notice) -> Result<Self, Malformed> {
        Ok(match wire {
            Notice::Recovered { repeated, unknown } => {
                Self::Recovered { repeated: call_ids(&repeated)?, unknown: call_ids(&unknown)? }
            }
            Notice::HostLost { detail, cells, outcomes, values } => {
                let cells = cells.iter().map(|id| cell_id(id)).collect::<Result<_, _>>()?;
                Self::HostLost { detail, cells, outcomes, values }
            }
            Notice::VariablesLost { names, why } => Self::VariablesLost { names, why },
        })
    }
}
