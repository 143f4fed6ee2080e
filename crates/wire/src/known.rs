//! Names that errors carry as `&'static str`, read from a peer that is not trusted.
//!
//! A name that this process has not seen is kept for ever, so only a bounded number of bounded ones is.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

const MOST: usize = 256;
const LONGEST: usize = 64;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Returns the name; `"?"` when it is too long, or there are too many.
pub(crate) fn name(name: &str) -> &'static str {
    if name.len() > LONGEST {
        return "?";
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name) {
        Some(known) => known,
        None if names.len() < MOST => {
            let known: &'static str = Box::leak(name.to_owned().into_boxed_str());
            names.insert(known);
            known
        }
        None => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_in_length_and_number() {
        assert_eq!(name("tools"), "tools");
        assert_eq!(name(&"x".repeat(65)), "?");
        let unknown = (0..1000).filter(|n| name(&format!("name {n}")) == "?").count();
        assert!(unknown >= 1000 - MOST);
    }
}
