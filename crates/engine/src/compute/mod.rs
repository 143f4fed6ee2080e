//! What the host computes for a guest: functions of the strings that it passes, and of nothing else.
//!
//! For what libraries of the host do better than code in the guest would. A reply must depend on its question alone,
//! on every machine, or a replay would diverge; what the tables of a library say is part of that, so their versions
//! belong to the image's identity. A guest cannot be stopped while the host computes, so no question may take longer
//! than a millisecond or so: each bounds its input.

mod intl;
mod url;

/// What is asked. The numbers are those of `kit.questions` in `guest/prelude/kit.js`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `a`: a URL. `b`: its base, or nothing.
    ParseUrl,
    /// `a`: a service of `Intl` with its options, as JSON. `b`: a letter that says what is asked, and what of.
    Intl,
}

impl Question {
    /// Returns the question of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::ParseUrl,
            2 => Self::Intl,
            _ => return None,
        })
    }
}

/// Returns the reply, or the reason why there is none, which the prelude throws as a `RangeError` or as an error that
/// it makes of it.
pub(crate) fn answer(question: Question, a: &str, b: &str) -> Result<String, String> {
    match question {
        Question::ParseUrl => url::parse(a, b),
        Question::Intl => intl::answer(a, b),
    }
}
