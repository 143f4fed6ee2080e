//! Listing and deleting.

use std::sync::Arc;

use carrel_contract::SessionId;
use futures::executor::block_on;

use super::{entry, read_all, session};
use crate::error::AppendError;
use crate::{Owner, Position, Store};

pub fn sessions_are_listed_in_order_and_in_parts(store: Arc<dyn Store>) {
    for name in ["b", "a", "A", "a:1", "z", "a.1"] {
        block_on(store.append(&session(name), Position::START, vec![entry("x")])).unwrap();
    }
    let owner = Owner::new("somebody").unwrap();
    let ttl = std::time::Duration::from_secs(1);
    block_on(store.acquire(&session("only-leased"), &owner, ttl, 0)).unwrap();
    let list = |after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(session);
        let listed = block_on(store.list(after.as_ref(), limit)).unwrap();
        listed.iter().map(SessionId::to_string).collect()
    };
    assert_eq!(list(None, 100), ["A", "a", "a.1", "a:1", "b", "z"]);
    assert_eq!(list(None, 2), ["A", "a"]);
    assert_eq!(list(Some("a"), 2), ["a.1", "a:1"]);
    assert_eq!(list(Some("a:"), 100), ["a:1", "b", "z"], "the session after which need not be there");
    assert!(list(Some("z"), 100).is_empty() && list(None, 0).is_empty());
}

pub fn a_deleted_session_is_gone_and_others_are_not(store: Arc<dyn Store>) {
    let (gone, stays) = (session("gone"), session("stays"));
    for id in [&gone, &stays] {
        block_on(store.append(id, Position::START, vec![entry("a"), entry("b")])).unwrap();
    }
    assert!(block_on(store.delete(&gone)).unwrap());
    assert!(!block_on(store.delete(&gone)).unwrap());
    assert_eq!(block_on(store.head(&gone)).unwrap(), None);
    assert!(read_all(&store, &gone).is_empty());
    assert_eq!(block_on(store.list(None, 10)).unwrap(), std::slice::from_ref(&stays));
    assert_eq!(read_all(&store, &stays).len(), 2);
    let refused = block_on(store.append(&gone, Position(2), vec![entry("c")])).unwrap_err();
    assert_eq!(refused, AppendError::Conflict { expected: Position(2), actual: Position::START });
}
