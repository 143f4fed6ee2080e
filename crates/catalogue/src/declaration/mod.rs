//! JSON Schema to TypeScript: what a model reads of a tool, and what a type checker is given of all.
//!
//! ```
//! use carrel_catalogue::declaration::{Budget, Declaration};
//! use carrel_contract::{JsonText, ToolDescription, ToolName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = r#"{ "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] }"#;
//! let tool = ToolDescription::new(ToolName::new("orders__get_order")?, "Returns an order.")
//!     .with_input_schema(JsonText::parse(schema)?);
//! assert_eq!(
//!     Declaration::new(&tool, Budget::default()).to_string(),
//!     "declare const tools: {\n  /** Returns an order. */\n  orders__get_order(input: { id: string }): Promise<any>;\n};\n"
//! );
//! # Ok(())
//! # }
//! ```
//! A schema is read into a tree of types ([`read`]), definitions get names or go where they are used ([`parts`]), and
//! the tree is written in as much detail as the budget allows ([`detail`]). The same description makes the same bytes.
//! Schemas come from servers, so any may be hostile: time and output are bounded, and no text of theirs ends a comment.
//! docs/declarations.md has the form, the order of dropping and the approximations.

mod all;
mod detail;
mod doc;
mod document;
mod meet;
mod node;
mod parts;
mod read;
mod text;
mod tool;
mod write;

pub use all::{GLOBALS, declare_all};
pub use tool::Declaration;

/// How many bytes a declaration may take.
///
/// One that would take more says less, step by step; the names of required properties always stay, so a tool with long
/// ones may take more than a very small budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    max_bytes: usize,
}

impl Budget {
    /// A budget in bytes.
    #[must_use]
    pub const fn bytes(max_bytes: usize) -> Self {
        Self { max_bytes }
    }

    /// A budget in tokens, of [`carrel_contract::TOKEN_BYTES`] bytes each.
    #[must_use]
    pub const fn tokens(tokens: usize) -> Self {
        Self { max_bytes: tokens.saturating_mul(carrel_contract::TOKEN_BYTES) }
    }

    /// Returns the budget in bytes.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        self.max_bytes
    }
}

impl Default for Budget {
    /// 64 KiB: what no honest tool needs.
    fn default() -> Self {
        Self::bytes(64 << 10)
    }
}
