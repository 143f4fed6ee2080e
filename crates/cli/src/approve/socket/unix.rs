//! Sockets in the file system.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio::net::{UnixListener, UnixStream};

pub(in super::super) type Stream = UnixStream;

pub(in super::super) struct Listener(UnixListener);

impl Listener {
    /// Listens at a path that only its owner reaches. Whoever finds a socket there is heard: it gets its name when it listens.
    pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
        let unfinished = path.with_extension("new");
        let listener = UnixListener::bind(&unfinished)?;
        let finished = fs::set_permissions(&unfinished, Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = finished {
            drop(fs::remove_file(&unfinished));
            return Err(error);
        }
        Ok(Self(listener))
    }

    /// Waits for somebody. Cancel safe.
    pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

/// Reaches whoever listens at a path.
pub(in super::super) async fn connect(path: &Path) -> io::Result<Stream> {
    UnixStream::connect(path).await
}

/// Keeps everybody but its owner out of a folder.
pub(in super::super) fn keep_to_owner(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}
