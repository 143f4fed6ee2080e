//! The check of a cell's types, before anything of it runs.
//!
//! What fails it has done nothing. A checker that cannot tell does not keep a cell from running: its author is told.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::{
    CellError, CellErrorKind, CheckRequest, CheckerUnavailable, EarlierCell, TypeDiagnostic,
};
use carrel_typescript::{Place, excerpt};
use futures::FutureExt;

use super::actor::{Cell, End};
use super::callbacks::panic_text;

/// The most type errors of a cell that are told; what is wrong with the rest often goes with them.
const TOLD: usize = 10;

impl Cell {
    /// Checks the cell, which stands on earlier ones. Returns its end when it is not to run.
    pub(super) async fn check(&mut self, source: Arc<str>, earlier: Vec<EarlierCell>) -> Result<(), End> {
        let Some(checker) = self.core.shared.checker.clone() else {
            self.warnings.add("the cell was not checked before it ran: there is no type checker here");
            return Ok(());
        };
        let request = CheckRequest::new(Arc::clone(&source), Arc::clone(&self.tools.descriptions))
            .with_earlier(earlier)
            .of_cell(self.core.id.clone(), self.id.clone());
        let checked = AssertUnwindSafe(async { checker.check(request).await }).catch_unwind();
        let checked = tokio::select! {
            biased;
            reason = self.control.requested() => return Err(self.asked(reason)),
            checked = checked => checked,
        };
        let found = checked.unwrap_or_else(|panic| {
            Err(CheckerUnavailable::Failed { detail: format!("it panicked: {}", panic_text(&*panic)) })
        });
        match found {
            Ok(found) => failure(&found, &source).map_or(Ok(()), |error| Err(End::Failed(error))),
            Err(unavailable) => {
                self.warnings.add(&format!("the cell was not checked before it ran: {unavailable}"));
                Ok(())
            }
        }
    }
}

/// Returns the error of a cell with these faults; `None` when there are none.
fn failure(found: &[TypeDiagnostic], source: &str) -> Option<CellError> {
    let first = found.first()?;
    let count =
        if found.len() == 1 { "1 type error".to_owned() } else { format!("{} type errors", found.len()) };
    let mut message = format!("{count}; nothing of the cell was run");
    for TypeDiagnostic { location, code, message: text, .. } in found.iter().take(TOLD) {
        // Writing to a string does not fail.
        let _infallible = write!(message, "\n\n{}:{} {code}: {text}", location.line, location.column);
        for line in excerpt(source, Place { line: location.line, column: location.column })
            .iter()
            .flat_map(|it| it.lines())
        {
            let _infallible = write!(message, "\n  {line}");
        }
    }
    if let Some(more @ 1..) = found.len().checked_sub(TOLD) {
        let _infallible = write!(message, "\n\nand {more} more");
    }
    let mut error = CellError::new(CellErrorKind::Types, "TypeCheckError", message);
    error.location = Some(first.location);
    Some(error)
}

#[cfg(test)]
mod tests {
    use carrel_contract::Location;

    use super::*;

    fn found(line: u32, column: u32) -> TypeDiagnostic {
        TypeDiagnostic::new(Location { line, column }, "TS2304", "Cannot find name 'nope'.")
    }

    #[test]
    fn a_failure_shows_each_line_with_a_caret() {
        let error = failure(&[found(2, 6)], "text(1);\ntext(nope);").unwrap();
        assert_eq!(
            error.message,
            "1 type error; nothing of the cell was run\n\n2:6 TS2304: Cannot find name 'nope'.\n  text(nope);\n       ^"
        );
        assert_eq!(error.location, Some(Location { line: 2, column: 6 }));
        assert_eq!(failure(&[], ""), None);
    }

    #[test]
    fn only_the_first_of_many_are_told() {
        let many: Vec<_> = (1..=12).map(|column| found(1, column)).collect();
        let message = failure(&many, "nope").unwrap().message;
        assert!(message.starts_with("12 type errors;") && message.ends_with("\n\nand 2 more"), "{message}");
        assert_eq!(message.matches("TS2304").count(), TOLD);
    }
}
