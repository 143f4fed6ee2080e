//! Checks the types of cells before they run, with TypeScript's own compiler in a process beside Carrel.
//!
//! [`Checker`] is the contract's [`CellChecker`](carrel_contract::CellChecker). One process serves all sessions; it is
//! started by the first check, ended when it hangs or grows, and started again by the next. It is spoken to over its
//! standard streams and asks over them for every file, so it sees what a check puts before it, TypeScript's own
//! libraries, and nothing else of the machine: what a cell writes cannot make it read a file.
//!
//! Read in this order: `checker` (bounds, and one check from its beginning to its end), `compiler` (where the program is found),
//! `process` (its process, and what bounds that), `connection` (requests over its streams) with `frame`, `files` (what
//! it sees), `project` (what a check puts there), `scope` (what a cell sees of earlier ones), `report` (what of its
//! answer a model is told). docs/type-check.md has the decisions and what it costs.

mod checker;
mod compiler;
mod connection;
mod files;
mod frame;
mod process;
mod project;
mod report;
mod scope;

pub use checker::{Checker, Options};
pub use compiler::{Compiler, NotFound};
