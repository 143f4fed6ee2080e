//! Where a host listens, and the clients that come.

use std::io;
use std::io::{stderr, stdin, stdout};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FileType, Mode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::unix::pipe;
use tokio::task::JoinSet;

use super::{Hosted, ServeError};

/// Clients that may be connected at once.
const CLIENTS: usize = 1024;
/// How long one of them may take to introduce itself.
const HELLO: Duration = Duration::from_secs(10);

/// Where a host listens: `stdio`, `unix:PATH` or `tcp:ADDRESS:PORT` of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On its standard streams, for one client.
    Stdio,
    /// On a socket.
    Unix(PathBuf),
    /// On a port of this machine alone.
    Tcp(SocketAddr),
}

/// What is no place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "listen at {given:?}: accepted is `stdio`, `unix:PATH` or `tcp:127.0.0.1:PORT`, where the address is one of this machine alone"
)]
pub struct InvalidListen {
    /// What was given.
    pub given: String,
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(given: &str) -> Result<Self, InvalidListen> {
        let invalid = || InvalidListen { given: given.to_owned() };
        match given.split_once(':') {
            None if given == "stdio" => Ok(Self::Stdio),
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) => {
                let address: SocketAddr = address.parse().map_err(|_| invalid())?;
                address.ip().is_loopback().then_some(Self::Tcp(address)).ok_or_else(invalid)
            }
            _ => Err(invalid()),
        }
    }
}

type Reader = Box<dyn AsyncRead + Send + Sync + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// A place that this process has taken.
#[derive(Debug)]
pub enum Bound {
    /// Its standard streams, a pipe each.
    Stdio(OwnedFd, OwnedFd),
    /// A socket.
    Unix(UnixListener, PathBuf),
    /// A port.
    Tcp(TcpListener),
}

impl Listen {
    /// Takes the place. After this, what else the process prints to its standard output goes to its standard error. Blocks for no
    /// longer than the system takes, and needs no runtime: a host is bound before it gives up what that takes.
    ///
    /// # Errors
    /// When it is taken, or cannot be.
    pub fn bind(&self) -> io::Result<Bound> {
        match self {
            Self::Stdio => {
                let reader = stdin().as_fd().try_clone_to_owned()?;
                let writer = stdout().as_fd().try_clone_to_owned()?;
                for stream in [&reader, &writer] {
                    if !FileType::from_raw_mode(rustix::fs::fstat(stream)?.st_mode).is_fifo() {
                        return Err(io::Error::other("its standard input and output must be pipes"));
                    }
                }
                rustix::stdio::dup2_stdout(stderr())?;
                Ok(Bound::Stdio(reader, writer))
            }
            Self::Unix(path) => {
                remove_left_over(path)?;
                let listener = UnixListener::bind(path)?;
                rustix::fs::chmod(path, Mode::RUSR | Mode::WUSR)?;
                Ok(Bound::Unix(listener, path.clone()))
            }
            Self::Tcp(address) => Ok(Bound::Tcp(TcpListener::bind(address)?)),
        }
    }
}

/// Removes a socket that nobody listens on.
fn remove_left_over(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there already")),
    }
}

impl Bound {
    /// Says where, as [`Listen`] reads it.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Stdio(..) => "stdio".to_owned(),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "tcp".to_owned(), |address| format!("tcp:{address}"))
            }
        }
    }

    /// Gets ready for clients. To be called in a tokio runtime, and before a host gives up the system calls that this takes.
    ///
    /// # Errors
    /// When the runtime cannot wait for the streams.
    pub fn listen(self) -> io::Result<Listening> {
        Ok(match self {
            Self::Stdio(reader, writer) => {
                Listening::Stdio(pipe::Receiver::from_owned_fd(reader)?, pipe::Sender::from_owned_fd(writer)?)
            }
            Self::Unix(listener, _) => {
                listener.set_nonblocking(true)?;
                Listening::Unix(tokio::net::UnixListener::from_std(listener)?)
            }
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Listening::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
        })
    }
}

/// A host's place, ready for clients.
#[derive(Debug)]
pub enum Listening {
    /// Its standard streams.
    Stdio(pipe::Receiver, pipe::Sender),
    /// A socket.
    Unix(tokio::net::UnixListener),
    /// A port.
    Tcp(tokio::net::TcpListener),
}

impl Listening {
    /// Serves clients: on standard streams one, until it leaves; elsewhere all that come, until the future is dropped.
    ///
    /// # Errors
    /// What ended the one client, or why no more can come.
    pub async fn serve(self, hosted: Arc<Hosted>) -> Result<(), ServeError> {
        let mut clients = JoinSet::new();
        let listener = match self {
            Self::Stdio(reader, writer) => {
                // As a task, it runs on the thread that waits for input. This future may be a runtime's first, whose
                // thread would have to be woken for each message.
                clients.spawn(async move { hosted.serve(reader, writer).await });
                return match clients.join_next().await {
                    Some(Ok(served)) => served,
                    Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    _ => Ok(()),
                };
            }
            listener => listener,
        };
        loop {
            while clients.try_join_next().is_some() {}
            if clients.len() >= CLIENTS {
                clients.join_next().await;
                continue;
            }
            let (reader, writer) = match listener.accept().await {
                Ok(client) => client,
                // One that went away before it was accepted is no reason to stop.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(ServeError::accept(error)),
            };
            let hosted = Arc::clone(&hosted);
            clients.spawn(async move {
                let served = hosted.serve_within(Some(HELLO), reader, writer).await;
                if let Err(error) = &served {
                    tracing::warn!(%error, "a client was lost");
                }
                served
            });
        }
    }

    async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Stdio(..) => std::future::pending().await,
            Self::Unix(listener) => {
                let (reader, writer) = listener.accept().await?.0.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Small frames are written at once, all that there are.
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
        }
    }
}

/// Waits until nothing can come on standard input any more. What that takes is taken when this is called, in a tokio runtime.
pub fn stdin_closed() -> impl Future<Output = ()> + Send {
    let stdin = stdin().as_fd().try_clone_to_owned().and_then(pipe::Receiver::from_owned_fd);
    async {
        let Ok(mut stdin) = stdin else { return std::future::pending().await };
        let mut bytes = [0; 64];
        while matches!(stdin.read(&mut bytes).await, Ok(1..)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_of_this_machine() {
        assert_eq!("stdio".parse(), Ok(Listen::Stdio));
        assert_eq!("unix:/tmp/x".parse(), Ok(Listen::Unix("/tmp/x".into())));
        assert!(matches!("tcp:127.0.0.1:0".parse(), Ok(Listen::Tcp(_))));
        for bad in ["", "unix:", "tcp:0.0.0.0:80", "tcp:example.com:80", "udp:127.0.0.1:1"] {
            let error = bad.parse::<Listen>().unwrap_err().to_string();
            assert!(error.contains("accepted is"), "{error}");
        }
    }
}
