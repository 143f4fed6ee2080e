//! What a strange peer does next, read from bytes. A script that is over goes on with zeros.

use std::time::Duration;

use carrel_wire::Text;
use carrel_wire::frame::{self, Kind, MAX_PAYLOAD};

/// See the [module](self).
pub(super) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    /// Takes some bytes as they are.
    pub(super) fn raw(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        self.0.split_off(..length).unwrap_or_default()
    }

    /// Tells whether something happens that is to happen once in so many times.
    pub(super) fn once_in(&mut self, times: u8) -> bool {
        self.byte() % times == times - 1
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        let turn = usize::from(self.byte()) % of.len().max(1);
        of.get(turn).copied().unwrap_or(otherwise)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.pick(&[1, 0, 2, 3, 4, 7, 64, 1 << 16, u64::MAX / 2, u64::MAX - 1, u64::MAX], 1)
    }

    pub(super) fn small(&mut self) -> u64 {
        u64::from(self.byte() % 16)
    }

    pub(super) fn duration(&mut self) -> Duration {
        let nanoseconds = self.pick(&[0, 1_000_000, 999_999_999], 0);
        Duration::new(self.pick(&[0, 0, 0, 1, u64::MAX], 0), nanoseconds)
    }

    pub(super) fn cell(&mut self) -> String {
        let otherwise = "cell-1";
        self.pick(&["cell-1", "cell-1", "cell-2", "cell-3", "host2-cell-1", "", "\n", "no cell"], otherwise)
            .to_owned()
    }

    pub(super) fn text(&mut self) -> String {
        match self.byte() % 4 {
            0 => "{\"a\":[1]}".to_owned(),
            1 => String::new(),
            2 => "x".repeat(70_000),
            _ => String::from_utf8_lossy(self.raw()).into_owned(),
        }
    }

    pub(super) fn json(&mut self) -> Text {
        Text(self.pick(&["null", "{\"a\":1}", "\"x\"", "[", "1e999", "{\"a\":1,\"a\":2}"], "null").into())
    }

    pub(super) fn optional<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.once_in(2) { Some(some(self)) } else { None }
    }

    pub(super) fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = self.byte() % 4;
        (0..length).map(|_| element(self)).collect()
    }

    /// Frames a message, as a rule as it should be.
    pub(super) fn frame(&mut self, stream: u32, message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let chunk = match self.byte() % 16 {
            1 => (1 + message.len() / 2).min(MAX_PAYLOAD),
            _ => MAX_PAYLOAD,
        };
        if message.len() <= chunk {
            frame::write(stream, Kind::Whole, message, &mut bytes);
        } else {
            let slot = usize::from(self.byte() % 4);
            let mut parts = message.chunks(chunk).peekable();
            while let Some(part) = parts.next() {
                let last = parts.peek().is_none();
                frame::write(stream, Kind::Chunk { slot, last }, part, &mut bytes);
            }
        }
        match self.byte() % 32 {
            1 => {
                let at = usize::from(self.byte()) % bytes.len().max(1);
                let other = self.byte();
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= other;
                }
            }
            2 => bytes.truncate(usize::from(self.byte())),
            3 => bytes.extend_from_slice(self.raw()),
            4 | 5 => {
                let room = u32::try_from(self.number()).unwrap_or(u32::MAX).to_le_bytes();
                frame::write(stream, Kind::Credit, &room, &mut bytes);
            }
            6 => frame::write(stream, Kind::Chunk { slot: 0, last: self.once_in(2) }, self.raw(), &mut bytes),
            _ => {}
        }
        bytes
    }
}
