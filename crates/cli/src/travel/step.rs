//! A step of a replay, and where a cell stands, in lines for a person.

use carrel_contract::{Content, JsonText, Location};
use carrel_runtime::travel::{Against, PendingCall, State, Step, Verdict, What};

use super::{brief, painted, time_of_day};
use crate::sanitize::sanitize_line;
use crate::terminal::Tone;
use crate::units::{show_bytes, show_duration};

/// Shows the source beside what is done in it.
pub(super) struct Page {
    name: String,
    lines: Vec<String>,
    colour: bool,
}

impl Page {
    pub(super) fn new(name: &str, source: &str, colour: bool) -> Self {
        Self { name: name.to_owned(), lines: source.lines().map(str::to_owned).collect(), colour }
    }

    /// Writes a step, with the line of the source that a call stands in.
    pub(super) fn step(&self, step: &Step) -> String {
        let seq = step.seq.map(|seq| seq.to_string()).unwrap_or_default();
        let (mark, tone) = match step.against {
            Against::New => ('+', Tone::Warning),
            Against::Missing => ('-', Tone::Warning),
            Against::Beyond => ('>', Tone::Dim),
            _ => (' ', tone(&step.what)),
        };
        let before = painted(&format!("{seq:>6}  {} ", time_of_day(step.now_us)), Tone::Dim, self.colour);
        let mut text =
            format!("{before}{}", painted(&format!("{mark} {}", what(&step.what)), tone, self.colour));
        if let What::Called { location: Some(location), .. } = &step.what {
            text.push_str(&self.place(*location));
        }
        text
    }

    fn place(&self, location: Location) -> String {
        let line = usize::try_from(location.line).ok().and_then(|line| self.lines.get(line.checked_sub(1)?));
        let shown = format!(
            "\n{:>10}{}:{}:{}  {}",
            "",
            sanitize_line(&self.name),
            location.line,
            location.column,
            line.map(|line| brief(line.trim())).unwrap_or_default(),
        );
        painted(&shown, Tone::Dim, self.colour)
    }

    /// Writes where the cell stands.
    pub(super) fn state(&self, state: &State) -> String {
        let mut lines = vec![format!("after event {}, at {}:", state.seq, time_of_day(state.now_us))];
        for PendingCall { call_id, tool, input, location, .. } in &state.calls {
            let id = call_id.as_ref().map(ToString::to_string).unwrap_or_default();
            let place = location
                .map(|at| format!("  {}:{}:{}", sanitize_line(&self.name), at.line, at.column))
                .unwrap_or_default();
            lines.push(format!("  waits for  {id}  {tool}({}){place}", json(input.as_ref())));
        }
        for (timer, due_us) in &state.timers {
            let due = due_us.map(|us| format!(", due {}", time_of_day(us))).unwrap_or_default();
            lines.push(format!("  timer      {timer}{due}"));
        }
        for (key, value) in &state.stored {
            lines.push(format!("  stored     {} = {}", brief(key), brief(value)));
        }
        lines.extend(state.output.iter().map(|item| format!("  output     {}", content(item))));
        if lines.len() == 1 {
            lines.push("  waits for nothing, and has shown and stored nothing".to_owned());
        }
        lines.join("\n")
    }

    /// Writes how a replay came out.
    pub(super) fn verdict(&self, verdict: &Verdict) -> (String, Tone) {
        let differing = |differences: &u64| match differences {
            0 => "as recorded".to_owned(),
            1 => "with 1 difference".to_owned(),
            many => format!("with {many} differences"),
        };
        match verdict {
            Verdict::Ended { differences } => {
                (format!("came to its recorded end, {}", differing(differences)), Tone::Plain)
            }
            Verdict::Open { differences } => {
                (format!("came to the end of the recording, {}", differing(differences)), Tone::Plain)
            }
            Verdict::Diverged(divergence) => {
                let mut text = format!("diverged after event {}:", divergence.after);
                match (&divergence.recorded, &divergence.did) {
                    (None, None) => text.push_str(" its memory is not what it was"),
                    (recorded, did) => {
                        let was = recorded.as_ref().map_or_else(|| "nothing".to_owned(), what);
                        let is = did.as_ref().map_or_else(|| "nothing: it waits".to_owned(), what);
                        text.push_str(&format!("\n  recorded  {was}\n  now       {is}"));
                    }
                }
                if let Some(What::Called { location: Some(location), .. }) = &divergence.did {
                    text.push_str(&self.place(*location));
                }
                (text, Tone::Error)
            }
            other => (format!("{other:?}"), Tone::Plain),
        }
    }
}

fn tone(what: &What) -> Tone {
    match what {
        What::Answered { result: Err(_), .. } | What::Warned { .. } | What::Terminated { .. } => {
            Tone::Warning
        }
        What::Ended { error: Some(_), .. } => Tone::Error,
        What::TimerSet { .. } | What::TimerCleared { .. } | What::TimerFired { .. } | What::Began => {
            Tone::Dim
        }
        _ => Tone::Plain,
    }
}

fn what(what: &What) -> String {
    match what {
        What::Began => "began".to_owned(),
        What::Called { call_id, tool, input, .. } => {
            let id = call_id.as_ref().map(|id| format!("{id}  ")).unwrap_or_default();
            format!("called    {id}{tool}({})", json(input.as_ref()))
        }
        What::Answered { call_id, result: Ok(answer), .. } => {
            format!("answered  {call_id}  {}", brief(answer.as_str()))
        }
        What::Answered { call_id, result: Err(error), .. } => {
            format!("answered  {call_id}  {}: {}", error.code.as_str(), brief(&error.message))
        }
        What::Asked { question } => format!("asked     {}", brief(question.as_str())),
        What::Told { answer } => format!("told      {}", brief(answer.as_str())),
        What::TimerSet { timer, delay } => {
            let delay = delay.map(|delay| format!(", in {}", show_duration(delay))).unwrap_or_default();
            format!("timer     {timer} set{delay}")
        }
        What::TimerCleared { timer } => format!("timer     {timer} cleared"),
        What::TimerFired { timer } => format!("timer     {timer} fired"),
        What::Output { content: item } => format!("output    {}", content(item)),
        What::Notified { text } => format!("notified  {}", brief(text)),
        What::Stored { key, json } => format!("stored    {} = {}", brief(key), brief(json)),
        What::Yielded => "yielded".to_owned(),
        What::Warned { text } => format!("warned    {}", brief(text)),
        What::Ended { error: Some(error), .. } => {
            format!("failed    {}: {}", brief(&error.name), brief(&error.message))
        }
        What::Ended { result, error: None } => {
            format!("ended     {}", json(result.as_ref())).trim_end().to_owned()
        }
        What::Terminated { reason } => format!("terminated: {reason:?}"),
        other => brief(&format!("{other:?}")),
    }
}

fn json(text: Option<&JsonText>) -> String {
    text.map(|text| brief(text.as_str())).unwrap_or_default()
}

fn content(content: &Content) -> String {
    match content {
        Content::Text { text, .. } => brief(text),
        Content::Image { data, mime_type } => {
            format!("image {}, {}", brief(mime_type), show_bytes(data.len()))
        }
        Content::Audio { data, mime_type } => {
            format!("audio {}, {}", brief(mime_type), show_bytes(data.len()))
        }
        Content::Block { block } => brief(block.as_str()),
        other => brief(&format!("{other:?}")),
    }
}
