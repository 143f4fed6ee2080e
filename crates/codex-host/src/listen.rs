//! Where clients come.

use std::io::{Write as _, stderr, stdin, stdout};
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::str::FromStr;
use std::sync::Arc;

use carrel_codex::{Hosting, grpc, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::net::unix::pipe;

/// Where clients come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// One client, in JSON on stdin and stdout.
    Stdio,
    /// One client, in gRPC on stdin and stdout.
    GrpcStdio,
    /// Any client, in gRPC on a port.
    Grpc(SocketAddr),
}

/// A text that names no such place, in the words of the observed host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidListen {
    /// It is none of these.
    #[error(
        "unsupported --listen URL `{given}`; expected `stdio`, `stdio://`, `grpc+stdio://` or `grpc://IP:PORT`"
    )]
    Unsupported {
        /// The text.
        given: String,
    },
    /// What comes after `grpc://` is no address of this machine's.
    #[error("invalid gRPC --listen URL `{given}`; expected `grpc://IP:PORT`")]
    Address {
        /// The text.
        given: String,
    },
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(given: &str) -> Result<Self, InvalidListen> {
        match given {
            "stdio" | "stdio://" => Ok(Self::Stdio),
            "grpc+stdio://" => Ok(Self::GrpcStdio),
            _ => {
                let text = given.to_owned();
                let place = given
                    .strip_prefix("grpc://")
                    .ok_or(InvalidListen::Unsupported { given: text.clone() })?;
                place.parse().map(Self::Grpc).map_err(|_| InvalidListen::Address { given: text })
            }
        }
    }
}

impl Listen {
    pub(crate) async fn serve(self, hosting: Arc<Hosting>) -> Result<(), String> {
        match self {
            Self::Stdio => {
                let (input, output) = stdio().map_err(|error| format!("failed to listen: {error}"))?;
                json::serve(hosting, input, output).await.map_err(|error| error.to_string())
            }
            Self::GrpcStdio => {
                let (input, output) = stdio().map_err(|error| format!("failed to listen: {error}"))?;
                // What is not HTTP/2 was answered as such, and the client is gone either way.
                grpc::serve_connection(hosting, tokio::io::join(input, output)).await.ok();
                Ok(())
            }
            Self::Grpc(place) => {
                let failed = |error: std::io::Error| format!("failed to listen at {place}: {error}");
                let listener = TcpListener::bind(place).await.map_err(failed)?;
                let local = listener.local_addr().map_err(failed)?;
                // Who does not read it knows the place.
                writeln!(stdout(), "http://{local}").ok();
                grpc::serve_port(hosting, listener).await
            }
        }
    }
}

type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Takes stdin and stdout for the protocol: whatever else is printed goes to stderr from here on.
fn stdio() -> std::io::Result<(Input, Output)> {
    let reader = stdin().as_fd().try_clone_to_owned()?;
    let writer = stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(stderr())?;
    Ok((input(reader), output(writer)))
}

/// Reads a pipe as such, and anything else, which a test may give, through a thread.
fn input(fd: OwnedFd) -> Input {
    match fd.try_clone().and_then(pipe::Receiver::from_owned_fd) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(tokio::fs::File::from_std(fd.into())),
    }
}

fn output(fd: OwnedFd) -> Output {
    match fd.try_clone().and_then(pipe::Sender::from_owned_fd) {
        Ok(pipe) => Box::new(pipe),
        Err(_) => Box::new(tokio::fs::File::from_std(fd.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROTOCOL 127 to 129.
    #[test]
    fn n127_n128_n129_places_are_read() {
        for (given, listen) in [
            ("stdio", Listen::Stdio),
            ("stdio://", Listen::Stdio),
            ("grpc+stdio://", Listen::GrpcStdio),
            ("grpc://127.0.0.1:0", Listen::Grpc(([127, 0, 0, 1], 0).into())),
            ("grpc://[::1]:80", Listen::Grpc(([0, 0, 0, 0, 0, 0, 0, 1], 80).into())),
        ] {
            assert_eq!(given.parse(), Ok(listen));
        }
        for given in ["", "stdio:", "grpc", "grpc+stdio://x", "ws://127.0.0.1:1", "http://127.0.0.1:1"] {
            assert_eq!(given.parse::<Listen>(), Err(InvalidListen::Unsupported { given: given.to_owned() }));
        }
        for given in
            ["grpc://", "grpc://localhost:1", "grpc://127.0.0.1", "grpc://::1:1", "grpc://127.0.0.1:65536"]
        {
            assert_eq!(given.parse::<Listen>(), Err(InvalidListen::Address { given: given.to_owned() }));
        }
    }
}
