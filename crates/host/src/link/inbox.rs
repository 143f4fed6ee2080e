//! What comes off the stream: frames put together to messages, within bounds, and credit for what was taken.

use std::collections::HashMap;

use carrel_wire::frame::{self, Kind, SLOTS, WINDOW};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{LinkError, Outbox};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// A large message of which a part is here.
struct Partial {
    stream: u32,
    bytes: Vec<u8>,
}

/// Reads messages until the stream ends and hands each to `deliver`, which tells whether its stream is one that goes on.
///
/// At most `max_message_bytes` are kept of each of the few large messages under way.
pub(crate) async fn read_messages(
    reader: &mut (impl AsyncRead + Unpin),
    outbox: &Outbox,
    max_message_bytes: usize,
    mut deliver: impl FnMut(u32, &[u8]) -> Result<bool, LinkError>,
) -> Result<(), LinkError> {
    let mut partials: [Option<Partial>; SLOTS] = [const { None }; SLOTS];
    let mut taken: HashMap<u32, usize> = HashMap::new();
    let mut bytes = Vec::with_capacity(READ);
    loop {
        bytes.reserve(READ / 2);
        if reader.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() {
                Ok(())
            } else {
                Err(LinkError::Protocol("it ended within a frame"))
            };
        }
        let mut done = 0;
        while let Some(frame) = frame::read(bytes.get(done..).unwrap_or_default())? {
            done += frame.size();
            let stream = frame.stream;
            let goes_on = match frame.kind {
                Kind::Credit => {
                    outbox.take_credit(stream, frame.credit()?);
                    continue;
                }
                Kind::Whole => deliver(stream, frame.payload)?,
                Kind::Chunk { slot, last } => {
                    let Some(slot) = partials.get_mut(slot) else { continue };
                    let partial = slot.get_or_insert_with(|| Partial { stream, bytes: Vec::new() });
                    if partial.stream != stream {
                        return Err(LinkError::Protocol("a slot has chunks of two messages"));
                    }
                    if frame.payload.is_empty()
                        || partial.bytes.len() + frame.payload.len() > max_message_bytes
                    {
                        return Err(LinkError::Protocol(
                            "a message is longer than was agreed, or a chunk is empty",
                        ));
                    }
                    partial.bytes.extend_from_slice(frame.payload);
                    match slot.take_if(|_| last) {
                        Some(whole) => deliver(stream, &whole.bytes)?,
                        None => true,
                    }
                }
            };
            if !goes_on {
                taken.remove(&stream);
                continue;
            }
            let sum = taken.entry(stream).or_default();
            *sum += frame.payload.len();
            if *sum >= WINDOW / 2 {
                outbox.give_credit(stream, u32::try_from(*sum).unwrap_or(u32::MAX));
                taken.remove(&stream);
            }
        }
        bytes.drain(..done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, LinkError> {
        let mut got = Vec::new();
        let deliver = |_: u32, message: &[u8]| {
            got.push(message.to_vec());
            Ok(true)
        };
        read_messages(&mut &*bytes, &Outbox::new(), 100, deliver).await?;
        Ok(got)
    }

    #[tokio::test]
    async fn half_a_frame_is_no_end() {
        let mut bytes = Vec::new();
        frame::write(1, Kind::Whole, b"whole", &mut bytes);
        assert_eq!(read(&bytes).await.unwrap(), [b"whole"]);
        assert!(matches!(read(&bytes[..bytes.len() - 1]).await, Err(LinkError::Protocol(_))));
    }

    #[tokio::test]
    async fn a_message_is_held_to_what_was_agreed() {
        let mut bytes = Vec::new();
        for _ in 0..3 {
            frame::write(1, Kind::Chunk { slot: 0, last: false }, &[0; 40], &mut bytes);
        }
        assert!(matches!(read(&bytes).await, Err(LinkError::Protocol(_))));
    }

    #[tokio::test]
    async fn a_slot_has_one_message() {
        let mut bytes = Vec::new();
        frame::write(1, Kind::Chunk { slot: 0, last: false }, b"a", &mut bytes);
        frame::write(2, Kind::Chunk { slot: 0, last: true }, b"b", &mut bytes);
        assert!(matches!(read(&bytes).await, Err(LinkError::Protocol(_))));
    }
}
