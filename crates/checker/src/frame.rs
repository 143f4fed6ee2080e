//! Frames of JSON-RPC over a stream: a header that says how long the message is, as language servers have it, and the
//! message.

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message that is read: a thousand times what an honest one has.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// The longest line of a header.
const MAX_HEADER_BYTES: u64 = 1024;

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenStream {
    #[error("it closed its output")]
    Closed,
    #[error("its output cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("it sent what is no message: {0}")]
    Garbage(String),
}

/// Reads a message. Not cancel safe.
pub(crate) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncBufRead + Unpin),
) -> Result<T, BrokenStream> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        stream.take(MAX_HEADER_BYTES).read_until(b'\n', &mut line).await?;
        if !line.ends_with(b"\n") {
            return Err(if line.is_empty() { BrokenStream::Closed } else { garbage(&line) });
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            break;
        }
        let (name, value) = match text.iter().position(|byte| *byte == b':') {
            Some(colon) => text.split_at(colon),
            None => return Err(garbage(&line)),
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            length = str::from_utf8(value).ok().and_then(|value| value.parse::<usize>().ok());
        }
    }
    let length = length.ok_or_else(|| BrokenStream::Garbage("a header without a length".to_owned()))?;
    if length > MAX_MESSAGE_BYTES {
        return Err(BrokenStream::Garbage(format!("a message of {length} bytes")));
    }
    let mut message = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut message).await?;
    if read < length {
        return Err(BrokenStream::Closed);
    }
    serde_json::from_slice(&message).map_err(|error| BrokenStream::Garbage(error.to_string()))
}

fn garbage(line: &[u8]) -> BrokenStream {
    BrokenStream::Garbage(String::from_utf8_lossy(line).trim().chars().take(80).collect())
}

/// Writes a message. Not cancel safe.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> std::io::Result<()> {
    stream.write_all(format!("Content-Length: {}\r\n\r\n", message.len()).as_bytes()).await?;
    stream.write_all(message).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn read_all(mut bytes: &[u8]) -> Result<Value, BrokenStream> {
        read(&mut bytes).await
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, br#"{"id":1}"#).await.unwrap();
        assert_eq!(read_all(&bytes).await.unwrap(), json!({ "id": 1 }));
    }

    #[tokio::test]
    async fn what_is_no_message_is_told_from_an_end() {
        assert!(matches!(read_all(b"").await, Err(BrokenStream::Closed)));
        assert!(matches!(read_all(b"Content-Length: 9\r\n\r\n{}").await, Err(BrokenStream::Closed)));
        let garbage: [&[u8]; 5] = [
            b"hello\n",
            b"hello",
            b"\r\n{}",
            b"Content-Length: 99999999999\r\n\r\n{}",
            b"Content-Length: 2\r\n\r\n{]",
        ];
        for bytes in garbage {
            assert!(matches!(read_all(bytes).await, Err(BrokenStream::Garbage(_))), "{bytes:?}");
        }
    }
}
