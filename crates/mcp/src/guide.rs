//! The long explanation, as a resource and as a prompt, with the catalogue of the tools that are there.

use crate::client::Patience;
use crate::face::Shared;

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

/// Returns all of it, when the servers whose tools it names are there.
pub(crate) async fn whole(shared: &Shared, patience: Patience) -> String {
    // What is not there after that is named.
    shared.supply.ready(patience.servers).await.ok();
    format!("{}\n{}{}", include_str!("guide.md"), shared.catalogue.prompt(CATALOGUE_TOKENS), missing(shared))
}

fn missing(shared: &Shared) -> String {
    shared.supply.missing().into_iter().map(|missing| format!("\n{missing}\n")).collect()
}

/// Returns what every client is told at the start.
pub(crate) fn short(shared: &Shared) -> String {
    format!(
        "Call tools by writing programs: `exec` runs one, and inside it every tool is `await tools.NAME(args)`. Prefer one \
         program that calls several tools, filters and joins what they return, and shows what matters, to many small \
         ones. `search_tools` finds tools and their types; the resource {ADDRESS} says more.\n\n{}{}",
        shared.catalogue.prompt(SHORT_TOKENS),
        missing(shared)
    )
}
