//! The trace a call belongs to, as it goes to servers: W3C Trace Context in a request's `_meta`, as MCP has it since
//! SEP-414 (<https://modelcontextprotocol.io/seps/414-request-meta>). Where it comes from is the embedder's business.

use std::fmt;
use std::sync::Arc;

/// The longest `tracestate` that is passed on, in bytes: what the W3C asks everybody to pass on.
const MAX_STATE_BYTES: usize = 512;

/// The trace, and the span in it, that a call is part of: a valid W3C `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    parent: String,
    state: Option<String>,
}

/// What a `traceparent` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read the trace: it is no `traceparent` of W3C Trace Context; accepted is one as in 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)]
pub struct InvalidTraceParent;

impl TraceParent {
    /// Reads a `traceparent`: version, trace, span and flags in lower-case hexadecimal, and what later versions add.
    ///
    /// # Errors
    /// [`InvalidTraceParent`] when it is none, or names no trace or no span.
    pub fn parse(text: &str) -> Result<Self, InvalidTraceParent> {
        let mut parts = text.splitn(5, '-');
        let mut field = |digits: usize| {
            parts.next().filter(|part| {
                part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            })
        };
        let (version, trace, span, flags) = (field(2), field(32), field(16), field(2));
        let named = |id: Option<&str>| id.is_some_and(|id| id.bytes().any(|b| b != b'0'));
        let rest = parts.next();
        let known = match version {
            Some("00") => rest.is_none(),
            Some("ff") | None => false,
            Some(_) => rest.is_none_or(|rest| rest.len() <= MAX_STATE_BYTES && rest.is_ascii()),
        };
        if known && named(trace) && named(span) && flags.is_some() {
            Ok(Self { parent: text.to_owned(), state: None })
        } else {
            Err(InvalidTraceParent)
        }
    }

    /// Adds what vendors pass along (`tracestate`). One that is empty, not ASCII or longer than 512 bytes is left out.
    #[must_use]
    pub fn with_state(mut self, state: &str) -> Self {
        let fits = (1..=MAX_STATE_BYTES).contains(&state.len())
            && state.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        self.state = fits.then(|| state.to_owned());
        self
    }

    /// Returns the `traceparent`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.parent
    }

    /// Returns the `tracestate`, where there is one.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Asks an embedder which trace a call belongs to. It is asked as the call is made, in the call's own span.
#[derive(Clone)]
pub struct TraceSource(Arc<dyn Fn() -> Option<TraceParent> + Send + Sync>);

impl TraceSource {
    /// Makes a source of what `current` returns; `None` where there is no trace. It must not block.
    pub fn new(current: impl Fn() -> Option<TraceParent> + Send + Sync + 'static) -> Self {
        Self(Arc::new(current))
    }

    pub(super) fn current(&self) -> Option<TraceParent> {
        (self.0)()
    }
}

impl fmt::Debug for TraceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceSource")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_what_is_valid() {
        assert_eq!(TraceParent::parse(TRACE).unwrap().as_str(), TRACE);
        let later = format!("{}-more", TRACE.replacen("00", "01", 1));
        assert_eq!(TraceParent::parse(&later).unwrap().as_str(), later);
        for wrong in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert_eq!(TraceParent::parse(wrong), Err(InvalidTraceParent), "{wrong}");
        }
    }

    #[test]
    fn a_state_is_bounded() {
        let with = |state: &str| TraceParent::parse(TRACE).unwrap().with_state(state);
        assert_eq!(with("a=1,b=2").state(), Some("a=1,b=2"));
        for wrong in ["", "ü", "a\n", &"x".repeat(513)] {
            assert_eq!(with(wrong).state(), None);
        }
    }
}
