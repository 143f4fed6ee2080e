//! What tools without an output schema were seen to return, kept in a file across sessions.
//!
//! Learning is a favour to the model and never in the way of a call: it looks at a bounded part of an answer, keeps a
//! bounded shape of it, and whatever goes wrong with the file leaves the call as it is.

mod file;
mod state;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use carrel_catalogue::observed::Observed;
use carrel_contract::{JsonText, ToolDescription, ToolOutput};

use crate::catalogue::{Catalogue, CatalogueEntry};
pub use file::SaveFailed;
use state::{Key, State};

/// The largest answer that is learned from, in bytes; from a larger one, up to `MAX_FIRST_BYTES`, only when it is the
/// first.
const MAX_BYTES: usize = 256 << 10;
const MAX_FIRST_BYTES: usize = 4 << 20;
/// From so many answers on, one in `ONE_IN` is looked at.
const MANY_ANSWERS: u64 = 64;
const ONE_IN: u64 = 8;

/// What tools were seen to return. Sessions, and delegates, may share one.
///
/// It is written down by [`save`](Self::save) and when it is dropped. What is known of a tool is forgotten when the
/// tool's input schema changes, and when an answer has nothing in common with those before: see
/// [`Observed::observe`].
#[derive(Debug)]
pub struct Learned {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

impl Learned {
    /// Knows nothing yet, and forgets everything when it is dropped.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { path: None, state: Mutex::default() }
    }

    /// Goes on from what a file holds. One that is not there, cannot be read or was written by another version counts as
    /// empty.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let state = State::new(file::read(&path));
        Self { path: Some(path), state: Mutex::new(state) }
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Writes down what was learned since the last time, if anything. Blocks for as long as the file system takes.
    ///
    /// The file is replaced as a whole, so whoever reads it finds all of it. What another process wrote of other tools
    /// in the meantime stays; of a tool that both learned about, the later one's knowledge does.
    ///
    /// # Errors
    /// [`SaveFailed`]; what was learned is still here.
    pub fn save(&self) -> Result<(), SaveFailed> {
        let Some(path) = &self.path else { return Ok(()) };
        let changed = {
            let mut state = self.lock();
            if state.changed.is_empty() {
                return Ok(());
            }
            state.take_changed()
        };
        let mut tools = file::read(path);
        tools.extend(changed.clone());
        file::write(path, &tools).inspect_err(|_| self.lock().changed.extend(changed.into_keys()))
    }

    /// Returns what a session is told of the tools: what their servers say, and what was learned where they say nothing.
    #[must_use]
    pub fn describe(&self, catalogue: &Catalogue) -> Vec<ToolDescription> {
        let mut tools = catalogue.descriptions();
        for (tool, entry) in tools.iter_mut().zip(catalogue.iter()) {
            if tool.output.is_none() {
                tool.output = self.output(entry);
            }
        }
        tools
    }

    /// Returns what a tool was seen to return.
    #[must_use]
    pub fn output(&self, entry: &CatalogueEntry) -> Option<ToolOutput> {
        let state = self.lock();
        let known = state.of(&key(entry), entry.input_schema.fingerprint())?;
        Some(ToolOutput { schema: JsonText::from_value(&known.schema()?), observed: true })
    }

    /// Learns from an answer of a tool whose server does not say what it returns.
    pub(crate) fn observe(&self, entry: &CatalogueEntry, answer: &JsonText) {
        if entry.output_schema.is_some() || answer.as_str().len() > MAX_FIRST_BYTES {
            return;
        }
        let (key, fingerprint) = (key(entry), entry.input_schema.fingerprint());
        {
            let mut state = self.lock();
            let calls = state.count(&key);
            let answers = state.of(&key, fingerprint).map_or(0, Observed::answers);
            let is_large = answer.as_str().len() > MAX_BYTES && answers > 0;
            if is_large || (answers >= MANY_ANSWERS && !calls.is_multiple_of(ONE_IN)) {
                return;
            }
        }
        // Not `to_value`, which turns what it cannot read into null.
        let Ok(value) = serde_json::from_str(answer.as_str()) else { return };
        self.lock().observe(key, fingerprint, &value);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Learned {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::warn!(%error, "failed to keep what tools were seen to return");
        }
    }
}

fn key(entry: &CatalogueEntry) -> Key {
    Key { server: entry.server.to_string(), tool: entry.tool.clone() }
}

#[cfg(test)]
mod tests;
