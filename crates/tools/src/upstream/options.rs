//! How long an upstream may take, and how much of it is kept.

use std::time::Duration;

/// The limits of a connection to an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Time a server has to start, shake hands and list its tools: 30 s.
    pub connect_time: Duration,
    /// Time a child process has to end after its input closed, and again after SIGTERM, before it is killed:
    /// 500 ms.
    pub close_grace: Duration,
    /// The longest message taken from a server, in bytes: 64 MiB. A longer one ends the connection.
    pub message_bytes: usize,
    /// Tools kept of one server: 10,000. The rest are left out, with a warning.
    pub tools: usize,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(30),
            close_grace: Duration::from_millis(500),
            message_bytes: 64 << 20,
            tools: 10_000,
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
}
