//! The one boxed-future alias that all traits of this crate share.

use std::pin::Pin;

/// A boxed future that yields a `T` or fails with an `E`.
///
/// Boxed, so that the traits are usable as `Arc<dyn …>`; `Send`, so that any executor can move it.
pub type CodeModeFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;
