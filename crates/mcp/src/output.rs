//! The whole output of a cell as a resource, read in pages: what the budget of an answer had no room for.

use std::time::Duration;

use carrel_contract::{CellId, Content, Seq, SessionId, TOKEN_BYTES, WaitRequest};
use rmcp::model::{ReadResourceResult, ResourceContents};

use crate::client::Patience;
use crate::refusal::Refusal;
use crate::sessions::Sessions;

/// The template of the addresses, in the words of RFC 6570.
pub(crate) const TEMPLATE: &str = "carrel://session/{session_id}/cell/{cell_id}/output/{offset}";
/// What a page holds, in bytes.
const PAGE_BYTES: usize = 32 << 10;
/// More than a session retains of a cell, in bytes.
const ALL_BYTES: usize = 64 << 20;

/// Returns the address of a cell's output from an offset in bytes on.
pub(crate) fn address(session: &SessionId, cell: &CellId, offset: usize) -> String {
    format!("carrel://session/{session}/cell/{cell}/output/{offset}")
}

/// Reads an address; `None` when it is none of these.
pub(crate) fn parse(address: &str) -> Option<(&str, &str, usize)> {
    let rest = address.strip_prefix("carrel://session/")?;
    let (session, rest) = rest.split_once("/cell/")?;
    let (cell, offset) = rest.split_once("/output/")?;
    Some((session, cell, offset.parse().ok()?))
}

/// Reads a page of the text that a cell has shown so far, without marking anything as read.
pub(crate) async fn page(
    sessions: &Sessions,
    (session, cell, offset): (&str, &str, usize),
    patience: Patience,
) -> Result<ReadResourceResult, Refusal> {
    let session = sessions.named(session, patience.servers).await?;
    let cell = CellId::new(cell).map_err(|error| Refusal::new(format!("failed to {error}")))?;
    let request = WaitRequest::new([cell.clone()])
        .after(Seq::START)
        .with_yield_time(Duration::ZERO)
        .with_max_output_tokens(ALL_BYTES / TOKEN_BYTES);
    let response = session.session.wait(request).await.map_err(|error| Refusal::failed(&error))?;
    let mut text = String::new();
    for item in response.cells.iter().flat_map(|cell| &cell.observation().items) {
        if let Content::Text { text: more, .. } = &item.content {
            text.push_str(more);
            text.push('\n');
        }
    }
    let start = text.ceil_char_boundary(offset.min(text.len()));
    let end = text.ceil_char_boundary((start + PAGE_BYTES).min(text.len()));
    let mut shown = text.get(start..end).unwrap_or_default().to_owned();
    if end < text.len() {
        let next = address(session.session.id(), &cell, end);
        shown.push_str(&format!("\n[{} bytes follow: {next}]", text.len() - end));
    }
    let here = address(session.session.id(), &cell, offset);
    let contents = ResourceContents::text(shown, here).with_mime_type("text/plain");
    Ok(ReadResourceResult::new(vec![contents]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written() {
        let (session, cell) = (SessionId::new("s-1").unwrap(), CellId::new("cell:2").unwrap());
        let written = address(&session, &cell, 40);
        assert_eq!(parse(&written), Some(("s-1", "cell:2", 40)));
        for other in ["carrel://guide", "carrel://session/s/cell/c/output/", "carrel://session/s/output/1"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
