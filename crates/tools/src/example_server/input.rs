//! The server's input, watched for its end.
//!
//! rmcp gives calls that are under way when its input ends 5 s to finish. Nobody is left to read their answers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

/// A reader that fires a token at its end.
pub(super) struct Watched<R> {
    pub(super) input: R,
    pub(super) ended: CancellationToken,
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.remaining();
        let read = ready!(Pin::new(&mut this.input).poll_read(cx, buf));
        if read.is_err() || buf.remaining() == before {
            this.ended.cancel();
        }
        Poll::Ready(read)
    }
}
