//! Logging in, against the authorization server and the MCP server of the TypeScript SDK.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use carrel_tools::config::TransportConfig;
use carrel_tools::login::{Login, LoginError, LoginFolder};
use carrel_tools::{ConnectOptions, McpConfig, McpDelegate, NoSink, Upstreams};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::{PATIENCE, call, config};

/// `auth.mjs`, running.
struct Guarded {
    process: Child,
    port: u16,
}

impl Guarded {
    fn start(token_seconds: u32) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = tests.join("../../.x/npm/node_modules");
        assert!(modules.is_dir(), "{} is missing: run ./x setup", modules.display());
        let mut process = Command::new("node")
            .args([tests.join("tests/servers/auth.mjs"), std::fs::canonicalize(modules).unwrap()])
            .arg(token_seconds.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), process }
    }

    fn config(&self) -> McpConfig {
        config(json!({ "guarded": { "url": format!("http://127.0.0.1:{}/mcp", self.port) } }))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Gets an address as a browser would, and returns the answer's head and body.
async fn get(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Follows the redirect of an answer.
fn location(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.to_ascii_lowercase().starts_with("location: ").then(|| &line[10..]))
        .expect(answer)
}

/// Logs in as a person would who says yes.
async fn log_in(config: &McpConfig, folder: &LoginFolder) -> Result<(), LoginError> {
    let TransportConfig::Http(http) = &config.servers[0].transport else { panic!() };
    let login = Login::begin(http, folder).await?;
    let asked = get(login.url()).await;
    let answer = location(&asked).to_owned();
    let stranger = answer.replace("state=", "state=not-");
    let browser = async {
        assert!(get(&stranger).await.starts_with("HTTP/1.1 404"));
        assert!(get(&answer).await.ends_with("You are logged in, and can close this page."));
    };
    let (finished, ()) =
        tokio::time::timeout(PATIENCE, futures::future::join(login.finish(), browser)).await.unwrap();
    finished.map(|_| ())
}

async fn connect(config: &McpConfig, folder: &LoginFolder) -> Upstreams {
    Upstreams::connect(config, ConnectOptions::default().with_logins(folder.clone())).await
}

#[tokio::test]
async fn who_logged_in_is_let_in_until_they_log_out() {
    let guarded = Guarded::start(3600);
    let config = guarded.config();
    let home = tempfile::tempdir().unwrap();
    let folder = LoginFolder::new(home.path().join("data/logins"));
    let failure = connect(&config, &folder).await.failures()[0].to_string();
    assert!(failure.contains("status 401") && failure.contains("`carrel login guarded`"), "{failure}");

    log_in(&config, &folder).await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    #[cfg(unix)]
    for (path, mode) in [(folder.path(), 0o700), (files[0].as_path(), 0o600)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let upstreams = connect(&config, &folder).await;
    assert!(upstreams.failures().is_empty(), "{:?}", upstreams.failures());
    let delegate = McpDelegate::new(upstreams, NoSink);
    assert_eq!(call(&delegate, "guarded__refreshes", json!({})).await.unwrap(), 0);
    delegate.upstreams().close().await;

    let TransportConfig::Http(http) = &config.servers[0].transport else { panic!() };
    assert!(folder.forget(http.url.expose()).await.unwrap());
    assert!(!folder.forget(http.url.expose()).await.unwrap());
    assert_eq!(connect(&config, &folder).await.failures().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_old_is_refreshed_and_one_that_is_refused_says_to_log_in() {
    // Less than the time before its end at which a token counts as old, so each use of it is a refresh.
    let guarded = Guarded::start(20);
    let config = guarded.config();
    let home = tempfile::tempdir().unwrap();
    let folder = LoginFolder::new(home.path());
    log_in(&config, &folder).await.unwrap();
    let upstreams = connect(&config, &folder).await;
    assert!(upstreams.failures().is_empty(), "{:?}", upstreams.failures());
    let delegate = McpDelegate::new(upstreams, NoSink);
    let refreshes = call(&delegate, "guarded__refreshes", json!({})).await.unwrap();
    assert!(refreshes.as_u64().unwrap() > 0, "{refreshes}");
    delegate.upstreams().close().await;

    get(&format!("http://127.0.0.1:{}/forget", guarded.port)).await;
    let failure = connect(&config, &folder).await.failures()[0].to_string();
    assert!(failure.contains("`carrel login guarded`"), "{failure}");
}

#[tokio::test]
async fn a_server_that_nobody_can_log_in_at_says_so() {
    let config = config(json!({ "none": { "url": "http://127.0.0.1:1/mcp" } }));
    let TransportConfig::Http(http) = &config.servers[0].transport else { panic!() };
    let home = tempfile::tempdir().unwrap();
    let refused = Login::begin(http, &LoginFolder::new(home.path())).await.err().unwrap();
    assert!(matches!(refused, LoginError::Unsupported(_)), "{refused}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
