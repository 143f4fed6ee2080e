//! A tool's input schema, and what an input that does not fit is told.
//!
//! The schema comes from an upstream, so it may be anything. It is compiled when first needed, may refer to
//! nothing outside itself, and one that cannot be compiled checks nothing: its server still will.

mod compile;
mod fan;
mod fault;

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

pub use fault::{Fault, InvalidInput};

/// Faults that a message names; the rest are counted.
const MAX_FAULTS: usize = 5;
/// Faults that are counted.
const MAX_COUNTED: usize = 1000;

/// The schema of a tool's input.
pub struct InputSchema {
    document: Value,
    compiled: OnceLock<Result<Validator, String>>,
    fingerprint: OnceLock<u64>,
}

impl InputSchema {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, compiled: OnceLock::new(), fingerprint: OnceLock::new() }
    }

    /// Returns the schema as its server sent it.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns a number that another schema hardly has: what is known of a tool holds as long as this stays.
    pub(crate) fn fingerprint(&self) -> u64 {
        // FNV-1a, whose numbers are the same in every build.
        *self.fingerprint.get_or_init(|| {
            let text = self.document.to_string();
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            })
        })
    }

    /// Says why inputs are not checked against this schema; `None` when they are.
    ///
    /// Compiles the schema when nothing has before.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.validator().err()
    }

    /// Checks an input and says what does not fit: where, what, and what is accepted.
    ///
    /// # Errors
    /// [`InvalidInput`] with the first faults. A schema that cannot be compiled accepts everything.
    pub fn check(&self, input: &Value) -> Result<(), InvalidInput> {
        let Ok(validator) = self.validator() else {
            return Ok(());
        };
        let mut errors = validator.iter_errors(input);
        let mut faults: Vec<Fault> =
            errors.by_ref().take(MAX_FAULTS).map(|error| fault::describe(&self.document, &error)).collect();
        if faults.is_empty() {
            return Ok(());
        }
        faults.dedup();
        // Counting is bounded too: an input of a million wrong items is not worth a million messages.
        Err(InvalidInput { faults, more: errors.take(MAX_COUNTED).count() })
    }

    fn validator(&self) -> Result<&Validator, &str> {
        self.compiled.get_or_init(|| compile::compile(&self.document)).as_ref().map_err(String::as_str)
    }
}

impl std::fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("InputSchema").field(&self.document).finish()
    }
}

#[cfg(test)]
mod tests;
