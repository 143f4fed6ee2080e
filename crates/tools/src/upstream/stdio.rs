//! The stdio transport: one JSON-RPC message a line to a child's stdin and from its stdout.
//!
//! rmcp brings one of its own. This one differs in what it does with a server that misbehaves: a message that
//! is too long ends the connection instead of vanishing while its caller waits, an answer that cannot be read
//! becomes an error of its call, lines that are no messages are counted, stderr is drained into a bounded tail,
//! and everything the server started is ended with it. Stderr is read wherever stdout is, so there is no task
//! that somebody would have to own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ErrorCode, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ConnectOptions;
use super::process::{ServerProcess, Streams, ending};
use super::vitals::Vitals;

/// How long a process that closed its output has to end and say why.
const FAREWELL: Duration = Duration::from_millis(300);

/// The connection to one child process.
pub(super) struct StdioTransport {
    process: ServerProcess,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    stdout: BufReader<ChildStdout>,
    stderr: Option<ChildStderr>,
    line: Vec<u8>,
    max_line_bytes: usize,
    close_grace: Duration,
    /// When the farewell of a server that closed its output is over.
    farewell: Option<Instant>,
    /// Why the connection was ended from this side.
    fault: Option<String>,
    vitals: Arc<Vitals>,
    connecting: Arc<AtomicBool>,
}

/// What came of reading.
enum Read {
    Line,
    End,
}

impl StdioTransport {
    pub(super) fn new(
        process: ServerProcess,
        streams: Streams,
        options: &ConnectOptions,
        vitals: Arc<Vitals>,
    ) -> Self {
        Self {
            process,
            stdin: Arc::new(Mutex::new(Some(streams.stdin))),
            stdout: BufReader::new(streams.stdout),
            stderr: Some(streams.stderr),
            line: Vec::new(),
            max_line_bytes: options.message_bytes,
            close_grace: options.close_grace,
            farewell: None,
            fault: None,
            vitals,
            connecting: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Returns a switch that is on until the connection stands. While it is on, a failing write is left to
    /// the read that follows, which knows how the process ended.
    pub(super) fn connecting(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.connecting)
    }

    /// Reads stdout up to the end of a line, and stderr on the way. Cancel safe: what was read stays in `line`.
    async fn read(&mut self) -> Read {
        let mut scratch = [0_u8; 4096];
        loop {
            tokio::select! {
                chunk = self.stdout.fill_buf() => {
                    let Ok(chunk) = chunk else { return Read::End };
                    if chunk.is_empty() {
                        return Read::End;
                    }
                    let (taken, whole) = match chunk.iter().position(|byte| *byte == b'\n') {
                        Some(newline) => (newline + 1, true),
                        None => (chunk.len(), false),
                    };
                    if self.line.len() + taken > self.max_line_bytes {
                        self.fault = Some(format!(
                            "sent a message longer than {} bytes, so the connection was closed",
                            self.max_line_bytes
                        ));
                        return Read::End;
                    }
                    self.line.extend(chunk.iter().take(taken));
                    self.stdout.consume(taken);
                    if whole {
                        return Read::Line;
                    }
                }
                read = read_some(&mut self.stderr, &mut scratch) => {
                    self.vitals.push_stderr(scratch.get(..read).unwrap_or_default());
                }
            }
        }
    }

    /// Learns how the process ended and what it said last, for a short while. Cancel safe.
    async fn farewell(&mut self) {
        let until = *self.farewell.get_or_insert_with(|| Instant::now() + FAREWELL);
        let mut status = None;
        if self.fault.is_none() {
            let mut scratch = [0_u8; 4096];
            let deadline = tokio::time::sleep_until(until);
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    () = &mut deadline => break,
                    ended = self.process.ended(), if status.is_none() => {
                        status = ended;
                        if self.stderr.is_none() || status.is_none() { break }
                    }
                    read = read_some(&mut self.stderr, &mut scratch) => {
                        self.vitals.push_stderr(scratch.get(..read).unwrap_or_default());
                        if self.stderr.is_none() && status.is_some() { break }
                    }
                }
            }
        }
        self.vitals.end(self.fault.take().unwrap_or_else(|| ending(status)));
    }

    /// Waits for the process to end while its output goes nowhere. Returns whether it did in time.
    async fn ends_within(&mut self, grace: Duration) -> bool {
        let mut out = [0_u8; 4096];
        let mut err = [0_u8; 4096];
        let deadline = tokio::time::sleep(grace);
        tokio::pin!(deadline);
        let mut stdout_open = true;
        loop {
            tokio::select! {
                _ = self.process.ended() => return true,
                () = &mut deadline => return false,
                read = self.stdout.read(&mut out), if stdout_open => {
                    stdout_open = read.is_ok_and(|read| read > 0);
                }
                read = read_some(&mut self.stderr, &mut err) => {
                    self.vitals.push_stderr(err.get(..read).unwrap_or_default());
                }
            }
        }
    }
}

/// Reads from a stream that may have ended; pends for ever once it has. Cancel safe.
async fn read_some(stream: &mut Option<ChildStderr>, buffer: &mut [u8]) -> usize {
    let Some(open) = stream else { return std::future::pending().await };
    match open.read(buffer).await {
        Ok(read) if read > 0 => read,
        _ => {
            *stream = None;
            0
        }
    }
}

impl Transport<RoleClient> for StdioTransport {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let stdin = Arc::clone(&self.stdin);
        let connecting = Arc::clone(&self.connecting);
        async move {
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let mut stdin = stdin.lock().await;
            let Some(open) = stdin.as_mut() else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            let written = async {
                open.write_all(&line).await?;
                open.flush().await
            };
            match written.await {
                Err(_) if connecting.load(Ordering::Relaxed) => Ok(()),
                written => written,
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            if self.farewell.is_some() {
                self.farewell().await;
                return None;
            }
            match self.read().await {
                Read::End => {
                    self.farewell = Some(Instant::now() + FAREWELL);
                }
                Read::Line => {
                    let message = parse(self.line.trim_ascii(), &self.vitals);
                    self.line.clear();
                    self.line.shrink_to(64 << 10);
                    if message.is_some() {
                        return message;
                    }
                }
            }
        }
    }

    /// Ends the process as the protocol asks: input closed, then asked, then killed.
    async fn close(&mut self) -> Result<(), io::Error> {
        // A write that is stuck holds the lock; then the server does not read, and closing tells it nothing.
        let told = match self.stdin.try_lock() {
            Ok(mut stdin) => {
                drop(stdin.take());
                true
            }
            Err(_) => false,
        };
        let mut ended = told && self.ends_within(self.close_grace).await;
        if !ended {
            self.process.terminate();
            ended = self.ends_within(self.close_grace).await;
        }
        // Also when it ended by itself: what it started and left behind goes with it.
        self.process.kill();
        if !ended {
            self.process.ended().await;
        }
        self.vitals.end("was closed".to_owned());
        Ok(())
    }
}

/// What a message is, without what it says: that may be of any depth, which serde passes over but does not read.
#[derive(Deserialize)]
struct Envelope {
    id: Option<Value>,
    method: Option<IgnoredAny>,
}

/// Reads one line. `None` when there is nothing in it to act on.
fn parse(line: &[u8], vitals: &Vitals) -> Option<ServerJsonRpcMessage> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.is_empty() {
        return None;
    }
    let fault = match serde_json::from_slice(line) {
        Ok(message) => return Some(message),
        Err(error) => error,
    };
    // serde would take a list for a struct too.
    let Some(envelope) =
        line.starts_with(b"{").then(|| serde_json::from_slice::<Envelope>(line).ok()).flatten()
    else {
        vitals.note_noise(line);
        return None;
    };
    if envelope.method.is_some() {
        // A notification or request this protocol does not have. Ignoring is what other clients do.
        return None;
    }
    // An answer that cannot be read: its caller must not wait for another.
    let id = serde_json::from_value::<RequestId>(envelope.id?).ok()?;
    let problem = if fault.to_string().starts_with("recursion limit exceeded") {
        "the server's answer is nested deeper than the 128 levels that are read"
    } else {
        "the server's answer is not a valid MCP message"
    };
    Some(ServerJsonRpcMessage::error(ErrorData::new(ErrorCode::PARSE_ERROR, problem, None), Some(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (Option<String>, Option<(String, u64)>) {
        let vitals = Vitals::default();
        let message = parse(line.trim().as_bytes(), &vitals);
        (message.map(|m| serde_json::to_string(&m).unwrap()), vitals.last_words().noise)
    }

    #[test]
    fn reads_messages_and_passes_over_what_is_none() {
        let (message, noise) = parsed(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        assert!(message.is_some() && noise.is_none());
        assert_eq!(parsed(""), (None, None));
        assert_eq!(parsed(r#"{"jsonrpc":"2.0","method":"window/logMessage","params":{}}"#).1, None);
        assert_eq!(parsed("Server listening…").1, Some(("Server listening…".to_owned(), 1)));
        assert_eq!(parsed("[1]").1, Some(("[1]".to_owned(), 1)));
    }

    /// What rmcp makes of such a list must not be one of its results that ignore what they do not know.
    #[test]
    fn a_list_with_a_malformed_tool_keeps_its_tools() {
        let more = r#""resultType":"complete","#;
        for more in ["", more] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{more}"tools":[{{"name":"x"}}]}}}}"#);
            assert!(parsed(&line).0.unwrap().contains(r#""tools":[{"name":"x"}]"#), "{line}");
        }
        let (acknowledgement, _) = parsed(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#);
        assert!(acknowledgement.unwrap().contains("complete"));
    }

    #[test]
    fn an_answer_that_cannot_be_read_fails_its_call() {
        let (message, _) = parsed(r#"{"id":7,"result":{}}"#);
        let message = message.unwrap();
        assert!(message.contains("-32700") && message.contains("\"id\":7"), "{message}");
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let (message, noise) =
            parsed(&format!(r#"{{"jsonrpc":"2.0","id":8,"result":{{"structuredContent":{deep}}}}}"#));
        let message = message.unwrap();
        assert!(message.contains("deeper than the 128 levels") && message.contains("\"id\":8"), "{message}");
        assert_eq!(noise, None);
        assert_eq!(parsed(&format!(r#"{{"id":8,"method":"x","params":{deep}}}"#)), (None, None));
        assert!(parsed(&format!(r#"{{"id":{deep}}}"#)).1.is_some());
    }
}
