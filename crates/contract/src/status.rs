//! How a delegate tells a session how a call gets on.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CodeModeFuture, ToolError};

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

    /// A person is asked whether the call is to be made at all: nothing of it has left yet. A session that is lost
    /// meanwhile makes it anew. Resolves when that is known for good. By default this is any wait for a person.
    fn approval_awaited(&self, question: &str) -> CodeModeFuture<'_, (), ToolError> {
        self.person_awaited(question);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Resolves when it is known for good that the call may leave now.
    fn approval_given(&self) -> CodeModeFuture<'_, (), ToolError> {
        self.person_answered();
        Box::pin(std::future::ready(Ok(())))
    }

    /// The call is not made, or nobody is asked any more.
    fn approval_over(&self) {
        self.person_answered();
    }
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

    /// Tells that a person is asked whether the call is to be made: before anything of it has left. That time counts as
    /// with [`await_person`](Self::await_person). Whoever asks does so when this has resolved, and lets the call leave only
    /// after [`given`](ApprovalAwaited::given) has. Then a session that is lost knows of each call whether it was made.
    ///
    /// # Errors
    /// When the session cannot write that down.
    pub async fn await_approval(&self, question: &str) -> Result<ApprovalAwaited, ToolError> {
        let awaited = ApprovalAwaited(Some(self.clone()));
        if let Some(observer) = &self.0 {
            observer.approval_awaited(question).await?;
        }
        Ok(awaited)
    }
}

/// A person is asked whether a call is to be made. Dropping it says that it is not, or that nobody is asked any more.
#[derive(Debug)]
#[must_use = "a call that is approved may leave once `given` resolves"]
pub struct ApprovalAwaited(Option<CallStatus>);

impl ApprovalAwaited {
    /// Tells that the call is to be made, and waits until it may leave. A session that is lost before that asks again; one
    /// that is lost after it does not know what became of the call.
    ///
    /// # Errors
    /// When the session cannot write that down: the call must not be made.
    pub async fn given(mut self) -> Result<(), ToolError> {
        match self.0.take() {
            Some(CallStatus(Some(observer))) => observer.approval_given().await,
            _ => Ok(()),
        }
    }
}

impl Drop for ApprovalAwaited {
    fn drop(&mut self) {
        if let Some(CallStatus(Some(observer))) = &self.0 {
            observer.approval_over();
        }
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
