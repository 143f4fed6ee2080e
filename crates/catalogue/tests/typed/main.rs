//! Declarations as TypeScript's own compiler sees them: they parse, they type-check under `--strict`, and what a schema
//! allows fits the type that is made of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod checker;
mod explicit;
mod generated;
mod globals;
mod hostile;
mod suite;
