//! Where a host listens, and the clients that come.

use std::io;
use std::io::{stderr, stdin, stdout};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::unix::pipe;
use tokio::net::{TcpListener, UnixListener, UnixStream};
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

/// A host that is ready for clients.
pub enum Listening {
    /// Its standard streams.
    Stdio(Reader, Writer),
    /// A socket.
    Unix(UnixListener, PathBuf),
    /// A port.
    Tcp(TcpListener),
}

impl Listen {
    /// Takes the place. After this, what else the process prints to its standard output goes to its standard error.
    ///
    /// # Errors
    /// When it is taken, or cannot be.
    pub async fn bind(&self) -> io::Result<Listening> {
        match self {
            Self::Stdio => {
                let reader = stdin().as_fd().try_clone_to_owned()?;
                let writer = stdout().as_fd().try_clone_to_owned()?;
                rustix::stdio::dup2_stdout(stderr())?;
                // A pipe, a socket, or whatever else is read on threads.
                Ok(match (pipe::Receiver::from_owned_fd(reader), pipe::Sender::from_owned_fd(writer)) {
                    (Ok(reader), Ok(writer)) => Listening::Stdio(Box::new(reader), Box::new(writer)),
                    _ => return Err(io::Error::other("its standard input and output must be pipes")),
                })
            }
            Self::Unix(path) => {
                remove_left_over(path).await?;
                let listener = UnixListener::bind(path)?;
                rustix::fs::chmod(path, Mode::RUSR | Mode::WUSR)?;
                Ok(Listening::Unix(listener, path.clone()))
            }
            Self::Tcp(address) => Ok(Listening::Tcp(TcpListener::bind(address).await?)),
        }
    }
}

/// Removes a socket that nobody listens on.
async fn remove_left_over(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there already")),
    }
}

impl Listening {
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

    /// Serves clients: on standard streams one, until it leaves; elsewhere all that come, until the future is dropped.
    ///
    /// # Errors
    /// What ended the one client, or why no more can come.
    pub async fn serve(self, hosted: Arc<Hosted>) -> Result<(), ServeError> {
        let listener = match self {
            Self::Stdio(reader, writer) => return hosted.serve(reader, writer).await,
            listener => listener,
        };
        let mut clients = JoinSet::new();
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
                if let Err(error) = hosted.serve_within(Some(HELLO), reader, writer).await {
                    tracing::warn!(%error, "a client was lost");
                }
            });
        }
    }

    async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Stdio(..) => std::future::pending().await,
            Self::Unix(listener, _) => {
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

/// Waits until nothing can come on standard input any more.
pub async fn stdin_closed() {
    let stdin = stdin().as_fd().try_clone_to_owned().and_then(pipe::Receiver::from_owned_fd);
    let Ok(mut stdin) = stdin else { return std::future::pending().await };
    let mut bytes = [0; 64];
    while matches!(stdin.read(&mut bytes).await, Ok(1..)) {}
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
