//! HTTP servers that are not there, refuse, or are no MCP servers.

use std::sync::{Arc, Mutex};

use carrel_tools::{ConnectError, ConnectOptions};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{API_KEY, failure, fake};

/// Answers every request on a loopback port with one response, and says what the requests were.
async fn canned(
    response: impl Into<String>,
) -> (String, tokio::task::JoinSet<()>, tokio::sync::mpsc::Receiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/${{API_KEY}}/mcp", listener.local_addr().unwrap());
    let response = response.into();
    let (requests, seen) = tokio::sync::mpsc::channel(16);
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 << 10];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let _full = requests.try_send(String::from_utf8_lossy(&request[..read]).into_owned());
            let _gone = stream.write_all(response.as_bytes()).await;
        }
    });
    (url, serving, seen)
}

#[tokio::test]
async fn an_http_server_that_is_not_there_is_named_as_configured() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/${{API_KEY}}");
    let error = failure(json!({ "type": "http", "url": url }), ConnectOptions::default()).await;
    assert!(matches!(error.error, ConnectError::Unreachable(_)), "{error:?}");
    let error = error.to_string();
    assert!(error.contains(&format!("nothing answers at http://127.0.0.1:{port}/${{API_KEY}}: ")), "{error}");
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_http_server_that_refuses_is_named_with_its_status() {
    for (response, status, hint) in [
        (
            "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            401,
            "`headers`",
        ),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 401, "`headers`"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope", 404, "/mcp"),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 503, "503"),
    ] {
        let (url, _serving, mut seen) = canned(response).await;
        let server =
            json!({ "type": "http", "url": url, "headers": { "Authorization": "Bearer ${API_KEY}" } });
        let error = failure(server, ConnectOptions::default()).await;
        let ConnectError::Rejected(rejected) = &error.error else { panic!("{error:?}") };
        assert_eq!(rejected.status, status);
        assert!(error.to_string().contains(hint) && error.to_string().contains("${API_KEY}"), "{error}");
        let request = seen.recv().await.unwrap();
        assert!(request.contains(&format!("authorization: Bearer {API_KEY}")), "{request}");
    }
}

#[tokio::test]
async fn an_http_server_that_is_none_says_what_it_answered() {
    let (url, _serving, _seen) = canned(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 12\r\nconnection: close\r\n\r\n<html></html",
    )
    .await;
    let error = failure(json!({ "type": "http", "url": url }), ConnectOptions::default()).await;
    assert!(error.to_string().contains("text/html"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_server_only() {
    let (elsewhere, _serving, mut visited) = canned("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").await;
    let location = elsewhere.replace("/${API_KEY}", "");
    let (url, _redirecting, mut seen) = canned(format!(
        "HTTP/1.1 307 Moved\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
    .await;
    let server = json!({ "type": "http", "url": url, "headers": { "X-Key": "${API_KEY}" } });
    let error = failure(server, ConnectOptions::default()).await;
    let ConnectError::Rejected(rejected) = &error.error else { panic!("{error:?}") };
    assert_eq!(rejected.status, 307);
    assert!(seen.try_recv().is_ok());
    assert!(visited.try_recv().is_err());

    let moved =
        "HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (url, _redirecting, mut seen) = canned(moved).await;
    failure(json!({ "type": "http", "url": url }), ConnectOptions::default()).await;
    let mut paths = Vec::new();
    while let Ok(request) = seen.try_recv() {
        paths.push(request.lines().next().unwrap_or_default().to_owned());
    }
    // The first, and five redirects.
    assert_eq!((paths.len(), paths[1].as_str()), (6, "POST /elsewhere HTTP/1.1"));
}

/// A log that keeps everything.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn not_even_the_finest_log_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let headers = json!({ "Authorization": "Bearer ${API_KEY}" });
    let (refusing, _serving, _seen) =
        canned("HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    for url in [refusing, "http://127.0.0.1:1/${API_KEY}".to_owned()] {
        failure(json!({ "type": "http", "url": url, "headers": headers }), ConnectOptions::default()).await;
    }
    failure(json!({ "command": "/no/${API_KEY}", "args": ["${API_KEY}"] }), ConnectOptions::default()).await;
    failure(fake("exit"), ConnectOptions::default()).await;
    failure(fake("refuse"), ConnectOptions::default()).await;

    let text = log.text();
    assert!(text.contains("rmcp") && text.contains("TRACE"), "{text}");
    let telling: Vec<&str> = text.lines().filter(|line| line.contains(API_KEY)).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}
