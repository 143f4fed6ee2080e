//! A JSON value kept as its text.
//!
//! Values pass through Carrel between a guest and a tool; nobody on the way needs them as a tree, so they
//! travel as checked text and are shared instead of copied.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::InvalidJson;

/// One JSON value as UTF-8 text that is known to be valid JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// [`InvalidJson`] with the line and column of the first fault.
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        serde_json::from_str::<&RawValue>(text).map(|raw| Self(raw.get().into())).map_err(|e| InvalidJson {
            line: e.line(),
            column: e.column(),
            message: e.to_string(),
        })
    }

    /// Writes a value as JSON text.
    #[must_use]
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// Reads the text as a tree.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        // Valid by construction; a number outside f64 or nesting over serde's limit is all that can fail.
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }

    /// Returns the text as a shared string, without a copy.
    #[must_use]
    pub fn into_shared(self) -> Arc<str> {
        self.0
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_and_trims_what_surrounds_it() {
        assert_eq!(JsonText::parse(" {\"a\":[1,2]} ").unwrap().as_str(), "{\"a\":[1,2]}");
    }

    #[test]
    fn says_where_it_is_wrong() {
        let error = JsonText::parse("{\"a\":\n nope}").unwrap_err();
        assert_eq!(error.line, 2);
    }
}
