//! Why the journal of a session is written no more.

use carrel_contract::error::{OwnedElsewhere, StorageFailed};

/// Why nothing more is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Storage(StorageFailed),
    Owner(OwnedElsewhere),
}

/// Makes the error of an operation of what keeps the session from being written.
macro_rules! trouble_of {
    ($($operation:ty),+) => {
        $(impl From<Trouble> for $operation {
            fn from(trouble: Trouble) -> Self {
                match trouble {
                    Trouble::Storage(error) => error.into(),
                    Trouble::Owner(error) => error.into(),
                }
            }
        })+
    };
}

trouble_of!(
    carrel_contract::error::CreateError,
    carrel_contract::error::ResumeError,
    carrel_contract::error::ExecuteError,
    carrel_contract::error::SetToolsError,
    carrel_contract::error::StoredError,
    carrel_contract::error::WaitError,
    carrel_contract::error::TerminateError,
    carrel_contract::error::ShutdownError
);

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(error) => f.write_str(&error.detail),
            Self::Owner(error) => error.fmt(f),
        }
    }
}
