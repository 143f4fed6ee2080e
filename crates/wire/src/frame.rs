//! Frames: how messages share one byte stream.
//!
//! ```text
//! length u32 LE | stream u32 LE | kind u8 | payload
//! ```
//!
//! `length` counts what follows it: 5 bytes and the payload, of at most [`MAX_PAYLOAD`]. A message that fits is one frame of
//! kind [`Kind::Whole`]. A larger one travels as chunks through one of [`SLOTS`] slots, in order within its slot, so that
//! other messages pass between them; the last chunk says that it is. [`Kind::Credit`] gives a stream's sender room: it may
//! have [`WINDOW`] bytes of payload under way on a stream, and each credit adds to that.

/// The bytes of a frame before its payload.
pub const HEADER: usize = 9;
/// The longest payload of a frame.
pub const MAX_PAYLOAD: usize = 32 * 1024;
/// The payload bytes that each stream may have under way, in each direction, before it is given credit.
pub const WINDOW: usize = 256 * 1024;
/// The large messages that may be under way at once, in each direction.
pub const SLOTS: usize = 4;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole message.
    Whole,
    /// A part of a large message.
    Chunk {
        /// The slot, from 0.
        slot: usize,
        /// Whether it is the last.
        last: bool,
    },
    /// Room for this many bytes more, as a u32 LE.
    Credit,
}

const WHOLE: u8 = 0;
const FIRST_SLOT: u8 = 2;
const CREDIT: u8 = 0xFF;

impl Kind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Whole => WHOLE,
            Self::Chunk { slot, last } => {
                u8::try_from(slot % SLOTS).unwrap_or_default() * 2 + FIRST_SLOT + u8::from(last)
            }
            Self::Credit => CREDIT,
        }
    }

    fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            WHOLE => Some(Self::Whole),
            CREDIT => Some(Self::Credit),
            byte => {
                let of_slot = byte.checked_sub(FIRST_SLOT)?;
                let (slot, last) = (usize::from(of_slot / 2), of_slot % 2 == 1);
                (slot < SLOTS).then_some(Self::Chunk { slot, last })
            }
        }
    }
}

/// A frame at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The stream it belongs to.
    pub stream: u32,
    /// What it is.
    pub kind: Kind,
    /// What it carries.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Returns how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        HEADER + self.payload.len()
    }

    /// Reads the room that a credit gives.
    ///
    /// # Errors
    /// [`InvalidFrame`] when it is not four bytes.
    pub fn credit(&self) -> Result<u32, InvalidFrame> {
        let bytes = <[u8; 4]>::try_from(self.payload)
            .map_err(|_| InvalidFrame::Credit { bytes: self.payload.len() })?;
        Ok(u32::from_le_bytes(bytes))
    }
}

/// Bytes that are no frame. The connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFrame {
    /// The stated length is not one of a frame.
    #[error("read a frame: it states {length} bytes; accepted is 5 to {}", MAX_PAYLOAD + HEADER - 4)]
    Length {
        /// What it states.
        length: u32,
    },
    /// The kind is not known.
    #[error("read a frame: {kind} is no kind of frame")]
    Kind {
        /// What it states.
        kind: u8,
    },
    /// A credit is not four bytes.
    #[error("read a credit: it has {bytes} bytes; accepted are 4")]
    Credit {
        /// What it has.
        bytes: usize,
    },
}

/// Reads the frame at the beginning of `bytes`; `None` when more bytes are needed.
///
/// # Errors
/// [`InvalidFrame`] when no further byte can make it one.
pub fn read(bytes: &[u8]) -> Result<Option<Frame<'_>>, InvalidFrame> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let stated = u32::from_le_bytes(*length);
    let length = usize::try_from(stated).unwrap_or(usize::MAX);
    if !(HEADER - 4..=MAX_PAYLOAD + HEADER - 4).contains(&length) {
        return Err(InvalidFrame::Length { length: stated });
    }
    let Some((stream, rest_of_it)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some((kind, after)) = rest_of_it.split_first() else { return Ok(None) };
    let known = Kind::of_byte(*kind).ok_or(InvalidFrame::Kind { kind: *kind })?;
    let Some(payload) = after.get(..length + 4 - HEADER) else { return Ok(None) };
    Ok(Some(Frame { stream: u32::from_le_bytes(*stream), kind: known, payload }))
}

/// Appends a frame. The payload must be of [`MAX_PAYLOAD`] bytes at most.
pub fn write(stream: u32, kind: Kind, payload: &[u8], bytes: &mut Vec<u8>) {
    debug_assert!(payload.len() <= MAX_PAYLOAD, "a payload is cut before it is framed");
    let length = u32::try_from(payload.len() + HEADER - 4).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&stream.to_le_bytes());
    bytes.push(kind.to_byte());
    bytes.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back() {
        let mut kinds = vec![Kind::Whole, Kind::Credit];
        kinds.extend((0..SLOTS).flat_map(|slot| [true, false].map(|last| Kind::Chunk { slot, last })));
        for kind in kinds {
            let mut bytes = Vec::new();
            write(7, kind, b"abc", &mut bytes);
            bytes.push(99);
            assert_eq!(read(&bytes).unwrap(), Some(Frame { stream: 7, kind, payload: b"abc" }));
            for cut in 0..bytes.len() - 1 {
                assert_eq!(read(&bytes[..cut]).unwrap(), None, "{cut} bytes are not enough");
            }
        }
    }

    #[test]
    fn what_is_no_frame_says_why() {
        assert_eq!(
            read(b"GET / HTTP/1.1"),
            Err(InvalidFrame::Length { length: u32::from_le_bytes(*b"GET ") })
        );
        assert_eq!(read(&[4, 0, 0, 0]), Err(InvalidFrame::Length { length: 4 }));
        assert_eq!(read(&[5, 0, 0, 0, 0, 0, 0, 0, 77]), Err(InvalidFrame::Kind { kind: 77 }));
        let credit = Frame { stream: 0, kind: Kind::Credit, payload: &[1] };
        assert_eq!(credit.credit(), Err(InvalidFrame::Credit { bytes: 1 }));
    }
}
