//! The cells that left a persistent session its variables, for whoever checks the next one against them.
//!
//! They are kept within bounds. Of those that fall out, the names remain, which may hold anything then.

use std::collections::{BTreeSet, VecDeque};

use carrel_contract::EarlierCell;
use carrel_typescript::prepare;

/// The most cells that are kept.
const CELLS: usize = 400;
/// The most bytes of their sources.
const SOURCE_BYTES: usize = 512 * 1024;

/// The cells that left something, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    cells: VecDeque<EarlierCell>,
    bytes: usize,
    /// What those declared that are not kept any more.
    forgotten: BTreeSet<String>,
}

impl Earlier {
    pub(crate) fn push(&mut self, cell: EarlierCell) {
        let declared = names(&cell.source);
        // `globalThis.x = 1` declares, too, in its way.
        if declared.is_empty() && !cell.source.contains("globalThis") {
            return;
        }
        for name in &declared {
            self.forgotten.remove(name);
        }
        self.bytes += cell.source.len();
        self.cells.push_back(cell);
        while self.cells.len() > CELLS || self.bytes > SOURCE_BYTES {
            let Some(oldest) = self.cells.pop_front() else { break };
            self.bytes -= oldest.source.len();
            self.forgotten.extend(names(&oldest.source));
        }
    }

    /// Returns them, the oldest first.
    pub(crate) fn cells(&self) -> Vec<EarlierCell> {
        let names: Vec<_> = self.forgotten.iter().map(String::as_str).collect();
        let forgotten = (!names.is_empty())
            // Of a cell that did not complete, variables may hold anything.
            .then(|| EarlierCell::new(format!("var {};", names.join(", ")).into(), false));
        forgotten.into_iter().chain(self.cells.iter().cloned()).collect()
    }
}

fn names(source: &str) -> Vec<String> {
    let declared = prepare(source).map(|prepared| prepared.declarations).unwrap_or_default();
    declared.into_iter().map(|declaration| declaration.name).filter(|name| name != "default").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(earlier: &mut Earlier, source: &str) {
        earlier.push(EarlierCell::new(source.into(), true));
    }

    #[test]
    fn cells_that_declare_nothing_are_not_kept() {
        let mut earlier = Earlier::default();
        push(&mut earlier, "text(1)");
        assert!(earlier.cells().is_empty());
        push(&mut earlier, "globalThis.a = 1");
        push(&mut earlier, "type T = 1");
        assert_eq!(earlier.cells().len(), 2);
    }

    #[test]
    fn of_cells_that_fall_out_the_names_remain() {
        let mut earlier = Earlier::default();
        push(&mut earlier, "const a = 1, b = 2;");
        push(&mut earlier, &format!("const big = '{}';", "x".repeat(SOURCE_BYTES - 20)));
        let cells = earlier.cells();
        assert_eq!(&*cells[0].source, "var a, b;");
        assert!(!cells[0].completed);
        push(&mut earlier, "const b = 3;");
        let cells = earlier.cells();
        assert_eq!(
            cells.iter().map(|cell| &*cell.source).collect::<Vec<_>>(),
            ["var a, big;", "const b = 3;"]
        );
    }

    #[test]
    fn any_number_of_cells_is_kept_in_bounded_space() {
        let mut earlier = Earlier::default();
        for n in 0..2 * CELLS {
            push(&mut earlier, &format!("let v{} = {n};", n % 10));
        }
        assert_eq!(earlier.cells.len(), CELLS);
        assert!(earlier.forgotten.len() <= 10);
    }
}
