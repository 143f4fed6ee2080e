//! Sessions whose cells are checked before they run: nothing that fails the check happens, and no check is skipped in silence.

use super::delegate::Seen;
use super::harness::{Harness, run, text_of};
use crate::{CellErrorKind, SessionMode};

/// A cell with a type error does nothing; where there is no checker it runs, and its outcome says that it was not checked.
pub async fn check_a_cell_is_checked_or_says_that_it_was_not(harness: Harness) {
    for mode in [SessionMode::Fresh, SessionMode::Persistent] {
        let session = harness
            .session_with(|spec| {
                spec.mode = mode;
                spec.check = true;
            })
            .await;
        let failed = run(&session, "await tools.echo(1);\nnobody_declared_this;").await;
        let cell_id = failed.observation.cell_id.clone();
        let error = failed.error.expect("the cell fails");
        let called = harness
            .delegate
            .seen()
            .iter()
            .any(|seen| matches!(seen, Seen::Called(cell, _) if *cell == cell_id));
        if error.kind == CellErrorKind::Types {
            assert!(!called, "a cell that failed its check called a tool");
            assert_eq!(error.location.map(|location| location.line), Some(2));
            assert!(error.message.contains("nobody_declared_this"), "{}", error.message);
        } else {
            assert!(called, "{error:?}");
            assert!(
                failed.warnings.iter().any(|warning| warning.contains("was not checked")),
                "{:?}",
                failed.warnings
            );
        }
        assert_eq!(text_of(&session, "text(await tools.echo('still here'))").await, "still here");
    }
}

/// Without it, nothing is checked and nothing said.
pub async fn check_is_off_unless_asked_for(harness: Harness) {
    let session = harness.session().await;
    let failed = run(&session, "nobody_declared_this").await;
    assert_eq!(failed.error.expect("the cell fails").kind, CellErrorKind::Thrown);
    assert_eq!(failed.warnings, Vec::<String>::new());
}
