//! Errors that survive the wire: a stable code, what a caller needs to act, and a message for who knows neither.

use std::time::Duration;

use carrel_contract::error::{
    Coded, Corrupt, CreateError, DeleteError, EngineFailure, ExecuteError, ForkError, HistoryCut, HostLost,
    InvalidRequest, InvalidSource, InvalidSpec, KeyReused, LimitReached, ListError, NotifyError,
    OutcomeExpired, OwnedElsewhere, ResumeError, SessionClosed, SetToolsError, ShutdownError, ShuttingDown,
    StorageFailed, StoredError, TerminateError, UnknownCell, UnknownSession, Unsupported, WaitError,
};
use carrel_contract::{CellId, SessionId};
use minicbor::{Decode, Encode};

use crate::known;
use crate::text::{Malformed, cell_id, session_id};

/// An error of the contract. Which fields a code has is in `docs/protocol.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Fault {
    /// The number of the code, as in `CR0007`.
    #[n(0)]
    pub code: u16,
    /// What went wrong, for people.
    #[n(1)]
    pub message: String,
    /// What it is about: a session, a cell, a field, a limit.
    #[n(2)]
    pub subject: Option<String>,
    /// What is wrong with it.
    #[n(3)]
    pub detail: Option<String>,
    /// What was asked for, or the value of the limit.
    #[n(4)]
    pub value: Option<String>,
    /// The cells that hold the limit.
    #[cbor(n(5), decode_with = "crate::list::optional")]
    pub cells: Option<Vec<String>>,
    /// How long it was tried.
    #[n(6)]
    pub tried_for: Option<Duration>,
}

/// A cause that becomes a fault and comes back of one.
trait Cause: Coded + Sized {
    const CODE: u16;
    fn write(&self, fault: &mut Fault);
    fn read(fault: &Fault) -> Result<Self, Malformed>;
}

fn text(field: Option<&String>) -> String {
    field.cloned().unwrap_or_default()
}

fn session(field: Option<&String>) -> Result<SessionId, Malformed> {
    session_id(field.map_or("", String::as_str))
}

fn cell(field: Option<&String>) -> Result<CellId, Malformed> {
    cell_id(field.map_or("", String::as_str))
}

fn static_name(field: Option<&String>) -> &'static str {
    known::name(field.map_or("", String::as_str))
}

/// Writes a cause whose fields are one of the fault's each.
macro_rules! cause {
    ($name:ident = $code:literal { $($field:ident: $slot:ident via $read:expr),* $(; try $checked:ident: $checked_slot:ident via $check:expr)? }) => {
        impl Cause for $name {
            const CODE: u16 = $code;

            fn write(&self, fault: &mut Fault) {
                $(fault.$slot = Some(self.$field.to_string());)*
                $(fault.$checked_slot = Some(self.$checked.to_string());)?
            }

            fn read(fault: &Fault) -> Result<Self, Malformed> {
                Ok(Self {
                    $($field: $read(fault.$slot.as_ref()),)*
                    $($checked: $check(fault.$checked_slot.as_ref())?,)?
                })
            }
        }
    };
}

cause!(InvalidSpec = 4 { field: subject via static_name, problem: detail via text });
cause!(HistoryCut = 20 { asked: value via text, first: detail via text; try session_id: subject via session });
cause!(InvalidRequest = 5 { field: subject via static_name, problem: detail via text });
cause!(InvalidSource = 6 { problem: detail via text });
cause!(ShuttingDown = 8 { ; try session_id: subject via session });
cause!(SessionClosed = 9 { ; try session_id: subject via session });
cause!(UnknownCell = 10 { ; try cell_id: subject via cell });
cause!(KeyReused = 21 { ; try cell_id: subject via cell });
cause!(OutcomeExpired = 11 { ; try cell_id: subject via cell });
cause!(UnknownSession = 12 { ; try session_id: subject via session });
cause!(Unsupported = 13 { field: subject via static_name, value: value via static_name, offered: detail via static_name });
cause!(Corrupt = 15 { detail: detail via text; try session_id: subject via session });
cause!(EngineFailure = 16 { detail: detail via text });
cause!(StorageFailed = 18 { detail: detail via text; try session_id: subject via session });
cause!(OwnedElsewhere = 19 { owner: detail via text; try session_id: subject via session });

impl Cause for LimitReached {
    const CODE: u16 = 7;

    fn write(&self, fault: &mut Fault) {
        fault.subject = Some(self.limit.to_owned());
        fault.value = Some(self.maximum.to_string());
        fault.cells = Some(self.running.iter().map(|id| id.as_str().to_owned()).collect());
    }

    fn read(fault: &Fault) -> Result<Self, Malformed> {
        let maximum = fault.value.as_ref().and_then(|value| value.parse().ok()).unwrap_or_default();
        let running = fault.cells.iter().flatten().map(|id| cell_id(id)).collect::<Result<_, _>>()?;
        Ok(Self::new(static_name(fault.subject.as_ref()), maximum, running))
    }
}

impl Cause for HostLost {
    const CODE: u16 = 14;

    fn write(&self, fault: &mut Fault) {
        fault.subject = self.session_id.as_ref().map(|id| id.as_str().to_owned());
        fault.detail = Some(self.detail.clone());
    }

    fn read(fault: &Fault) -> Result<Self, Malformed> {
        let session_id = fault.subject.as_ref().map(|id| session_id(id)).transpose()?;
        Ok(Self { session_id, detail: text(fault.detail.as_ref()) })
    }
}

impl Cause for NotifyError {
    const CODE: u16 = 17;

    fn write(&self, fault: &mut Fault) {
        fault.detail = Some(self.detail.clone());
        fault.tried_for = self.tried_for;
    }

    fn read(fault: &Fault) -> Result<Self, Malformed> {
        Ok(Self { detail: text(fault.detail.as_ref()), tried_for: fault.tried_for })
    }
}

fn fault_of<C: Cause + std::fmt::Display>(cause: &C) -> Fault {
    let mut fault = Fault { code: C::CODE, message: cause.to_string(), ..Fault::default() };
    cause.write(&mut fault);
    fault
}

impl From<&NotifyError> for Fault {
    fn from(error: &NotifyError) -> Self {
        fault_of(error)
    }
}

impl TryFrom<&Fault> for NotifyError {
    type Error = Malformed;

    fn try_from(fault: &Fault) -> Result<Self, Malformed> {
        Self::read(fault)
    }
}

/// An operation's error, read of a fault.
pub trait FromFault: Sized {
    /// Reads it. A cause that the operation cannot have is that the host is not to be relied on.
    ///
    /// # Errors
    /// [`Malformed`] when an id in it is none.
    fn from_fault(fault: &Fault) -> Result<Self, Malformed>;

    /// Says that the host is gone.
    fn lost(lost: HostLost) -> Self;
}

macro_rules! operation {
    ($($error:ident: $($cause:ident),+;)*) => {
        $(
            impl From<$error> for Fault {
                fn from(error: $error) -> Self {
                    match error {
                        $($error::$cause(cause) => fault_of(&cause),)+
                        other => Self { code: other.code().0, message: other.to_string(), ..Self::default() },
                    }
                }
            }

            impl FromFault for $error {
                fn from_fault(fault: &Fault) -> Result<Self, Malformed> {
                    Ok(match fault.code {
                        $($cause::CODE => $cause::read(fault)?.into(),)+
                        _ => HostLost {
                            session_id: None,
                            detail: format!("it answered with an error that is none of this operation's: {}", fault.message),
                        }.into(),
                    })
                }

                fn lost(lost: HostLost) -> Self {
                    lost.into()
                }
            }
        )*

        #[cfg(test)]
        fn round_trips(fault: &Fault) {
            $(
                let back = $error::from_fault(fault).unwrap();
                if back.code().0 == fault.code {
                    assert_eq!(Fault::from(back), *fault);
                } else {
                    assert!(matches!(back, $error::HostLost(_)));
                }
            )*
        }
    };
}

operation! {
    CreateError: InvalidSpec, Unsupported, LimitReached, EngineFailure, OwnedElsewhere, StorageFailed, HostLost;
    ResumeError: UnknownSession, SessionClosed, OwnedElsewhere, Corrupt, StorageFailed, EngineFailure, HostLost;
    ListError: Corrupt, EngineFailure, HostLost;
    DeleteError: UnknownSession, OwnedElsewhere, StorageFailed, HostLost;
    ExecuteError: InvalidSource, KeyReused, LimitReached, ShuttingDown, SessionClosed, EngineFailure, OwnedElsewhere, StorageFailed, HostLost;
    ForkError: UnknownSession, InvalidRequest, HistoryCut, Unsupported, OwnedElsewhere, Corrupt, StorageFailed, EngineFailure, HostLost;
    StoredError: Unsupported, SessionClosed, OwnedElsewhere, StorageFailed, HostLost;
    SetToolsError: InvalidSpec, ShuttingDown, SessionClosed, OwnedElsewhere, StorageFailed, HostLost;
    WaitError: InvalidRequest, UnknownCell, OutcomeExpired, OwnedElsewhere, StorageFailed, HostLost;
    TerminateError: UnknownCell, OutcomeExpired, OwnedElsewhere, StorageFailed, HostLost;
    ShutdownError: OwnedElsewhere, StorageFailed, HostLost;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_comes_back_with_its_data() {
        let session_id = SessionId::new("session-1").unwrap();
        let cell_id = CellId::new("cell-1").unwrap();
        let (detail, problem) = ("the disk is full".to_owned(), "is 0".to_owned());
        let faults = [
            fault_of(&InvalidSpec { field: "tools", problem: problem.clone() }),
            fault_of(&InvalidRequest { field: "cells", problem: problem.clone() }),
            fault_of(&InvalidSource { problem }),
            fault_of(&LimitReached::new("running_cells", 2, vec![cell_id.clone()])),
            fault_of(&ShuttingDown { session_id: session_id.clone() }),
            fault_of(&SessionClosed { session_id: session_id.clone() }),
            fault_of(&UnknownCell { cell_id: cell_id.clone() }),
            fault_of(&KeyReused { cell_id: cell_id.clone() }),
            fault_of(&OutcomeExpired { cell_id }),
            fault_of(&UnknownSession { session_id: session_id.clone() }),
            fault_of(&Unsupported { field: "durability", value: "journaled", offered: "ephemeral" }),
            fault_of(&HostLost { session_id: Some(session_id.clone()), detail: detail.clone() }),
            fault_of(&Corrupt { session_id: session_id.clone(), detail: detail.clone() }),
            fault_of(&EngineFailure { detail: detail.clone() }),
            fault_of(&HistoryCut {
                session_id: session_id.clone(),
                asked: "event 1".into(),
                first: "event 5".into(),
            }),
            fault_of(&StorageFailed { session_id: session_id.clone(), detail: detail.clone() }),
            fault_of(&OwnedElsewhere { session_id, owner: detail }),
        ];
        for fault in faults {
            assert!(!fault.message.is_empty());
            assert_eq!(crate::decode::<Fault>(&crate::encode(&fault)).unwrap(), fault);
            round_trips(&fault);
        }
    }

    #[test]
    fn an_error_that_came_later_is_told_with_its_message() {
        let fault = Fault { code: 999, message: "do a new thing".into(), ..Fault::default() };
        let Ok(WaitError::HostLost(lost)) = WaitError::from_fault(&fault) else {
            panic!("it is unknown here")
        };
        assert!(lost.detail.contains("do a new thing"));
    }
}
