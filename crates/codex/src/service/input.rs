//! What of a cell's inputs a client can read.
//!
//! Its reader of JSON is stricter than the language: it takes no half of a surrogate pair, and only so many levels. Over JSON
//! it gives the connection up, with all its cells, for what it cannot read. So that is refused here, in the words of the
//! observed host, which has the same reader.

use std::fmt;

use carrel_contract::JsonText;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The levels that an input has at most: the reader takes 127, and the message around an input is three of them.
const MOST_LEVELS: usize = 124;

/// Checks that a client can read an input.
///
/// # Errors
/// The words for the cell.
pub(super) fn check(input: &JsonText) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_str(input.as_str());
    let read = Readable { levels: MOST_LEVELS }.deserialize(&mut reader);
    read.map_err(|error| format!("failed to serialize JavaScript value: {error}"))
}

/// A value of at most so many levels, which is read and passed over.
#[derive(Clone, Copy)]
struct Readable {
    levels: usize,
}

impl Readable {
    fn below<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("recursion limit exceeded"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Readable {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while seq.next_element_seed(below)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while map.next_key_seed(below)?.is_some() {
            map.next_value_seed(below)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), String> {
        check(&JsonText::parse(text).unwrap())
    }

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn what_a_strict_reader_reads_passes() {
        let most = nested(MOST_LEVELS);
        for text in ["null", "-0", "1e308", r#"{"a":[true,"\ud83d\ude00",1.5,-7]}"#, &most] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
        // With the message around it, as the client reads it.
        let message = format!(r#"{{"request":{{"invocation":{{"input":{most}}}}}}}"#);
        serde_json::from_str::<serde_json::Value>(&message).unwrap();
    }

    #[test]
    fn what_it_does_not_read_is_refused() {
        for (text, why) in [
            (nested(MOST_LEVELS + 1).as_str(), "recursion limit exceeded at line 1 column 126"),
            (&nested(100_000), "recursion limit exceeded at line 1 column 125"),
            (r#""\ud800""#, "unexpected end of hex escape at line 1 column 8"),
            (r#"{"a\ud800":1}"#, "unexpected end of hex escape at line 1 column 10"),
            ("1e999", "number out of range at line 1 column 5"),
        ] {
            let error = checked(text).unwrap_err();
            assert_eq!(error, format!("failed to serialize JavaScript value: {why}"));
        }
    }
}
