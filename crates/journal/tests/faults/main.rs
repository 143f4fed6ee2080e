//! What faults leave of a SQLite store: a process killed while it writes, a log cut anywhere, a disk that is full.
//!
//! The process that writes is this test program again, in its test [`writer`]; it says what was acknowledged on its standard
//! output. `CARREL_KILLS` sets how often it is killed, `CARREL_SEED` where; the seed is printed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod full;
mod killed;
mod writer;
