//! Why a document gives no tools. Texts from outside are bounded and redacted.

/// An OpenAPI document that gives no tools.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenApiError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableDocument),
    /// It cannot be fetched.
    #[error(transparent)]
    Unfetched(#[from] UnfetchedDocument),
    /// It is neither JSON nor YAML.
    #[error(transparent)]
    Malformed(#[from] MalformedDocument),
    /// It is something else than OpenAPI 3.
    #[error(transparent)]
    NoOpenApi(#[from] NoOpenApi),
    /// It names no server that could be called.
    #[error(transparent)]
    NoServer(#[from] NoServer),
    /// It was fetched from one place and names another.
    #[error(transparent)]
    Elsewhere(#[from] ServerElsewhere),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file {path} cannot be read: {source}")]
pub struct UnreadableDocument {
    /// The file, as configured.
    pub path: String,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// A document that cannot be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document cannot be fetched from {url}: {reason}")]
pub struct UnfetchedDocument {
    /// Where it should be, as configured.
    pub url: String,
    /// Why.
    pub reason: String,
}

/// A text that is neither JSON nor YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document} is neither JSON nor YAML: {problem}")]
pub struct MalformedDocument {
    /// The document, as configured.
    pub document: String,
    /// What is wrong.
    pub problem: String,
}

/// A document of another kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document} is not OpenAPI 3: {found}; accepted are 3.0, 3.1 and 3.2")]
pub struct NoOpenApi {
    /// The document, as configured.
    pub document: String,
    /// What it is instead.
    pub found: String,
}

/// A document without a server that could be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document} {problem}; say which server to call by `server`, as in \"https://api.example.com/v1\"")]
pub struct NoServer {
    /// The document, as configured.
    pub document: String,
    /// What it says instead.
    pub problem: String,
}

/// A document that was fetched from one place and names another.
///
/// Whoever can change such a document could have the credentials, and whatever a cell sends, sent anywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{document} names a server that is elsewhere, {server}; when that is right, set `server` to it")]
pub struct ServerElsewhere {
    /// The document, as configured.
    pub document: String,
    /// The server it names.
    pub server: String,
}
