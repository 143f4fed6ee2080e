//! `carrel log`, `carrel replay`, `carrel fork`: what a kept session did, again, and from there on otherwise.
//!
//! None of them takes the session over: another process may have it meanwhile. [`log`] prints its journal, each record by
//! [`record`]; [`replay`] shows a cell running again, each step by [`step`], or by [`step_json`] for programs; [`fork`] makes another session of it.

mod fork;
mod log;
mod record;
mod replay;
mod step;
mod step_json;

use carrel_contract::{CellId, SessionId};

use crate::exit::Exit;
use crate::run::Fault;
use crate::sanitize::sanitize_line;
use crate::sessions::Shelf;
use crate::terminal::Tone;
pub(crate) use fork::run as fork;
pub(crate) use log::run as log;
pub(crate) use replay::run as replay;

/// The most that is shown of a value, in characters.
const SHOWN_CHARS: usize = 160;

/// Finds a session by what a person calls it.
async fn find(called: &str) -> Result<(Shelf, SessionId), Fault> {
    let unknown = || (Exit::Usage, format!("there is no session `{called}`; `carrel sessions` lists them"));
    let shelf = Shelf::look()?.ok_or_else(unknown)?;
    let id = shelf.id_of(called).await?.ok_or_else(unknown)?;
    Ok((shelf, id))
}

/// Reads a cell's id: as it is, or its number alone.
fn cell_id(text: &str) -> Result<CellId, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_number { format!("cell-{text}") } else { text.to_owned() };
    CellId::new(&id).map_err(|error| error.to_string())
}

/// The same for clap.
pub(crate) fn parse_cell(text: &str) -> Result<CellId, String> {
    cell_id(text)
}

/// Makes a value one harmless line, cut where it is long.
fn brief(text: &str) -> String {
    let mut chars = text.chars();
    let shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    let line = sanitize_line(&shown);
    match chars.count() {
        0 => line,
        more => format!("{line}… ({more} more)"),
    }
}

/// A time of day in UTC.
fn time_of_day(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us)
        .map_or_else(|_| "-".to_owned(), |time| time.strftime("%H:%M:%S%.3f").to_string())
}

/// Colours what stands on a terminal.
fn painted(text: &str, tone: Tone, colour: bool) -> String {
    if colour && !text.is_empty() { tone.paint(text) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_may_be_called_by_its_number() {
        assert_eq!(cell_id("7").unwrap().as_str(), "cell-7");
        assert_eq!(cell_id("cell-7").unwrap().as_str(), "cell-7");
        assert!(cell_id("").is_err() && cell_id("a cell").is_err());
    }

    #[test]
    fn a_value_is_one_line_of_bounded_length() {
        assert_eq!(brief("a\nb\x1b"), "a b␛");
        assert_eq!(brief(&"é".repeat(SHOWN_CHARS + 3)), format!("{}… (3 more)", "é".repeat(SHOWN_CHARS)));
        assert_eq!(time_of_day(1_790_000_000_123_456), "14:13:20.123");
    }
}
