//! Where a session's callbacks go: another delegate may take the place of the one that there was.

use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::CodeModeSessionDelegate;

/// See the [module](self).
pub(super) struct DelegateSlot(Mutex<Arc<dyn CodeModeSessionDelegate>>);

impl DelegateSlot {
    pub(super) fn new(delegate: Arc<dyn CodeModeSessionDelegate>) -> Self {
        Self(Mutex::new(delegate))
    }

    pub(super) fn get(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = delegate;
    }
}
