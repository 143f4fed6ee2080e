//! Finds tools by what they should do.
//!
//! ```
//! use carrel_catalogue::search::Index;
//! use carrel_contract::{ToolDescription, ToolName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tools = [("git__commit", "Records changes."), ("mail__send", "Sends a message to somebody.")];
//! let tools = tools.map(|(name, does)| Ok(ToolDescription::new(ToolName::new(name)?, does)));
//! let tools = tools.into_iter().collect::<Result<Vec<_>, carrel_contract::error::InvalidToolName>>()?;
//! let found = Index::new(&tools).search("write an email", 5);
//! assert_eq!(found.first().map(|found| found.tool), Some(1));
//! # Ok(())
//! # }
//! ```
//! The ranking is that of BM25 over several fields (Robertson, Zaragoza, Taylor: "Simple BM25 extension to multiple
//! weighted fields", 2004): what a name says counts most, what a parameter's description says least ([`fields`]).
//! Words are compared by their stems ([`words`]). A word of the query also finds its synonyms ([`synonyms`]), longer
//! words that begin with it and, when it is in no tool, words that differ in one letter ([`query`]), each for less. The
//! same tools and the same query give the same list.

mod fields;
mod index;
mod near;
mod query;
mod synonyms;
mod words;

pub use index::{Found, Index};
