//! The long explanation, as a resource and as a prompt, with the catalogue of the tools that are there.

use crate::catalogue::Catalogue;

/// Its address as a resource.
pub(crate) const ADDRESS: &str = "carrel://guide";
/// Its name as a prompt.
pub(crate) const PROMPT: &str = "carrel";
/// What it is.
pub(crate) const ABOUT: &str = "How to write programs for exec, and which tools they can call";

/// What the catalogue may take of the guide, in tokens.
const CATALOGUE_TOKENS: usize = 4_000;
/// What it may take of what every client is told at the start: some cut that at 2 KiB.
const SHORT_TOKENS: usize = 300;

/// Returns all of it.
pub(crate) fn whole(catalogue: &Catalogue) -> String {
    format!("{}\n{}", include_str!("guide.md"), catalogue.prompt(CATALOGUE_TOKENS))
}

/// Returns what every client is told at the start.
pub(crate) fn short(catalogue: &Catalogue) -> String {
    format!(
        "Call tools by writing programs: `exec` runs one, and inside it every tool is `await tools.NAME(args)`. Prefer one \
         program that calls several tools, filters and joins what they return, and shows what matters, to many small \
         ones. `search_tools` finds tools and their types; the resource {ADDRESS} says more.\n\n{}",
        catalogue.prompt(SHORT_TOKENS)
    )
}
