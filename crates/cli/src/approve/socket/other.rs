//! A system on which there are none: a person answers at the client, or over HTTP.

use std::io;
use std::path::Path;

pub(in super::super) type Stream = tokio::io::Empty;

pub(in super::super) struct Listener;

impl Listener {
    pub(in super::super) fn open(_: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
        std::future::pending().await
    }
}

pub(in super::super) async fn connect(_: &Path) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(in super::super) fn keep_to_owner(_: &Path) -> io::Result<()> {
    Ok(())
}
