//! The numbers that cells of a session are named by.

use carrel_contract::CellId;
use carrel_contract::error::InvalidId;

/// The place of a cell in its session, from 1. Never used again, so an id tells a cell that was from one that
/// never was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CellNumber(pub(crate) u64);

const PREFIX: &str = "cell-";

impl CellNumber {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn id(self) -> Result<CellId, InvalidId> {
        CellId::new(&format!("{PREFIX}{}", self.0))
    }

    /// Reads a number off an id; `None` when no cell was ever named so.
    pub(crate) fn of(id: &CellId) -> Option<Self> {
        let digits = id.as_str().strip_prefix(PREFIX)?;
        let number = Self(digits.parse().ok()?);
        (number.0 > 0 && number.id().is_ok_and(|same| same == *id)).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let number = CellNumber(7);
        assert_eq!(CellNumber::of(&number.id().unwrap()), Some(number));
        for other in ["cell-07", "cell-+7", "cell-0", "cell-", "7", "cell-99999999999999999999"] {
            assert_eq!(
                CellNumber::of(&CellId::new(other).unwrap_or_else(|_| CellId::new("x").unwrap())),
                None
            );
        }
    }
}
