//! What was used up, as far back as that is remembered.

use std::borrow::Borrow;
use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// How many are remembered.
const REMEMBERED: usize = 4096;

/// The last ones that were used up, each once.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    order: VecDeque<T>,
    known: HashSet<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { order: VecDeque::new(), known: HashSet::new() }
    }
}

impl<T: Clone + Eq + Hash> Recent<T> {
    pub(crate) fn contains<Q: Eq + Hash + ?Sized>(&self, it: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.known.contains(it)
    }

    /// Remembers one, in place of the oldest when there are many.
    pub(crate) fn push(&mut self, it: T) {
        if !self.known.insert(it.clone()) {
            return;
        }
        self.order.push_back(it);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets one. Returns whether it was known.
    pub(crate) fn take(&mut self, it: &T) -> bool {
        let was_known = self.known.remove(it);
        if was_known {
            self.order.retain(|other| other != it);
        }
        was_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known() {
        let mut recent = Recent::default();
        (0..=REMEMBERED).for_each(|it| recent.push(it));
        recent.push(1);
        assert!(!recent.contains(&0) && recent.contains(&1) && recent.contains(&REMEMBERED));
        assert!(recent.take(&1) && !recent.take(&1));
        recent.push(1);
        recent.push(REMEMBERED + 1);
        assert!(!recent.contains(&2) && recent.contains(&1), "it is a new one");
    }
}
