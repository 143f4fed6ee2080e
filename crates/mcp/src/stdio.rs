//! One client, on standard input and output.

use rmcp::ServiceExt as _;
use rmcp::transport::stdio;

use crate::connection::Connection;
use crate::face::Face;

/// Why a client was not served to the end.
#[derive(Debug, thiserror::Error)]
#[error("serve the client: {detail}")]
pub struct ServeError {
    detail: String,
}

impl ServeError {
    pub(crate) fn new(error: impl std::fmt::Display) -> Self {
        Self { detail: error.to_string() }
    }
}

/// Serves one client until it closes standard input. What its sessions run, durable ones go on with when they are opened
/// again. Dropping the future leaves them in the same way.
///
/// # Errors
/// [`ServeError`] when the client does not speak MCP.
pub async fn serve_stdio(face: &Face) -> Result<(), ServeError> {
    let service = Connection::new(face.clone()).serve(stdio()).await.map_err(ServeError::new)?;
    service.waiting().await.map_err(ServeError::new)?;
    Ok(())
}
