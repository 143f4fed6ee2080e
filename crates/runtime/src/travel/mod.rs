//! Cells that ran, again: against the answers that were recorded, with no tool called.
//!
//! [`InProcessProvider::recording`](crate::InProcessProvider::recording) reads what the journal has of a cell, without
//! taking its session over. [`Recording::replay`] runs it again, step by step, and compares what it does with what it did;
//! [`Recording::replay_edited`] runs another source against the same answers, until it asks for something to which none
//! was recorded.
//!
//! ```no_run
//! # async fn example(
//! #     provider: &carrel_runtime::InProcessProvider,
//! #     session_id: &carrel_contract::SessionId,
//! #     cell_id: &carrel_contract::CellId,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let recording = provider.recording(session_id, cell_id).await?;
//! let mut replay = recording.replay()?;
//! while let Some(step) = replay.step().await {
//!     println!("{:?} {:?}", step.seq, step.what);
//! }
//! println!("{:?}, with {:?} at its end", replay.verdict(), replay.state());
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: `step` is what happens, `recording` what the journal has, `replay` runs it, `telling` says what happened,
//! `variables` does so for all cells of a notebook.

mod error;
mod recording;
mod replay;
mod step;
mod telling;
mod variables;

pub use error::RecordingError;
pub use recording::Recording;
pub use replay::{Divergence, Replay, Verdict};
pub use step::{Against, PendingCall, State, Step, What};
pub(crate) use variables::{Brought, bring};
