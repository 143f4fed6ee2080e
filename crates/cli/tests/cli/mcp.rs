//! `carrel mcp`, talked to by the official Python SDK: in both generations of the protocol, over stdio and over HTTP.

#![expect(clippy::indexing_slicing, reason = "what is missing fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Desk, Ran, repository};

/// Runs the client and returns what it saw.
fn client(desk: &Desk, args: &[&str]) -> Value {
    let python = repository().join(".x/python/bin/python");
    assert!(python.is_file(), "{} is missing: run ./x setup", python.display());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/client.py");
    let mut command = Command::new(python);
    command.arg(script).args(args).current_dir(desk.path()).env("CARREL_DATA", desk.path().join("data"));
    let ran = Ran::from(command.stdin(Stdio::null()).output().unwrap()).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// `carrel mcp` over HTTP.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(desk: &Desk, token: Option<&str>) -> Self {
        Self::with(desk, &[], token)
    }

    fn with(desk: &Desk, args: &[&str], token: Option<&str>) -> Self {
        let args = [&["mcp", "--config", "mcp.json", "--http", "127.0.0.1:0"], args].concat();
        let mut command = desk.command(&args);
        if let Some(token) = token {
            command.env("CARREL_MCP_TOKEN", token);
        }
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.to_owned();
            }
        };
        // What else it says is of no interest, but has to be read.
        thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    fn ask(&self, tool: &str, arguments: &Value, desk: &Desk) -> Value {
        client(desk, &[tool, "auto", &self.address, &arguments.to_string()])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Holds what a tour saw to what it has to see.
fn check(seen: &Value) {
    assert_eq!(seen["tools"], json!(["exec", "wait", "search_tools"]));
    assert!(seen["longest"].as_u64().unwrap() < 1000, "{}", seen["longest"]);
    let found = &seen["search"];
    assert!(found["structured"]["tools"].to_string().contains("orders__list_orders"), "{found}");
    assert!(found["text"].as_str().unwrap().contains("declare const tools"), "{found}");
    assert_eq!(seen["exec"]["structured"]["status"], "completed", "{}", seen["exec"]);
    let counted = seen["exec"]["structured"]["output"].as_str().unwrap().trim();
    assert_eq!(seen["again"]["structured"]["result"].to_string(), counted);
    let failed = &seen["failed"];
    assert!(
        failed["error"].as_bool().unwrap() && failed["structured"]["error"]["name"] == "TypeError",
        "{failed}"
    );
    assert_eq!(seen["long"]["structured"]["status"], "running", "{}", seen["long"]);
    let all = seen["long"]["structured"]["output"].as_str().unwrap().to_owned()
        + seen["wait"]["structured"]["cells"][0]["output"].as_str().unwrap();
    assert_eq!(all, "one\ntwo\n");
    let ended = &seen["endless"]["structured"]["cells"][0];
    assert_eq!(
        (&ended["status"], &seen["endless"]["error"]),
        (&json!("terminated"), &json!(false)),
        "{ended}"
    );
    let much = &seen["much"]["structured"];
    assert!(much["omitted_bytes"].as_u64().unwrap() > 100_000, "{much}");
    assert!(much["output"].as_str().unwrap().len() < 40_000);
    let page = seen["page"].as_str().unwrap();
    assert!(
        page.starts_with("line 0\nline 1\n") && page.contains("bytes follow: carrel://session/"),
        "{page}"
    );
    let unknown = seen["unknown"]["text"].as_str().unwrap();
    assert!(unknown.contains("CR00") && unknown.contains("without `session_id`"), "{unknown}");
    let misspelt = seen["misspelt"]["text"].as_str().unwrap();
    assert!(misspelt.contains("`sesion`") && misspelt.contains("`session_id`"), "{misspelt}");
    let guide = seen["guide"].as_str().unwrap();
    assert!(guide.contains("# Programs for `exec`") && guide.contains("orders__get_order"), "{guide}");
    assert_eq!(seen["prompts"], json!(["carrel"]));
}

#[test]
fn the_python_sdk_has_all_of_it_over_stdio_in_both_generations() {
    let desk = Desk::with_orders();
    for mode in ["legacy", "auto"] {
        check(&client(&desk, &["tour", mode, env!("CARGO_BIN_EXE_carrel"), "mcp", "--config", "mcp.json"]));
    }
}

#[test]
fn the_python_sdk_has_all_of_it_over_http_in_both_generations() {
    let desk = Desk::with_orders();
    let server = Server::start(&desk, None);
    for mode in ["legacy", "auto"] {
        check(&client(&desk, &["tour", mode, &server.address]));
    }
}

#[test]
fn a_cell_outlives_its_server() {
    let desk = Desk::new();
    let files =
        repository().join(".x/npm/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    assert!(files.is_file(), "{} is missing: run ./x setup", files.display());
    let servers = json!({ "files": { "command": "node", "args": [files, desk.path()] } });
    desk.write("mcp.json", json!({ "mcpServers": servers }).to_string());
    // It goes on when there is a file, which there is not before its server was killed.
    let code = "text('before');
        const there = () => tools.files__get_file_info({ path: 'go' }).then(() => true, () => false);
        while (!(await there())) await new Promise((again) => setTimeout(again, 100));
        text('after'); export default 'done'";
    let server = Server::start(&desk, None);
    let begun =
        server.ask("exec", &json!({ "code": code, "yield_time_ms": 200 }), &desk)["structured"].take();
    assert_eq!(begun["status"], "running", "{begun}");
    // SIGKILL.
    drop(server);
    let server = Server::start(&desk, None);
    desk.write("go", "");
    let wait = json!({ "session_id": begun["session_id"], "cell_id": begun["cell_id"] });
    let ended = server.ask("wait", &wait, &desk)["structured"]["cells"][0].take();
    assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!("done")), "{ended}");
    // What was read last before a kill may be read again.
    assert!(ended["output"].as_str().unwrap().ends_with("after\n"), "{ended}");
    assert!(ended["notes"].to_string().contains("goes on where it was"), "{ended}");
}

#[test]
fn a_person_at_the_client_is_asked_in_both_generations() {
    let desk = Desk::with_orders();
    let ask = "default = \"allow\"\n[[rule]]\ntools = \"orders__update_order\"\ndecision = \"ask\"\n";
    desk.write("policy.toml", ask);
    let server = Server::with(&desk, &["--policy", "policy.toml"], None);
    let code = "const paid = tools.orders__update_order({ id: 'o-1072', status: 'paid' });
        export default await paid.then(() => 'made', (error) => { text(error.message); return error.code; })";
    let exec = json!({ "code": code }).to_string();
    for mode in ["legacy", "auto"] {
        for (said, came) in [("allow", "made"), ("deny", "denied")] {
            let seen = client(&desk, &["exec", mode, &server.address, &exec, said]);
            assert_eq!(seen["structured"]["result"], came, "{mode}, {said}: {seen}");
            assert_eq!(seen["asked"].as_array().unwrap().len(), 1, "{seen}");
            assert!(seen["asked"][0].as_str().unwrap().contains("orders__update_order({"), "{seen}");
        }
        // Who cannot be asked has not said yes.
        let brief = json!({ "code": code, "yield_time_ms": 300 }).to_string();
        let seen = client(&desk, &["exec", mode, &server.address, &brief]);
        assert_eq!(seen["structured"]["status"], "running", "{seen}");
        assert!(
            seen["text"].as_str().unwrap().contains("waits for a person: allow orders__update_order"),
            "{seen}"
        );
    }
}

/// Sends one request as a stranger would, and returns the line of the answer's status.
fn knock(server: &Server, headers: &str) -> String {
    let address = server.address.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let request = format!(
        "POST /mcp HTTP/1.1\r\n{headers}Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn strangers_are_kept_out_over_http() {
    let desk = Desk::with_orders();
    let open = Server::start(&desk, None);
    assert!(knock(&open, "Host: evil.example\r\n").contains("403"));
    assert!(knock(&open, "Host: localhost\r\nOrigin: https://evil.example\r\n").contains("403"));
    assert!(!knock(&open, "Host: localhost\r\n").contains("403"));
    let token = "0123456789abcdef";
    let closed = Server::start(&desk, Some(token));
    assert!(knock(&closed, "Host: localhost\r\n").contains("401"));
    assert!(knock(&closed, "Host: localhost\r\nAuthorization: Bearer 0123456789abcdeF\r\n").contains("401"));
    assert!(
        !knock(&closed, &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).contains("401")
    );
    desk.run(&["mcp", "--http", "0.0.0.0:0"]).expect(2).says(&["a token is required"]);
    let mut short = desk.command(&["mcp", "--http", "127.0.0.1:0"]);
    Ran::from(short.env("CARREL_MCP_TOKEN", "short").output().unwrap()).expect(2).says(&["has 5 bytes"]);
}
