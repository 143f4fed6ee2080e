//! Frames of the JSON protocol: a length as u32 LE, then that many bytes of UTF-8 JSON, 64 MiB at most.
//!
//! A frame that is too long is a fault of whoever sends it: what comes after it cannot be read either.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest payload.
pub const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;
/// What is set aside for a payload before any of it has come: a length is only a claim.
const FIRST_BYTES: usize = 64 * 1024;

/// A message that does not fit a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("code-mode IPC frame length {length} exceeds {MAX_FRAME_BYTES} bytes")]
pub(crate) struct TooLong {
    /// What it would take.
    pub(crate) length: usize,
}

/// Writes a message as a frame.
///
/// # Errors
/// When it does not fit one.
pub(crate) fn encode(message: &impl Serialize) -> Result<Vec<u8>, TooLong> {
    let mut frame = vec![0; 4];
    // Messages are of plain data: writing them to memory cannot fail.
    serde_json::to_writer(&mut frame, message).map_err(|_| TooLong { length: frame.len() })?;
    let length = frame.len() - 4;
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME_BYTES);
    let prefix = prefix.ok_or(TooLong { length })?;
    if let Some(room) = frame.get_mut(..4) {
        room.copy_from_slice(&prefix.to_le_bytes());
    }
    Ok(frame)
}

/// Reads the payload of the next frame; `None` at the end of the stream, which may only come between two. Not cancel safe.
///
/// # Errors
/// When the stream fails, ends in a frame, or claims one that is too long.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    let mut filled = 0;
    while let Some(room) = prefix.get_mut(filled..).filter(|room| !room.is_empty()) {
        match stream.read(room).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    let length = u32::from_le_bytes(prefix) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong { length }));
    }
    let mut payload = Vec::with_capacity(length.min(FIRST_BYTES));
    stream.take(length as u64).read_to_end(&mut payload).await?;
    if payload.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(payload))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio_util::io::StreamReader;

    use super::*;

    /// PROTOCOL 91, 93.
    #[test]
    fn n091_n093_a_frame_is_one_block_behind_its_length() {
        assert_eq!(encode(&serde_json::json!({"a": 1})).unwrap(), b"\x07\0\0\0{\"a\":1}");
    }

    /// PROTOCOL 94: whatever the pieces in which it comes.
    #[tokio::test]
    async fn n094_a_frame_is_read_byte_by_byte() {
        let mut bytes = encode(&"hello").unwrap();
        bytes.extend(encode(&2).unwrap());
        let pieces = bytes.into_iter().map(|byte| io::Result::Ok(tokio_util::bytes::Bytes::from(vec![byte])));
        let mut stream = pin!(StreamReader::new(futures::stream::iter(pieces)));
        assert_eq!(read(&mut stream).await.unwrap().unwrap(), b"\"hello\"");
        assert_eq!(read(&mut stream).await.unwrap().unwrap(), b"2");
        assert_eq!(read(&mut stream).await.unwrap(), None);
    }

    /// PROTOCOL 92, 95: a stream ends between two frames and nowhere else.
    #[tokio::test]
    async fn n092_n095_a_stream_ends_between_frames_alone() {
        let whole = encode(&"hello").unwrap();
        for cut in 0..whole.len() {
            let read = read(&mut &whole[..cut]).await;
            assert_eq!(read.is_ok(), cut == 0, "{cut} bytes");
        }
    }

    /// PROTOCOL 96.
    #[tokio::test]
    async fn n096_a_length_over_the_limit_is_refused_before_anything_is_read() {
        let length = u32::try_from(MAX_FRAME_BYTES + 1).unwrap();
        let error = read(&mut &length.to_le_bytes()[..]).await.unwrap_err();
        assert_eq!(error.to_string(), "code-mode IPC frame length 67108865 exceeds 67108864 bytes");
        let long = "x".repeat(MAX_FRAME_BYTES);
        assert_eq!(encode(&long), Err(TooLong { length: MAX_FRAME_BYTES + 2 }));
    }
}
