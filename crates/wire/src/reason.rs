//! Why a cell was ended from outside.

use std::time::Duration;

use carrel_contract::TerminationReason;
use minicbor::{Decode, Encode};

/// The contract's `TerminationReason`.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Reason {
    /// Somebody asked for it.
    #[n(0)]
    Requested,
    /// Its session was shut down.
    #[n(1)]
    Shutdown,
    /// It used too much CPU time.
    #[n(2)]
    CpuTime(#[n(0)] Duration),
    /// What it did could not be written down.
    #[n(3)]
    StorageFailed(#[n(0)] String),
    /// The process that ran it is gone.
    #[n(4)]
    HostLost(#[n(0)] String),
}

impl From<TerminationReason> for Reason {
    fn from(reason: TerminationReason) -> Self {
        match reason {
            TerminationReason::Shutdown => Self::Shutdown,
            TerminationReason::CpuTime { limit } => Self::CpuTime(limit),
            TerminationReason::StorageFailed { detail } => Self::StorageFailed(detail),
            TerminationReason::HostLost { detail } => Self::HostLost(detail),
            _ => Self::Requested,
        }
    }
}

impl From<Reason> for TerminationReason {
    fn from(wire: Reason) -> Self {
        match wire {
            Reason::Requested => Self::Requested,
            Reason::Shutdown => Self::Shutdown,
            Reason::CpuTime(limit) => Self::CpuTime { limit },
            Reason::StorageFailed(detail) => Self::StorageFailed { detail },
            Reason::HostLost(detail) => Self::HostLost { detail },
        }
    }
}
