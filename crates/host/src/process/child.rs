//! One host process, from its start to its end.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::time::timeout;

use super::ends_within;
use super::options::{ProcessOptions, Transport};
use super::reaper::Reaper;
use crate::client::{ConnectError, Connection, Greeting, Owner};

/// How long a host that was told to end may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the way in which a host ended is waited for, once its connection has.
const EPITAPH: Duration = Duration::from_millis(500);
/// The longest line by which a host says where it listens.
const LINE: u64 = 4096;

/// A running host. Dropping it gives the host a little time to end by itself, and then kills it.
pub(super) struct HostProcess {
    child: Arc<Mutex<Option<Child>>>,
    pid: Pid,
    /// Kept, so that the thread that started it lives as long.
    _reaper: Reaper,
    _folder: Option<Folder>,
}

/// A folder that goes away.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for what may be left.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

impl HostProcess {
    /// Starts a host and introduces itself.
    pub(super) async fn start(
        options: &ProcessOptions,
        reaper: &Reaper,
    ) -> Result<(Arc<Owner>, Arc<Self>), ConnectError> {
        let folder = match options.transport {
            Transport::Stdio => None,
            Transport::UnixSocket => Some(private_folder()?),
        };
        let socket = folder.as_ref().map(|folder| folder.0.join("host"));
        let mut command = Command::new(&options.command.program);
        command.args(&options.command.args).arg("--listen");
        match &socket {
            None => command.arg("stdio"),
            Some(socket) => command.arg(format!("unix:{}", socket.display())),
        };
        command
            .arg("--parent")
            .arg(std::process::id().to_string())
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = reaper.spawn(command).await?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap_or(Pid::INIT);
        let process = Arc::new(Self {
            child: Arc::new(Mutex::new(Some(child))),
            pid,
            _reaper: reaper.clone(),
            _folder: folder,
        });
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(std::io::Error::other("its standard streams are missing").into());
        };
        let writer = pipe::Sender::from_owned_fd(OwnedFd::from(stdin))?;
        let reader = pipe::Receiver::from_owned_fd(OwnedFd::from(stdout))?;
        let greeting = Greeting {
            patience: options.handshake,
            epitaph: Some(Arc::clone(&process) as Arc<dyn crate::client::Epitaph>),
            checker: options.checker.clone(),
            ..Greeting::default()
        };
        let connection = match socket {
            None => Connection::open(reader, writer, &greeting).await?,
            Some(socket) => {
                // The host says that it listens; its standard input, while it is open, keeps it.
                let mut line = String::new();
                let listening = BufReader::new(reader.take(LINE)).read_line(&mut line).await;
                let silent = |_| ConnectError::Silent(options.handshake);
                timeout(options.handshake, async { listening }).await.map_err(silent)??;
                let stream = UnixStream::connect(&socket).await?;
                let (reader, socket_writer) = stream.into_split();
                Connection::open(reader, Kept { writer: socket_writer, _stdin: writer }, &greeting).await?
            }
        };
        let owner = Owner { connection, _with: Some(Box::new(Arc::clone(&process))) };
        Ok((Arc::new(owner), process))
    }

    /// Kills it and all it started.
    pub(super) fn kill(&self) {
        if self.child().is_some() {
            // It may have ended just now.
            kill_process_group(self.pid, Signal::KILL).ok();
        }
    }

    /// Waits until it has ended, no longer than this, and then kills it.
    pub(super) async fn end(&self, patience: Duration) {
        let has_ended = |child: &mut Child| matches!(child.try_wait(), Ok(Some(_)));
        if self.child().as_mut().is_none_or(has_ended) {
            return;
        }
        let pid = self.pid;
        let ended = tokio::task::spawn_blocking(move || ends_within(pid, patience)).await;
        if !ended.is_ok_and(|ended| ended) {
            self.kill();
        }
    }

    /// Returns the memory that it has, in bytes.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        let mut text = String::new();
        let file = File::open(format!("/proc/{}/statm", self.pid.as_raw_nonzero())).ok()?;
        file.take(256).read_to_string(&mut text).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ending(&self) -> Option<ExitStatus> {
        let pid = self.pid;
        let ended = tokio::task::spawn_blocking(move || ends_within(pid, EPITAPH)).await;
        ended.ok().filter(|ended| *ended)?;
        self.child().as_mut()?.try_wait().ok()?
    }
}

impl crate::client::Epitaph for HostProcess {
    fn say(&self) -> futures::future::BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            let status = self.ending().await?;
            Some(match (status.code(), status.signal()) {
                (_, Some(signal)) if signal == Signal::SYS.as_raw() => {
                    "its process was ended by its sandbox, for a system call that no host makes".to_owned()
                }
                (_, Some(signal)) => format!("its process was ended by signal {signal}"),
                (Some(code), None) => format!("its process exited with status {code}"),
                (None, None) => "its process ended".to_owned(),
            })
        })
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let Some(mut child) = self.child().take() else { return };
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = self.pid;
        let reap = move || {
            if !ends_within(pid, FAREWELL) {
                // It may have ended just now.
                kill_process_group(pid, Signal::KILL).ok();
            }
            child.wait().ok();
        };
        // Without a thread to wait in, it is left to end with its standard input, or with this process.
        thread::Builder::new().name("carrel-reaper".to_owned()).spawn(reap).ok();
    }
}

/// A socket's writer, with the host's standard input beside it.
struct Kept {
    writer: tokio::net::unix::OwnedWriteHalf,
    _stdin: pipe::Sender,
}

impl tokio::io::AsyncWrite for Kept {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.writer).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.writer).poll_shutdown(context)
    }
}

/// Makes a folder that this user alone can look into.
fn private_folder() -> std::io::Result<Folder> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let name = format!("carrel-host-{:016x}", u64::from_le_bytes(random));
    let folder = std::env::temp_dir().join(name);
    rustix::fs::mkdir(&folder, rustix::fs::Mode::RWXU)?;
    Ok(Folder(folder))
}
