//! HTTP servers that are not there, refuse, or are no MCP servers.

use carrel_tools::{ConnectError, ConnectOptions};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{API_KEY, failure};

/// Answers every request on a loopback port with one response, and says what the requests were.
async fn canned(
    response: &'static str,
) -> (String, tokio::task::JoinSet<()>, tokio::sync::mpsc::Receiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/${{API_KEY}}/mcp", listener.local_addr().unwrap());
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
async fn a_redirect_elsewhere_is_not_followed() {
    let (_, _serving, mut elsewhere) = canned("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").await;
    let (url, _serving, _seen) = canned(
        "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:9/mcp\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    let error = failure(
        json!({ "type": "http", "url": url, "headers": { "X-Key": "${API_KEY}" } }),
        ConnectOptions::default(),
    )
    .await;
    assert!(!matches!(error.error, ConnectError::Unreachable(_)), "{error}");
    assert!(elsewhere.try_recv().is_err());
}
