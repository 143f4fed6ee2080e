//! How long an upstream may take, and how much of it is kept.

use std::time::Duration;

use super::trace::TraceSource;
use crate::login::LoginFolder;

/// The limits of a connection to an upstream. Those on time may be others in a server's own configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Time a server has to start, shake hands and list its tools: 30 s.
    pub connect_time: Duration,
    /// Time a server has to answer a call: no limit. A call that takes longer is cancelled.
    pub call_time: Option<Duration>,
    /// Time a child process has to end after its input closed, and again after SIGTERM, before it is killed:
    /// 500 ms.
    pub close_grace: Duration,
    /// The longest message taken from a server, in bytes: 64 MiB. A longer one ends the connection.
    pub message_bytes: usize,
    /// Tools kept of one server: 10,000. The rest are left out, with a warning.
    pub tools: usize,
    /// Time before a server that was lost twice within a minute is started or reached again: 250 ms. Each further loss
    /// doubles it, up to a minute. After the first loss there is no wait.
    pub restart_wait: Duration,
    /// Where the trace comes from that calls belong to; without it they carry none.
    pub trace: Option<TraceSource>,
    /// Where logins at remote servers are kept; without it there are none.
    pub logins: Option<LoginFolder>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(30),
            call_time: None,
            close_grace: Duration::from_millis(500),
            message_bytes: 64 << 20,
            tools: 10_000,
            restart_wait: Duration::from_millis(250),
            trace: None,
            logins: None,
        }
    }
}

impl ConnectOptions {
    /// Sets the time a server has to start, shake hands and list its tools.
    #[must_use]
    pub fn with_connect_time(mut self, time: Duration) -> Self {
        self.connect_time = time;
        self
    }

    /// Sets where logins at remote servers are kept.
    #[must_use]
    pub fn with_logins(mut self, logins: LoginFolder) -> Self {
        self.logins = Some(logins);
        self
    }

    /// Sets the time a server has to answer a call.
    #[must_use]
    pub fn with_call_time(mut self, time: Duration) -> Self {
        self.call_time = Some(time);
        self
    }

    /// Sets the grace of each step of closing a child process.
    #[must_use]
    pub fn with_close_grace(mut self, grace: Duration) -> Self {
        self.close_grace = grace;
        self
    }

    /// Sets the longest message taken from a server.
    #[must_use]
    pub fn with_message_bytes(mut self, bytes: usize) -> Self {
        self.message_bytes = bytes;
        self
    }

    /// Sets how many tools of one server are kept.
    #[must_use]
    pub fn with_tools(mut self, tools: usize) -> Self {
        self.tools = tools;
        self
    }

    /// Sets the time before a server that was lost twice within a minute is started or reached again.
    #[must_use]
    pub fn with_restart_wait(mut self, time: Duration) -> Self {
        self.restart_wait = time;
        self
    }

    /// Says which trace calls belong to.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceSource) -> Self {
        self.trace = Some(trace);
        self
    }
}
