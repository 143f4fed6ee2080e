//! TypeScript in, JavaScript out, in place: every type becomes spaces, so that each line and column of what runs is
//! that of what was written.
//!
//! [`prepare`] parses a source once and says what it is made of: the code to run, the modules it imports, what it
//! declares at its top level. JavaScript stays as it is, byte for byte. The crate is pure, knows nothing of sessions or
//! engines, and must be safe to give anything to: its parser recurses, so [`nesting`] bounds beforehand how deep.

mod blank;
mod edits;
mod enums;
mod erasable;
mod nesting;
mod parameters;
mod parse;
mod problem;
mod shape;
mod survey;
mod text;

use std::borrow::Cow;

pub use problem::{Cause, Problem};
pub use survey::{Declaration, DeclarationKind, Import};
pub use text::{Place, excerpt};

/// A source that is ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared<'s> {
    /// The JavaScript to run: the source itself, when it is JavaScript. A journal that is to be replayed keeps this.
    pub code: Cow<'s, str>,
    /// Whether the source is TypeScript.
    pub was_typescript: bool,
    /// What it imports or exports from, in order, `import type` left out. Of `import()` the engine alone knows.
    pub imports: Vec<Import>,
    /// What it declares at its top level, types included, in order.
    pub declarations: Vec<Declaration>,
}

/// Makes a source ready to run: finds out whether it is JavaScript or TypeScript and puts spaces for types.
///
/// A source that is valid JavaScript is never changed, with one exception: `f<string>(x)` compares twice in JavaScript,
/// and is read as the call that TypeScript sees when the JavaScript could but throw, because it names a type such as
/// `string` that nothing in the source declares.
///
/// # Errors
///
/// A [`Problem`] says what is wrong, where, and what to write instead. It does not prove that the source is no
/// JavaScript: the engine has the last word on that, and whoever runs cells asks it before showing the problem.
pub fn prepare(source: &str) -> Result<Prepared<'_>, Problem> {
    parse::prepare(source)
}
