//! What a look at a cell found, in the words of the protocol.

use std::time::Duration;

use carrel_contract::{CellResponse, Content, ImageDetail, Notice, Observation};

use super::cell::Ticket;

pub(crate) use carrel_contract::ImageDetail as Detail;

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text(String),
    Image { url: String, detail: Detail },
    Audio { url: String },
}

impl Item {
    fn of(content: Content) -> Self {
        match content {
            Content::Text { text, .. } => Self::Text(text),
            Content::ImageUrl { url, detail } => Self::Image { url, detail },
            Content::AudioUrl { url } => Self::Audio { url },
            // Not emitted in this dialect, and still what it is.
            Content::Image { data, mime_type } => {
                Self::Image { url: data_url(&mime_type, &data), detail: ImageDetail::High }
            }
            Content::Audio { data, mime_type } => Self::Audio { url: data_url(&mime_type, &data) },
            Content::Block { block } => Self::Text(block.as_str().to_owned()),
            other => Self::Text(format!("{other:?}")),
        }
    }
}

fn data_url(mime_type: &str, data: &str) -> String {
    format!("data:{mime_type};base64,{data}")
}

/// How a cell stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Yielded,
    Terminated,
    Completed {
        error: Option<String>,
        /// How long the outcome was there before somebody looked.
        buffered_for: Duration,
    },
}

/// What was seen of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) cell_id: String,
    pub(crate) items: Vec<Item>,
    pub(crate) ending: Ending,
    /// How long the request took, from its receipt.
    pub(crate) duration: Duration,
}

/// What a wait found.
#[derive(Clone, Debug)]
pub(crate) enum Waited {
    Live(Response),
    /// There is no such cell, or no longer.
    Missing(Response),
}

/// What a request is answered with, and who is to be told that it was.
pub(crate) struct Answer {
    pub(crate) waited: Waited,
    /// To be told to [`deliver`](Ticket::deliver) before the answer leaves, and dropped after.
    pub(crate) ticket: Option<Ticket>,
}

/// Takes a response of the contract apart: its output, and how the cell stands but for times.
pub(super) fn read(response: CellResponse) -> (Observation, Ending) {
    match response {
        CellResponse::Completed(completed) => {
            let error = completed.error.map(|error| error.message);
            (completed.observation, Ending::Completed { error, buffered_for: Duration::ZERO })
        }
        CellResponse::Terminated(terminated) => (terminated.observation, Ending::Terminated),
        CellResponse::Yielded(yielded) => (yielded.observation, Ending::Yielded),
        other => (other.observation().clone(), Ending::Yielded),
    }
}

/// Returns the output of an observation: what it has to say of the session first, and what is not there.
pub(super) fn items(observation: Observation) -> Vec<Item> {
    let said = observation.notices.iter().filter_map(say).map(Item::Text);
    let mut items: Vec<_> = said.collect();
    items.extend(observation.items.into_iter().map(|item| Item::of(item.content)));
    if observation.omitted_bytes > 0 {
        let omitted = observation.omitted_bytes;
        items.push(Item::Text(format!("[Code Mode session output limit reached: omitted {omitted} bytes]")));
    }
    items
}

fn say(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Recovered { repeated, unknown } => Some(format!(
            "[This cell was interrupted by a crash of its host and goes on where it was: {} of its tool calls were made again, of {} the outcome is unknown]",
            repeated.len(),
            unknown.len()
        )),
        _ => None,
    }
}
