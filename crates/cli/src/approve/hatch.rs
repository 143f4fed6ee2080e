//! Where a server hears what a person at another terminal says: a socket in the folder for data.
//!
//! Each server has one of its own, named by what its questions begin with. The folder and the socket are their owner's alone;
//! the first is what keeps others out on every system.

use std::convert::Infallible;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carrel_tools::policy::{Answer, ApprovalId, Approvals};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::socket::{self, Listener, Stream};
use super::words::{Ask, Said, Told, Waiting};

/// What a socket's name ends in.
pub(super) const SUFFIX: &str = "sock";
/// The longest line, in bytes.
const LINE_BYTES: u64 = 1 << 20;
/// How long one who comes may take, and how long they wait for a server: a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many are listened to at once. Others wait.
const CALLERS: usize = 16;
/// How long a process that has no more files waits for one.
const NO_FILES: Duration = Duration::from_secs(1);

/// Returns the folder of the sockets.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("approvals")
}

/// How the questions of this process are called: so that no other process's ever was called the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(String);

impl Names {
    /// Draws them.
    pub(crate) fn draw() -> Self {
        let drawn = RandomState::new().build_hasher().finish();
        Self(format!("{:08x}", drawn & 0xffff_ffff))
    }

    /// Returns what a question is called.
    pub(crate) fn of(&self, id: ApprovalId) -> String {
        format!("{}.{id}", self.0)
    }

    /// Tells whether a question is one of these, wherever it is now.
    pub(super) fn is_of(path: &Path, question: &str) -> bool {
        let names = path.file_stem().and_then(|stem| stem.to_str());
        names.is_some_and(|names| Self(names.to_owned()).id(question).is_some())
    }

    fn id(&self, name: &str) -> Option<ApprovalId> {
        let number = name.strip_prefix(&self.0)?.strip_prefix('.')?;
        number.parse().ok().map(ApprovalId)
    }
}

/// A server's socket, gone when this is.
pub(crate) struct Hatch {
    path: PathBuf,
    listener: Listener,
    names: Names,
    approvals: Approvals,
}

impl Hatch {
    /// Opens one.
    pub(crate) fn open(data: &Path, names: Names, approvals: Approvals) -> io::Result<Self> {
        let folder = folder(data);
        fs::create_dir_all(&folder)?;
        socket::keep_to_owner(&folder)?;
        let path = folder.join(&names.0).with_extension(SUFFIX);
        let listener = Listener::open(&path)?;
        Ok(Self { path, listener, names, approvals })
    }

    /// Answers whoever comes; one who is slow keeps nobody waiting. Does not end by itself.
    pub(crate) async fn serve(&self) -> Infallible {
        let mut callers = FuturesUnordered::new();
        loop {
            tokio::select! {
                came = self.listener.accept(), if callers.len() < CALLERS => match came {
                    Ok(stream) => callers.push(timeout(PATIENCE, self.answer(stream))),
                    Err(_) => tokio::time::sleep(NO_FILES).await,
                },
                // Whoever goes away, or takes too long, has heard nothing.
                Some(_) = callers.next() => {}
            }
        }
    }

    async fn answer(&self, stream: Stream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        (&mut stream).take(LINE_BYTES).read_line(&mut line).await?;
        let told = match serde_json::from_str(&line)? {
            Ask::List => Told::Waiting(self.waiting()),
            Ask::Answer { questions, decision } => self.pass_on(questions, decision),
        };
        let mut line = serde_json::to_vec(&told)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        stream.flush().await
    }

    fn waiting(&self) -> Vec<Waiting> {
        let pending = self.approvals.pending();
        let waiting = pending.iter().map(|request| Waiting {
            question: self.names.of(request.id),
            session: request.session_id.to_string(),
            cell: request.cell_id.to_string(),
            text: request.question(),
        });
        waiting.collect()
    }

    fn pass_on(&self, questions: Vec<String>, said: Said) -> Told {
        let answer = match said {
            Said::Allow => Answer::Allow,
            Said::AllowForSession => Answer::AllowForSession,
            Said::Deny => Answer::Deny { reason: None },
        };
        let ids: Vec<_> = questions.iter().filter_map(|question| self.names.id(question)).collect();
        // All at once: an answer for a session is one for all of them.
        let failures = self.approvals.answer(&ids, &answer).err().unwrap_or_default();
        let is_too_late = |question: &String| {
            let id = self.names.id(question);
            id.is_none_or(|id| failures.iter().any(|failure| failure.id() == id))
        };
        Told::Answered { too_late: questions.into_iter().filter(is_too_late).collect() }
    }
}

impl Drop for Hatch {
    fn drop(&mut self) {
        // Where it stays, the next who looks finds nobody behind it.
        drop(fs::remove_file(&self.path));
    }
}

/// Asks the server behind a socket.
pub(super) async fn ask(path: &Path, ask: &Ask) -> io::Result<Told> {
    let asked = async {
        let mut stream = BufReader::new(socket::connect(path).await?);
        let mut line = serde_json::to_vec(ask)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        stream.flush().await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        Ok(serde_json::from_str(&line)?)
    };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_of_another_process_is_none_of_ones_own() {
        let (own, other) = (Names("0000000a".to_owned()), Names("0000000b".to_owned()));
        let question = own.of(ApprovalId(12));
        assert_eq!((own.id(&question), other.id(&question)), (Some(ApprovalId(12)), None));
        for none in ["12", "0000000a", "0000000a.", "0000000a12", "0000000a.x"] {
            assert_eq!(own.id(none), None, "{none}");
        }
    }
}
