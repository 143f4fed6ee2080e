//! What comes off the stream: frames put together to messages, within bounds, and credit for what was taken.

use carrel_wire::frame::{self, Kind, SLOTS};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{LinkError, Outbox};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// A large message of which a part is here.
struct Partial {
    stream: u32,
    bytes: Vec<u8>,
}

/// Who messages are for.
pub(crate) trait Receiver {
    /// Returns the longest message that is taken on a stream just now.
    fn longest(&self, stream: u32) -> usize;

    /// Takes a message.
    ///
    /// # Errors
    /// When the connection cannot go on.
    fn take(&mut self, stream: u32, message: &[u8]) -> Result<(), LinkError>;
}

/// Reads messages until the stream ends and hands each on.
///
/// Of each of the few large messages under way no more is kept than is taken on its stream.
pub(crate) async fn read_messages(
    reader: &mut (impl AsyncRead + Unpin),
    outbox: &Outbox,
    receiver: &mut impl Receiver,
) -> Result<(), LinkError> {
    let mut partials: [Option<Partial>; SLOTS] = [const { None }; SLOTS];
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
            match frame.kind {
                Kind::Credit => {
                    outbox.take_credit(stream, frame.credit()?);
                    continue;
                }
                Kind::Whole => receiver.take(stream, frame.payload)?,
                Kind::Chunk { slot, last } => {
                    let Some(slot) = partials.get_mut(slot) else { continue };
                    let partial = slot.get_or_insert_with(|| Partial { stream, bytes: Vec::new() });
                    if partial.stream != stream {
                        return Err(LinkError::Protocol("a slot has chunks of two messages"));
                    }
                    if frame.payload.is_empty()
                        || partial.bytes.len() + frame.payload.len() > receiver.longest(stream)
                    {
                        return Err(LinkError::Protocol(
                            "a message is longer than was agreed, or a chunk is empty",
                        ));
                    }
                    partial.bytes.extend_from_slice(frame.payload);
                    if let Some(whole) = slot.take_if(|_| last) {
                        receiver.take(stream, &whole.bytes)?;
                    }
                }
            }
            outbox.took(stream, frame.payload.len())?;
        }
        bytes.drain(..done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Got(Vec<Vec<u8>>);

    impl Receiver for Got {
        fn longest(&self, _: u32) -> usize {
            100
        }

        fn take(&mut self, _: u32, message: &[u8]) -> Result<(), LinkError> {
            self.0.push(message.to_vec());
            Ok(())
        }
    }

    async fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, LinkError> {
        let mut got = Got(Vec::new());
        read_messages(&mut &*bytes, &Outbox::new(), &mut got).await?;
        Ok(got.0)
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

    #[tokio::test]
    async fn a_peer_is_held_to_its_room() {
        let mut bytes = Vec::new();
        while bytes.len() <= frame::WINDOW {
            frame::write(0, Kind::Whole, &[0; 10_000], &mut bytes);
        }
        let told = read(&bytes).await.unwrap_err().to_string();
        assert!(told.contains("more on a stream than it has room for"), "{told}");
    }
}
