//! Peers that say anything at all, for tests and fuzzing: whatever they do, the other side neither panics nor waits for ever.
//!
//! What a peer does is read from a script of bytes, so that a fuzzer can look for one that does harm, and what it found can be kept
//! as a test. Read in this order: `script`, `client`, `host`.
#![expect(
    clippy::panic,
    reason = "a peer that does not do as it should is a failure of the test that this is for"
)]

mod client;
mod host;
mod script;
#[cfg(test)]
mod tests;

pub use client::client;
pub use host::host;
