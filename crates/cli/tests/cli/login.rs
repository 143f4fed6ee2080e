//! `carrel login` and `carrel logout`, with a browser that says yes, against the authorization server and the MCP server
//! of the TypeScript SDK.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Desk, Ran, repository};

const SECRET: &str = "hush-hush-hush";

/// `auth.mjs`, running, and a desk whose `mcp.json` names it as `guarded`.
struct Guarded {
    process: Child,
    desk: Desk,
    url: String,
}

impl Guarded {
    /// Starts it with a token's time in seconds, and, where it registers no clients, the secret of the one that it knows.
    fn start(args: &[&str]) -> Self {
        let modules = repository().join(".x/npm/node_modules");
        assert!(modules.is_dir(), "{} is missing: run ./x setup", modules.display());
        let mut process = Command::new("node")
            .args([repository().join("crates/tools/tests/servers/auth.mjs"), modules.canonicalize().unwrap()])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let port = first_line(process.stdout.as_mut().unwrap(), |_| true);
        let guarded =
            Self { process, desk: Desk::new(), url: format!("http://127.0.0.1:{}/mcp", port.trim()) };
        guarded.configure(&json!({ "url": guarded.url }));
        guarded
    }

    fn configure(&self, entry: &Value) {
        self.desk.write("mcp.json", json!({ "mcpServers": { "guarded": entry } }).to_string());
    }

    fn run(&self, args: &[&str], secret: &str) -> Ran {
        self.desk.command(args).env("SECRET", secret).stdin(Stdio::null()).output().unwrap().into()
    }

    /// Logs in as a person would who says yes. Returns the address that they were told to open, and what was said.
    fn log_in(&self) -> (String, Ran) {
        let mut child = self
            .desk
            .command(&["login", "guarded", "--no-browser"])
            .env("SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = first_line(child.stderr.as_mut().unwrap(), |line| line.contains("to log in, open "));
        let (_, address) = told.trim().split_once("open ").unwrap();
        let asked = get(address);
        let answer = asked
            .lines()
            .find_map(|line| line.to_ascii_lowercase().starts_with("location: ").then(|| &line[10..]))
            .unwrap();
        assert!(get(answer).ends_with("You are logged in, and can close this page."));
        (address.to_owned(), child.wait_with_output().unwrap().into())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Reads up to the first such line, and nothing behind it.
fn first_line(stream: &mut impl std::io::Read, wanted: impl Fn(&str) -> bool) -> String {
    let mut lines = BufReader::with_capacity(1, stream);
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the stream ended");
        if wanted(&line) {
            return line;
        }
    }
}

/// Gets an address as a browser would, and returns the answer's head and body.
fn get(address: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_logs_in_has_the_tools_until_they_log_out() {
    let guarded = Guarded::start(&["3600"]);
    guarded.run(&["tools"], "").expect(4).says(&["status 401", "`carrel login guarded`"]);
    guarded.log_in().1.expect(0).says(&["logged in at `guarded`"]);
    assert!(guarded.desk.path().join("data/logins").is_dir());
    let tools = guarded.run(&["tools"], "").expect(0);
    assert!(tools.stdout.contains("guarded__refreshes"), "{}", tools.stdout);
    guarded.run(&["logout", "guarded"], "").expect(0).says(&["logged out at `guarded`"]);
    guarded.run(&["logout", "guarded"], "").expect(0).says(&["nobody was logged in at `guarded`"]);
    guarded.run(&["tools"], "").expect(4);
    guarded.run(&["login", "gaurded"], "").expect(2).says(&["there is no server `gaurded`"]);
}

#[test]
fn a_client_that_was_registered_by_hand_logs_in_where_none_is_registered() {
    // Less than the time before its end at which a token counts as old, so each use of it is a refresh.
    let guarded = Guarded::start(&["20", SECRET]);
    let refused = guarded.run(&["login", "guarded", "--no-browser"], "").expect(4);
    refused.says(&["has to be registered there by hand", "\"client_id\""]);
    let oauth =
        json!({ "client_id": "known", "client_secret": "${SECRET}", "scopes": ["mcp:tools", "more"] });
    guarded.configure(&json!({ "url": guarded.url, "oauth": oauth }));
    let (address, ran) = guarded.log_in();
    assert!(address.contains("client_id=known") && address.contains("more"), "{address}");
    let ran = ran.expect(0);
    assert!(!ran.stderr.contains(SECRET) && !address.contains(SECRET), "{address}\n{}", ran.stderr);
    let refreshed = guarded
        .run(&["run", "--mcp", "mcp.json", "-e", "text(await tools.guarded__refreshes() > 0)"], SECRET)
        .expect(0);
    assert_eq!(refreshed.stdout, "true\n");
    // What is kept has no secret, and without the right one nothing is refreshed.
    guarded.run(&["tools"], "another-secret").expect(4).says(&["Invalid client_secret"]);
    guarded.run(&["logout", "guarded"], SECRET).expect(0);
}
