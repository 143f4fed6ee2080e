//! The handshake: what each side says first, on stream 0.

use minicbor::{Decode, Encode};

/// What every peer says first, so that another program's bytes are never taken for a message.
pub const MAGIC: &str = "carrel";
/// The version of the protocol that this build speaks. It reads [`OLDEST`] and newer.
pub const VERSION: u32 = 1;
/// The capability of a host that tells approvals from other waits for a person.
pub const APPROVALS: &str = "approvals";
/// The capability of a client that checks the types of cells.
pub const CHECKS: &str = "checks";
/// The oldest version of a peer that this build speaks with.
const OLDEST: u32 = 1;

/// Introduces a peer. The client speaks first; the host answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// [`MAGIC`].
    #[n(0)]
    pub magic: String,
    /// The newest version that it speaks.
    #[n(1)]
    pub version: u32,
    /// The oldest version that it speaks.
    #[n(2)]
    pub oldest: u32,
    /// What it can do beyond its version. Unknown ones are passed over.
    #[cbor(n(3), decode_with = "crate::list::few")]
    pub capabilities: Vec<String>,
    /// Who it is, for logs.
    #[n(4)]
    pub name: String,
    /// The longest message that it takes, in bytes.
    #[n(5)]
    pub max_message_bytes: u64,
    /// A secret that the host asks for, where it was started with one.
    #[n(6)]
    pub token: Option<String>,
}

/// Why two peers do not understand each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incompatible {
    /// It speaks something else.
    #[error("speak with the peer: it does not introduce itself as {MAGIC:?}")]
    Magic,
    /// It speaks other versions.
    #[error(
        "speak with the peer: it speaks versions {oldest} to {version} of the protocol, this side {OLDEST} to {VERSION}"
    )]
    Version {
        /// Its oldest.
        oldest: u32,
        /// Its newest.
        version: u32,
    },
}

impl Hello {
    /// Introduces this build.
    pub fn new(name: impl Into<String>, max_message_bytes: u64) -> Self {
        Self {
            magic: MAGIC.to_owned(),
            version: VERSION,
            oldest: OLDEST,
            capabilities: Vec::new(),
            name: name.into(),
            max_message_bytes,
            token: None,
        }
    }

    /// Says that it can do something beyond its version.
    #[must_use]
    pub fn able(mut self, capability: &str) -> Self {
        self.capabilities.push(capability.to_owned());
        self
    }

    /// Tells whether it can.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|can| can == capability)
    }

    /// Returns the version that both speak: the newest.
    ///
    /// # Errors
    /// [`Incompatible`] when there is none.
    pub fn agree(&self) -> Result<u32, Incompatible> {
        if self.magic != MAGIC {
            return Err(Incompatible::Magic);
        }
        let newest = self.version.min(VERSION);
        if newest < self.oldest || newest < OLDEST {
            return Err(Incompatible::Version { oldest: self.oldest, version: self.version });
        }
        Ok(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_agree_on_the_newest_that_both_speak() {
        let newer = Hello { version: VERSION + 5, ..Hello::new("x", 0) };
        assert_eq!(newer.agree(), Ok(VERSION));
        let too_new = Hello { version: VERSION + 5, oldest: VERSION + 1, ..Hello::new("x", 0) };
        assert!(matches!(too_new.agree(), Err(Incompatible::Version { .. })));
        let other = Hello { magic: "ssh".into(), ..Hello::new("x", 0) };
        assert_eq!(other.agree(), Err(Incompatible::Magic));
    }

    #[test]
    fn fields_that_came_later_are_passed_over() {
        let mut bytes = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut bytes);
        encoder.array(9).unwrap().str(MAGIC).unwrap().u32(9).unwrap().u32(1).unwrap().array(0).unwrap();
        encoder.str("new").unwrap().u64(1).unwrap().null().unwrap().str("unknown").unwrap().u8(1).unwrap();
        assert_eq!(crate::decode::<Hello>(&bytes).unwrap().agree(), Ok(VERSION));
    }
}
