//! Turns a cell's events into what a person is shown. Pure: events in, pieces out.

use std::collections::{BTreeMap, HashMap, HashSet};

use carrel_contract::{
    ConsoleLevel, Content, Event, EventKind, Seq, ToolCallId, ToolErrorCode, ToolName, ToolProgress,
};
use serde::Serialize;

use crate::terminal::Tone;

/// One thing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Goes to standard output.
    Data(String),
    /// Goes to a file, and its name to standard error.
    Media {
        /// Whether it is an image or audio.
        kind: MediaKind,
        /// The bytes in base64.
        data: String,
        /// Its media type.
        mime_type: String,
    },
    /// Goes to standard error.
    Note(Tone, String),
}

/// What a saved file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    /// A picture.
    Image,
    /// A sound.
    Audio,
}

/// What is kept of what calls told of how they get on.
const MAX_TOLD: usize = 1000;

/// What a call told of how it gets on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    seq: Seq,
    tool: ToolName,
    #[serde(flatten)]
    progress: ToolProgress,
}

/// What has been seen of one cell.
#[derive(Debug, Default)]
pub(crate) struct Renderer {
    /// A cell may have a hundred thousand calls under way: each event has to cost the same.
    running: HashMap<ToolCallId, ToolName>,
    /// How many of them each tool has, never 0.
    by_tool: BTreeMap<ToolName, usize>,
    /// The call that told last how it gets on, and what it told.
    latest: Option<(ToolCallId, ToolProgress)>,
    told: Vec<Told>,
    failed_calls: u64,
    /// What a person was asked, in order.
    asked: Vec<Asked>,
    /// Those of them that wait for the person.
    awaited: HashSet<ToolCallId>,
}

/// A call that a person was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    pub(crate) call_id: ToolCallId,
    pub(crate) tool: Option<ToolName>,
    pub(crate) question: String,
    /// What became of the call: why it failed, if it did. The end of the cell cancels it.
    pub(crate) error: Option<ToolErrorCode>,
}

impl Renderer {
    /// Takes the next event and says what to show of it.
    pub(crate) fn event(&mut self, event: Event) -> Option<Piece> {
        match event.kind {
            EventKind::ToolCalled { call_id, tool } => {
                *self.by_tool.entry(tool.clone()).or_default() += 1;
                self.running.insert(call_id, tool);
                None
            }
            EventKind::ToolProgressed { call_id, progress } => {
                if let Some(tool) = self.running.get(&call_id) {
                    if self.told.len() < MAX_TOLD {
                        self.told.push(Told {
                            seq: event.seq,
                            tool: tool.clone(),
                            progress: progress.clone(),
                        });
                    }
                    self.latest = Some((call_id, progress));
                }
                None
            }
            EventKind::ToolAnswered { call_id, error } => {
                self.forget(&call_id);
                // From the end: what was asked last is answered first, or soon.
                if let Some(asked) = self.asked.iter_mut().rev().find(|asked| asked.call_id == call_id) {
                    asked.error = error;
                }
                self.failed_calls += u64::from(error.is_some());
                None
            }
            EventKind::PersonAwaited { call_id, question } => {
                let tool = self.running.get(&call_id).cloned();
                self.awaited.insert(call_id.clone());
                self.asked.push(Asked { call_id, tool, question, error: Some(ToolErrorCode::Cancelled) });
                None
            }
            EventKind::PersonAnswered { call_id } => {
                self.awaited.remove(&call_id);
                None
            }
            EventKind::Output { content } => Some(piece(content)),
            EventKind::Notified { text } => Some(Piece::Note(Tone::Plain, format!("[notify] {text}"))),
            EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. } => {
                self.running.clear();
                self.by_tool.clear();
                self.latest = None;
                None
            }
            // Admission and yields change nothing for a person; neither does what a newer contract may add.
            _ => None,
        }
    }

    /// Strikes a call that was answered.
    fn forget(&mut self, call_id: &ToolCallId) {
        let Some(tool) = self.running.remove(call_id) else { return };
        if self.latest.as_ref().is_some_and(|(latest, _)| latest == call_id) {
            self.latest = None;
        }
        if let Some(count) = self.by_tool.get_mut(&tool) {
            *count -= 1;
            if *count == 0 {
                self.by_tool.remove(&tool);
            }
        }
    }

    /// Names the tool calls that are under way, each tool once with the number of its calls, and says how the one gets
    /// on that told last.
    pub(crate) fn status(&self) -> String {
        if self.by_tool.is_empty() {
            return "running".into();
        }
        if !self.awaited.is_empty() {
            return format!("{} of {} calls wait for a person", self.awaited.len(), self.running.len());
        }
        let names: Vec<_> = self
            .by_tool
            .iter()
            .map(|(tool, &count)| if count == 1 { tool.to_string() } else { format!("{tool} ×{count}") })
            .collect();
        let names = names.join(", ");
        let Some((call_id, ToolProgress { percent, message })) = &self.latest else { return names };
        let told: Vec<_> =
            percent.map(|percent| format!("{percent} %")).into_iter().chain(message.clone()).collect();
        match self.running.get(call_id) {
            // By its name where others are under way, too.
            Some(tool) if self.running.len() > 1 => format!("{tool}: {} ({names})", told.join(" ")),
            _ => format!("{names}: {}", told.join(" ")),
        }
    }

    /// Returns what was told of how calls get on, the first thousand.
    pub(crate) fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Returns what a person was asked.
    pub(crate) fn asked(self) -> Vec<Asked> {
        self.asked
    }

    /// Returns how many tool calls failed.
    pub(crate) fn failed_calls(&self) -> u64 {
        self.failed_calls
    }
}

/// Says what to show of an output item.
pub(super) fn piece(content: Content) -> Piece {
    match content {
        Content::Text { text, level } => match level {
            None | Some(ConsoleLevel::Log | ConsoleLevel::Info) => Piece::Data(text),
            Some(ConsoleLevel::Debug) => Piece::Note(Tone::Dim, format!("[debug] {text}")),
            Some(ConsoleLevel::Warn) => Piece::Note(Tone::Warning, format!("[warn] {text}")),
            Some(ConsoleLevel::Error) => Piece::Note(Tone::Error, format!("[error] {text}")),
        },
        Content::Image { data, mime_type } => Piece::Media { kind: MediaKind::Image, data, mime_type },
        Content::Audio { data, mime_type } => Piece::Media { kind: MediaKind::Audio, data, mime_type },
        Content::Block { block } => Piece::Data(block.as_str().to_owned()),
        _ => Piece::Note(Tone::Warning, "an output item of a kind this version cannot show".into()),
    }
}

#[cfg(test)]
mod tests {
    use carrel_contract::{CellId, JsonText};

    use super::*;

    fn event(kind: EventKind) -> Event {
        Event::new(Seq(1), CellId::new("c").unwrap(), kind)
    }

    fn output(text: &str, level: Option<ConsoleLevel>) -> Event {
        event(EventKind::Output { content: Content::Text { text: text.into(), level } })
    }

    fn called(id: &str, tool: &str) -> Event {
        event(EventKind::ToolCalled {
            call_id: ToolCallId::new(id).unwrap(),
            tool: ToolName::new(tool).unwrap(),
        })
    }

    fn answered(id: &str, error: Option<ToolErrorCode>) -> Event {
        event(EventKind::ToolAnswered { call_id: ToolCallId::new(id).unwrap(), error })
    }

    #[test]
    fn data_is_what_the_cell_says_and_the_rest_are_notes() {
        let mut renderer = Renderer::default();
        assert_eq!(renderer.event(output("a", None)), Some(Piece::Data("a".into())));
        assert_eq!(renderer.event(output("b", Some(ConsoleLevel::Log))), Some(Piece::Data("b".into())));
        assert_eq!(
            renderer.event(output("c", Some(ConsoleLevel::Error))),
            Some(Piece::Note(Tone::Error, "[error] c".into()))
        );
        assert_eq!(
            renderer.event(event(EventKind::Notified { text: "half way".into() })),
            Some(Piece::Note(Tone::Plain, "[notify] half way".into()))
        );
        let block = JsonText::parse(r#"{"type":"resource_link"}"#).unwrap();
        assert_eq!(
            renderer.event(event(EventKind::Output { content: Content::Block { block } })),
            Some(Piece::Data(r#"{"type":"resource_link"}"#.into()))
        );
    }

    #[test]
    fn running_calls_are_counted_by_tool() {
        let mut renderer = Renderer::default();
        assert_eq!(renderer.status(), "running");
        for (id, tool) in [("1", "get"), ("2", "list"), ("3", "get")] {
            assert_eq!(renderer.event(called(id, tool)), None);
        }
        assert_eq!(renderer.status(), "get ×2, list");
        renderer.event(answered("1", None));
        renderer.event(answered("2", Some(ToolErrorCode::Failed)));
        assert_eq!(renderer.status(), "get");
        assert_eq!(renderer.failed_calls(), 1);
        renderer.event(event(EventKind::CellCompleted { error: None }));
        assert_eq!(renderer.status(), "running");
    }

    #[test]
    fn what_a_person_was_asked_is_kept_with_what_became_of_it() {
        let mut renderer = Renderer::default();
        for id in ["1", "2", "3"] {
            renderer.event(called(id, "update"));
            let call_id = ToolCallId::new(id).unwrap();
            renderer.event(event(EventKind::PersonAwaited { call_id, question: format!("{id}?") }));
        }
        assert_eq!(renderer.status(), "3 of 3 calls wait for a person");
        for (id, error) in [("1", None), ("2", Some(ToolErrorCode::Denied))] {
            renderer.event(event(EventKind::PersonAnswered { call_id: ToolCallId::new(id).unwrap() }));
            renderer.event(answered(id, error));
        }
        assert_eq!(renderer.status(), "1 of 1 calls wait for a person");
        let asked: Vec<_> = renderer.asked().into_iter().map(|a| (a.question, a.error)).collect();
        let expected = [None, Some(ToolErrorCode::Denied), Some(ToolErrorCode::Cancelled)];
        assert_eq!(
            asked,
            ["1?", "2?", "3?"].map(str::to_owned).into_iter().zip(expected).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_call_that_told_last_says_how_it_gets_on() {
        let told = |id: &str, percent: Option<u8>, message: Option<&str>| {
            event(EventKind::ToolProgressed {
                call_id: ToolCallId::new(id).unwrap(),
                progress: ToolProgress { percent, message: message.map(str::to_owned) },
            })
        };
        let mut renderer = Renderer::default();
        renderer.event(called("1", "get"));
        assert_eq!(renderer.event(told("1", Some(20), None)), None);
        assert_eq!(renderer.status(), "get: 20 %");
        renderer.event(called("2", "list"));
        renderer.event(told("2", Some(50), Some("page 2")));
        assert_eq!(renderer.status(), "list: 50 % page 2 (get, list)");
        renderer.event(answered("2", None));
        assert_eq!(renderer.status(), "get");
        renderer.event(told("2", None, Some("too late")));
        assert_eq!(renderer.status(), "get");
        let told: Vec<_> = renderer.told().iter().map(|told| serde_json::to_string(told).unwrap()).collect();
        assert_eq!(
            told,
            [
                r#"{"seq":1,"tool":"get","percent":20,"message":null}"#,
                r#"{"seq":1,"tool":"list","percent":50,"message":"page 2"}"#
            ]
        );
    }

    #[test]
    fn a_call_costs_the_same_however_many_are_under_way() {
        // A search through all of them for each answer would compare 5e9 times, and this test not end.
        let mut renderer = Renderer::default();
        for call in 0..100_000 {
            renderer.event(called(&call.to_string(), "get"));
        }
        assert_eq!(renderer.status(), "get ×100000");
        for call in (0..100_000).rev() {
            renderer.event(answered(&call.to_string(), None));
        }
        assert_eq!(renderer.status(), "running");
    }
}
