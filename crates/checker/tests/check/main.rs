//! Cells before TypeScript's own compiler, from npm: `./x setup` installs it into .x/npm.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod broken;
mod cells;
mod common;
mod earlier;
mod hostile;
mod sessions;
