//! Reads a journal that its owner may cut meanwhile.
//!
//! Whoever looks at a session does not take it over. So what a reader was told a moment ago may be gone when it asks for it:
//! entries that a fold stands for by now, and the blobs that only they used. To the reader that looks like damage. It is none
//! if the journal begins elsewhere than when the reading began, and then the whole is read anew.

use carrel_contract::SessionId;

use crate::{Position, Store};

/// How often a journal is read that is cut every time.
const ATTEMPTS: usize = 10;

/// Does `read`, and if that fails on a journal that was cut or deleted meanwhile does it again, ten times at most. Cancel safe
/// if `read` is.
///
/// # Errors
/// Those of the last `read`.
pub async fn reread<T, E, F>(
    store: &dyn Store,
    session: &SessionId,
    mut read: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut first = first_entry(store, session).await;
    for _ in 1..ATTEMPTS {
        let result = read().await;
        if result.is_ok() {
            return result;
        }
        let now = first_entry(store, session).await;
        if now == first {
            return result;
        }
        first = now;
    }
    read().await
}

/// Returns the first entry of a journal; `None` also when the store cannot say.
async fn first_entry(store: &dyn Store, session: &SessionId) -> Option<Position> {
    store.head(session).await.ok().flatten().map(|head| head.first)
}
