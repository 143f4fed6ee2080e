//! A turn for others.

use std::future::poll_fn;
use std::mem::replace;
use std::task::Poll;

/// Lets what else is ready on this thread go first. `tokio::task::yield_now` does that too, and looks for input before,
/// which is a system call each time.
pub(crate) async fn turn() {
    let mut had_theirs = false;
    poll_fn(|context| {
        if replace(&mut had_theirs, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
