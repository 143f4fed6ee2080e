//! Section 6: stored values.

use super::harness::{Harness, event, run, start, terminated, text_of};
use crate::error::StoredError;
use crate::{EventKind, StoredKey};

/// What one cell stores, a later one loads: a copy, or undefined.
pub async fn s6_stored_values_carry_over(harness: Harness) {
    let session = harness.session().await;
    run(&session, "store('a', { n: [1, 'x'] }); store('b', null)").await;
    let source = "const a = load('a'); a.n.push(2); text([load('a'), load('b')]); text(load('c') === undefined); store('a', 5); text(load('a'))";
    assert_eq!(text_of(&session, source).await, "[{\"n\":[1,\"x\"]},null]\ntrue\n5");
    assert_eq!(text_of(&session, "text(load('a'))").await, "5");
    match session.stored().await {
        Ok(keys) => assert_eq!(keys, [StoredKey::new("a", 1), StoredKey::new("b", 4)]),
        // Not every provider knows.
        Err(error) => assert!(matches!(error, StoredError::Unsupported(_)), "{error}"),
    }
}

/// A termination discards the cell's uncommitted stores.
pub async fn s6_a_terminated_cell_stores_nothing(harness: Harness) {
    let session = harness.session().await;
    let started = start(&session, "store('k', 1); await tools.hang()").await;
    harness.called(&started.cell_id).await;
    terminated(session.terminate(started.cell_id).await.unwrap());
    assert_eq!(text_of(&session, "text(load('k') === undefined)").await, "true");
}

/// Stores are committed after success, an error or `exit()`.
pub async fn s6_a_failed_cell_stores_what_it_wrote(harness: Harness) {
    let session = harness.session().await;
    run(&session, "store('error', 1); throw new Error('later')").await;
    run(&session, "store('exit', 2); try { exit() } finally { store('exit', 3) }").await;
    assert_eq!(text_of(&session, "text([load('error'), load('exit')])").await, "[1,2]");
}

/// A cell sees what was committed when it was admitted; the last to commit wins, key by key.
pub async fn s6_a_cell_sees_what_was_committed_when_it_was_admitted(harness: Harness) {
    let session = harness.session().await;
    run(&session, "store('x', 'old'); store('y', 'old')").await;
    let waiting =
        start(&session, "text(load('x')); await tools.gate(); text(load('x')); store('x', 'waiter')").await;
    event(&session, &waiting.cell_id, |kind| matches!(kind, EventKind::Output { .. })).await;
    run(&session, "store('x', 'new'); store('y', 'new')").await;
    harness.delegate.open_gate();
    assert_eq!(waiting.first_response.await.unwrap().text(), "old\nold");
    assert_eq!(text_of(&session, "text([load('x'), load('y')])").await, r#"["waiter","new"]"#);
}

/// Over a quota `store` throws, and nothing is lost.
pub async fn s6_a_quota_is_an_error_the_cell_can_catch(harness: Harness) {
    let session = harness
        .session_with(|spec| {
            spec.limits.stored_value_bytes = 100;
            spec.limits.stored_bytes = 152;
            spec.limits.stored_keys = 2;
        })
        .await;
    let source = "
        const attempt = (key, size) => { try { store(key, 'x'.repeat(size - 2)); return 'kept' } catch (e) { return e.name + ': ' + e.message } };
        text(attempt('a', 101)); text(attempt('a', 90)); text(attempt('b', 90)); text(attempt('a', 60)); text(attempt('b', 90)); text(attempt('c', 3));";
    let text = text_of(&session, source).await;
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("QuotaError: ") && lines[0].ends_with("stored_value_bytes = 100"), "{text}");
    assert_eq!(lines[1], "kept");
    assert!(lines[2].ends_with("stored_bytes = 152"), "{text}");
    assert_eq!(lines[3..5], ["kept", "kept"]);
    // All 152 bytes are used, keys included, so the bytes are what a third key meets first.
    assert!(lines[5].starts_with("QuotaError: "), "{text}");
    assert_eq!(text_of(&session, "text([load('a').length, load('b').length])").await, "[58,88]");
    assert!(
        text_of(
            &session,
            "store('a', ''); store('b', ''); try { store('c', '') } catch (e) { text(e.message) }"
        )
        .await
        .ends_with("stored_keys = 2")
    );
}

/// Cells that run side by side are held to the quota together; what is not stored is named.
pub async fn s6_a_quota_holds_for_cells_side_by_side(harness: Harness) {
    let session = harness.session_with(|spec| spec.limits.stored_keys = 3).await;
    let mut cells = Vec::new();
    for n in 0..5 {
        let started = start(&session, &format!("store('key{n}', 1); await tools.gate()")).await;
        harness.called(&started.cell_id).await;
        cells.push(started);
    }
    harness.delegate.open_gate();
    let mut refused = 0;
    for started in cells {
        let ended = super::harness::completed(started.first_response.await.unwrap());
        refused += ended.warnings.iter().filter(|warning| warning.contains("not stored: key")).count();
    }
    assert_eq!(refused, 2);
    let count = "let n = 0; for (let i = 0; i < 5; i++) if (load('key' + i) === 1) n++; text(n)";
    assert_eq!(text_of(&session, count).await, "3");
}
