//! What the host computes for a guest: functions of the strings that it passes, and of nothing else.
//!
//! For what libraries of the host do better than code in the guest would. A reply must depend on its question alone,
//! on every machine, or a replay would diverge; what the tables of a library say is part of that, so their versions
//! belong to the image's identity. A guest cannot be stopped while the host computes, so no question may take longer
//! than a millisecond or so: each bounds its input.

mod encoding;
mod intl;
mod url;
pub(crate) mod zone;

/// What is asked. The numbers are those of `kit.questions` in `guest/prelude/kit.js`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `a`: a URL. `b`: its base, or nothing. The reply: its parts.
    ParseUrl,
    /// `a`: a URL. `b`: a part, a line end, and the part's new value. The reply: its parts.
    ChangeUrl,
    /// `a`: a label, such as `latin1`. The reply: the name of the encoding.
    NameEncoding,
    /// `a`: bytes, a character each. `b`: the encoding's name, then `!` if fatal, then `+` if more is to come. The reply:
    /// the text.
    Decode,
    /// `a`: a time zone. `b`: a time, in milliseconds since 1970.
    ZoneOffset,
    /// `a`: a service of `Intl` with its options, as JSON. `b`: a letter that says what is asked, and what of.
    Intl,
}

impl Question {
    /// Returns the question of a number.
    pub(crate) fn of(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::ParseUrl,
            2 => Self::ChangeUrl,
            3 => Self::NameEncoding,
            4 => Self::Decode,
            5 => Self::Intl,
            6 => Self::ZoneOffset,
            _ => return None,
        })
    }
}

/// Returns the reply, or the reason why there is none, which the prelude throws as a `RangeError` or as an error that
/// it makes of it.
pub(crate) fn answer(question: Question, a: &str, b: &str) -> Result<String, String> {
    match question {
        Question::ParseUrl => url::parse(a, b),
        Question::ChangeUrl => url::change(a, b),
        Question::NameEncoding => encoding::name(a),
        Question::Decode => encoding::decode(a, b),
        Question::ZoneOffset => zone::offset(a, b),
        Question::Intl => intl::answer(a, b),
    }
}
