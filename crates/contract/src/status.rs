//! How a delegate tells a session how a call gets on.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Tells a session how one of its calls gets on, while it goes on. Cheap to clone; what is told after the call was
/// answered is ignored, and nothing blocks.
#[derive(Clone, Default)]
pub struct CallStatus(Option<Arc<dyn CallObserver>>);

/// What a session does with what it is told. Implemented by providers.
pub trait CallObserver: Send + Sync {
    /// The call got on.
    fn progress(&self, progress: ToolProgress);

    /// The call waits for a person, who was asked this.
    fn person_awaited(&self, question: &str);

    /// The person answered, or is no longer waited for.
    fn person_answered(&self);
}

/// How far a call has come, as its tool says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolProgress {
    /// How much of it is done, from 0 to 100, where the tool knows how much there is to do.
    #[serde(default)]
    pub percent: Option<u8>,
    /// What it is doing.
    #[serde(default)]
    pub message: Option<String>,
}

impl CallStatus {
    /// Makes the handle of a call that is observed.
    #[must_use]
    pub fn new(observer: Arc<dyn CallObserver>) -> Self {
        Self(Some(observer))
    }

    /// Tells that the call got on. A session keeps a few of these a second and drops the rest.
    pub fn progress(&self, progress: ToolProgress) {
        if let Some(observer) = &self.0 {
            observer.progress(progress);
        }
    }

    /// Tells that the call waits for a person, until what this returns is dropped. That time counts neither as the
    /// tool's nor as the cell's.
    #[must_use = "the person is waited for as long as this lives"]
    pub fn await_person(&self, question: &str) -> PersonAwaited {
        if let Some(observer) = &self.0 {
            observer.person_awaited(question);
        }
        PersonAwaited(self.clone())
    }
}

impl fmt::Debug for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallStatus").field(&self.0.is_some()).finish()
    }
}

/// A person is waited for. Dropping it says that they no longer are.
#[derive(Debug)]
pub struct PersonAwaited(CallStatus);

impl Drop for PersonAwaited {
    fn drop(&mut self) {
        if let Some(observer) = &self.0.0 {
            observer.person_answered();
        }
    }
}
