//! What a cell may do with its tools: rules that its owner wrote, and a delegate that holds to them.
//!
//! ```toml
//! default = "ask"
//! trust = ["orders"]
//!
//! [[rule]]
//! tools = "orders__*"
//! read_only = true
//! decision = "allow"
//! limits = { calls_per_cell = 200 }
//! ```
//! One rule of precedence: **every rule that matches a call holds, and of their decisions the strictest counts**: deny
//! before ask before allow. The order of the rules does not matter, so nothing that is added later can lift a `deny`;
//! an exception is written into the rule that denies (`except`). `default` counts where no matching rule decides.
//!
//! [`PolicyDelegate`] wraps any delegate and stands outside the sandbox: what it refuses never leaves, whatever
//! the cell catches. `docs/policies.md` has every key.

mod approval;
mod check;
mod clock;
mod delegate;
mod error;
mod limits;
mod meter;
mod parse;
mod pattern;
mod question;
mod refusal;
mod rule;
mod session;

pub use approval::{Answer, AnswerError, ApprovalId, ApprovalRequest, Approvals, Attendant};
pub use check::{CheckedTool, PolicyCheck, PolicyWarning};
pub use delegate::PolicyDelegate;
pub use error::{InvalidPolicy, PolicyError, UnreadablePolicy};
pub use limits::PolicyLimits;
pub use pattern::{InvalidPattern, Pattern};
pub use question::{printable_input, printable_line, printable_whole};
pub use rule::{Annotations, Decision, Policy, Rule, Unattended};

#[cfg(test)]
mod tests;

/// Runs the code of the page on policies as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/policies.md")]
struct Page;
