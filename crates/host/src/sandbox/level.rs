//! How much of the sandbox the kernel gave.

use std::fmt;

/// A part of the sandbox that a kernel may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Landlock as a whole: files outside of the journal's folder.
    Files,
    /// Landlock 2: moving files between folders.
    Moves,
    /// Landlock 3: cutting files off.
    Truncation,
    /// Landlock 4: TCP.
    Tcp,
    /// Landlock 5: commands to devices.
    Devices,
    /// Landlock 6: signals, and sockets without a file, to processes outside.
    Signals,
    /// Seccomp: the filter of system calls.
    Calls,
}

impl Missing {
    /// What each version of Landlock brought.
    const LANDLOCK: [Self; 6] =
        [Self::Files, Self::Moves, Self::Truncation, Self::Tcp, Self::Devices, Self::Signals];
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files (Landlock)",
            Self::Moves => "moves between folders (Landlock 2)",
            Self::Truncation => "truncation (Landlock 3)",
            Self::Tcp => "TCP (Landlock 4)",
            Self::Devices => "devices (Landlock 5)",
            Self::Signals => "signals (Landlock 6)",
            Self::Calls => "system calls (seccomp)",
        })
    }
}

/// How much of the sandbox the kernel gave. It reads as a fragment: "full", "partial, without …" or "none".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    missing: Vec<Missing>,
}

impl Level {
    /// Takes the version of Landlock, 0 for none, and whether calls are filtered.
    pub(super) fn new(landlock: usize, filters_calls: bool) -> Self {
        let files = Missing::LANDLOCK.into_iter().skip(landlock);
        Self { missing: files.chain((!filters_calls).then_some(Missing::Calls)).collect() }
    }

    /// Tells whether nothing is missing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.missing.is_empty()
    }

    /// Returns what the kernel does not have.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("full");
        }
        if self.missing.len() > Missing::LANDLOCK.len() {
            return f.write_str("none");
        }
        f.write_str("partial, without ")?;
        for (nth, missing) in self.missing.iter().enumerate() {
            write!(f, "{}{missing}", if nth == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_names_what_is_missing() {
        assert_eq!(Level::new(6, true).to_string(), "full");
        assert_eq!(Level::new(7, true).to_string(), "full");
        assert_eq!(Level::new(0, false).to_string(), "none");
        assert_eq!(Level::new(4, true).missing(), [Missing::Devices, Missing::Signals]);
        assert_eq!(
            Level::new(5, false).to_string(),
            "partial, without signals (Landlock 6), system calls (seccomp)"
        );
    }
}
