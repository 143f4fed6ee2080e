//! `carrel mcp`, talked to by the official Python SDK: in both generations of the protocol, over stdio and over HTTP.

#![expect(clippy::indexing_slicing, reason = "what is missing fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Desk, Ran, repository};

/// Runs the client and returns what it saw.
pub(crate) fn client(desk: &Desk, args: &[&str]) -> Value {
    let python = repository().join(".x/python/bin/python");
    assert!(python.is_file(), "{} is missing: run ./x setup", python.display());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/client.py");
    let mut command = Command::new(python);
    command.arg(script).args(args).current_dir(desk.path()).env("CARREL_DATA", desk.path().join("data"));
    let ran = Ran::from(command.stdin(Stdio::null()).output().unwrap()).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// `carrel mcp` over HTTP.
pub(crate) struct Server {
    process: Child,
    address: String,
    token: Option<String>,
    /// What it has said on standard error.
    said: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) fn start(desk: &Desk, token: Option<&str>) -> Self {
        Self::with(desk, &[], token)
    }

    pub(crate) fn with(desk: &Desk, args: &[&str], token: Option<&str>) -> Self {
        let args = [&["mcp", "--config", "mcp.json", "--http", "127.0.0.1:0"], args].concat();
        Self::of(desk.command(&args), token)
    }

    /// What such a command starts.
    pub(crate) fn of(mut command: Command, token: Option<&str>) -> Self {
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
        let said = Arc::<Mutex<String>>::default();
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines {
                *heard.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        Self { process, address, token: token.map(str::to_owned), said }
    }

    /// The address as the client script takes it, with the token.
    fn target(&self) -> String {
        let token = self.token.as_ref().map(|token| format!("#{token}"));
        format!("{}{}", self.address, token.unwrap_or_default())
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Has it end by itself.
    pub(crate) fn leave(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.process.wait().unwrap();
    }

    pub(crate) fn ask(&self, tool: &str, arguments: &Value, desk: &Desk) -> Value {
        client(desk, &[tool, "auto", &self.address, &arguments.to_string()])
    }

    /// Calls one tool after the other in one connection, and returns what each returned as an object.
    fn calls(&self, calls: &Value, desk: &Desk) -> Vec<Value> {
        let seen = client(desk, &["calls", "auto", &self.target(), &calls.to_string()]);
        seen.as_array().unwrap().iter().map(|seen| seen["structured"].clone()).collect()
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
    let keyed = seen["keyed"].as_array().unwrap();
    for again in keyed {
        let [first, again] = [&keyed[0]["structured"], &again["structured"]];
        assert_eq!((&again["cell_id"], &again["result"]), (&first["cell_id"], &json!(1)), "{again}");
        assert_eq!(again["output"], "run\n", "{again}");
    }
    assert!(seen["reused"]["text"].as_str().unwrap().contains("(CR0021)"), "{}", seen["reused"]);
    assert!(seen["keyless"]["text"].as_str().unwrap().contains("no `session_id`"), "{}", seen["keyless"]);
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
    let code = "text('before'); store('runs', (load('runs') ?? 0) + 1);
        const there = () => tools.files__get_file_info({ path: 'go' }).then(() => true, () => false);
        while (!(await there())) await new Promise((again) => setTimeout(again, 100));
        text('after'); export default 'done'";
    let server = Server::start(&desk, None);
    let session = server.ask("exec", &json!({ "code": "0" }), &desk)["structured"]["session_id"].take();
    let exec = json!({ "code": code, "yield_time_ms": 200, "session_id": session, "idempotency_key": "k" });
    let begun = server.ask("exec", &exec, &desk)["structured"].take();
    assert_eq!(begun["status"], "running", "{begun}");
    // SIGKILL.
    drop(server);
    let server = Server::start(&desk, None);
    desk.write("go", "");
    let wait = json!({ "session_id": begun["session_id"], "cell_id": begun["cell_id"] });
    let seen = server.calls(&json!([["wait", wait], ["exec", exec]]), &desk);
    let ended = &seen[0]["cells"][0];
    assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!("done")), "{ended}");
    // What was read last before a kill may be read again.
    assert!(ended["output"].as_str().unwrap().ends_with("after\n"), "{ended}");
    assert!(ended["notes"].to_string().contains("goes on where it was"), "{ended}");
    // The call itself made again, here and after another kill, is answered with the same cell.
    drop(server);
    let server = Server::start(&desk, None);
    let count = json!({ "code": "export default load('runs')", "session_id": session });
    let then = server.calls(&json!([["exec", exec], ["exec", count]]), &desk);
    for again in [&seen[1], &then[0]] {
        assert_eq!(
            (&again["cell_id"], &again["output"]),
            (&begun["cell_id"], &json!("before\nafter\n")),
            "{again}"
        );
    }
    assert_eq!(then[1]["result"], 1);
}

#[test]
fn a_person_at_the_client_is_asked_in_both_generations() {
    let desk = Desk::with_orders();
    let ask = "default = \"allow\"\n[[rule]]\ntools = \"orders__update_order\"\ndecision = \"ask\"\n";
    desk.write("policy.toml", ask);
    let server = Server::with(&desk, &["--policy", "policy.toml"], None);
    let exec = json!({ "code": PAY }).to_string();
    for mode in ["legacy", "auto"] {
        for (said, came) in [("allow", "made"), ("deny", "denied")] {
            let seen = client(&desk, &["exec", mode, &server.address, &exec, said]);
            assert_eq!(seen["structured"]["result"], came, "{mode}, {said}: {seen}");
            assert_eq!(seen["asked"].as_array().unwrap().len(), 1, "{seen}");
            assert!(seen["asked"][0].as_str().unwrap().contains("orders__update_order({"), "{seen}");
        }
        // Who cannot be asked has not said yes.
        asks(&server, mode, 1, &desk);
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
    assert!(knock(&open, "Host: localhost\r\nOrigin: http://localhost:1\r\n").contains("403"));
    assert!(knock(&open, "Host: localhost\r\nOrigin: null\r\n").contains("403"));
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

/// A policy under which a person is asked before an order is changed.
fn ask_for_orders(desk: &Desk) {
    let ask = "default = \"allow\"\n[[rule]]\ntools = \"orders__update_order\"\ndecision = \"ask\"\n";
    desk.write("policy.toml", ask);
}

/// A cell that changes an order, and says what became of that.
const PAY: &str = "const paid = tools.orders__update_order({ id: 'o-1072', status: 'paid' });
    export default await paid.then(() => 'made', (error) => error.code)";

/// Runs a cell so many times that asks, for a client that cannot, and returns what waits for each and the name of its question.
fn asks(server: &Server, mode: &str, times: u32, desk: &Desk) -> Vec<(Value, String)> {
    let does = json!({ "code": PAY, "times": times }).to_string();
    let seen = client(desk, &["asking", mode, &server.target(), &does]);
    let asked = seen.as_array().unwrap().iter().map(|asked| {
        let notes = asked["notes"].to_string();
        assert!(notes.contains("waits for a person: allow orders__update_order({"), "{notes}");
        let question = notes.split("`carrel approve ").nth(1).unwrap().split('`').next().unwrap();
        (asked["wait"].clone(), question.to_owned())
    });
    asked.collect()
}

/// Waits for the ends of cells, and returns their results.
fn results<'a>(server: &Server, waits: impl Iterator<Item = &'a Value>, desk: &Desk) -> Vec<Value> {
    let waits: Vec<_> = waits.map(|wait| json!(["wait", wait])).collect();
    let ended = server.calls(&json!(waits), desk);
    ended.iter().map(|ended| ended["cells"][0]["result"].clone()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_answers_where_the_client_cannot_ask() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = Desk::with_orders();
    ask_for_orders(&desk);
    let server = Server::with(&desk, &["--policy", "policy.toml"], None);
    let asked = asks(&server, "auto", 3, &desk);
    let [first, second, third] = [0, 1, 2].map(|n| asked[n].1.as_str());
    let listed = desk.run(&["approve"]).expect(0).stdout;
    for question in [first, second, third] {
        assert!(listed.contains(&format!("{question}  allow orders__update_order({{")), "{listed}");
    }
    // A yes takes a terminal, which a model's shell is not.
    desk.run(&["approve", first]).expect(2).says(&["at a terminal"]);
    let said = desk.at_a_terminal(&format!("approve {first}")).stdin(Stdio::inherit()).output().unwrap();
    assert!(
        String::from_utf8_lossy(&said.stdout).contains("allowed: allow orders__update_order"),
        "{said:?}"
    );
    desk.run(&["approve", "--deny", second, third]).expect(0).says(&["denied: allow orders__update_order"]);
    let came = results(&server, asked.iter().map(|(wait, _)| wait), &desk);
    assert_eq!(came, ["made", "denied", "denied"]);
    desk.run(&["approve", "--deny", first]).expect(1).says(&["does not wait"]);
    // A yes for a session is one for all that it covers.
    let code = "export default await Promise.all([1, 2].map(() =>
        tools.orders__update_order({ id: 'o-1072', status: 'paid' }).then(() => 'made', (error) => error.code)))";
    let exec = json!({ "code": code, "yield_time_ms": 0 });
    let begun = server.ask("exec", &exec, &desk)["structured"].take();
    let wait = json!({ "session_id": begun["session_id"], "cell_id": begun["cell_id"] });
    let both = loop {
        let look = server.calls(&json!([["wait", { "session_id": begun["session_id"], "cell_id": begun["cell_id"], "yield_time_ms": 50 }]]), &desk);
        let notes = look[0]["cells"][0]["notes"].to_string();
        let named = notes.split("`carrel approve ").skip(1).filter_map(|rest| rest.split('`').next());
        let named: Vec<_> = named.map(str::to_owned).collect();
        if named.len() == 2 {
            break named.join(" ");
        }
    };
    let said =
        desk.at_a_terminal(&format!("approve --session {both}")).stdin(Stdio::inherit()).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.matches("allowed: ").count() == 2 && !said.contains("another"), "{said}");
    assert_eq!(results(&server, [&wait].into_iter(), &desk), [json!(["made", "made"])]);
    let folder = desk.path().join("data/approvals");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let socket = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&socket)), (0o700, 0o600));
    // Of a server that was killed, nothing stays in the way.
    drop(server);
    desk.run(&["approve"]).expect(0).says(&["nothing waits"]);
    assert_eq!(folder.read_dir().unwrap().count(), 0);
}

/// Sends a request to `/approvals` with the token, and returns the answer.
fn approvals(server: &Server, token: &str, method: &str, body: &str) -> String {
    let address = server.address.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} /approvals HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn whoever_has_the_token_answers_over_http() {
    let desk = Desk::with_orders();
    ask_for_orders(&desk);
    let token = "0123456789abcdef";
    let open = Server::with(&desk, &["--policy", "policy.toml", "--ephemeral"], None);
    assert!(approvals(&open, token, "GET", "").contains("404 Not Found"));
    drop(open);
    let server = Server::with(&desk, &["--policy", "policy.toml"], Some(token));
    assert!(approvals(&server, "0123456789abcdeX", "GET", "").contains("401 Unauthorized"));
    assert!(approvals(&server, token, "GET", "").ends_with("{\"waiting\":[]}"));
    let wrong = approvals(&server, token, "POST", "{\"questions\":[],\"decision\":\"perhaps\"}");
    assert!(wrong.contains("400 Bad Request") && wrong.contains("perhaps"), "{wrong}");
    let none = approvals(&server, token, "POST", "{\"questions\":[\"x.1\"],\"decision\":\"allow\"}");
    assert!(none.ends_with("{\"too_late\":[\"x.1\"]}"), "{none}");
    let (wait, question) = asks(&server, "auto", 1, &desk).remove(0);
    let listed = approvals(&server, token, "GET", "");
    assert!(listed.contains(&question) && listed.contains("allow orders__update_order({"), "{listed}");
    let body = json!({ "questions": [question, "x.1"], "decision": "allow" }).to_string();
    let said = approvals(&server, token, "POST", &body);
    assert!(said.ends_with("{\"too_late\":[\"x.1\"]}"), "{said}");
    assert_eq!(results(&server, [&wait].into_iter(), &desk), ["made"]);
    let again = approvals(&server, token, "POST", &body);
    assert!(again.contains(&question), "{again}");
    assert!(!server.said.lock().unwrap().contains(token));
}

#[test]
fn nobody_answers_for_another_session() {
    let desk = Desk::with_orders();
    ask_for_orders(&desk);
    let server = Server::with(&desk, &["--policy", "policy.toml"], None);
    let (wait, question) = asks(&server, "auto", 1, &desk).remove(0);
    let exec = json!({ "code": PAY }).to_string();
    let seen = client(&desk, &["meddle", "auto", &server.address, &exec, &question]);
    assert!(seen["own"] == seen["again"] && seen["own"][0] != question.as_str(), "{seen}");
    desk.run(&["approve", "--deny", &question]).expect(0);
    assert_eq!(results(&server, [&wait].into_iter(), &desk), ["denied"]);
    // Nor does a client that was asked nothing, in a task of its own.
    let exec = json!({ "code": PAY, "yield_time_ms": 0 }).to_string();
    let forged = client(&desk, &["forge", "auto", &server.address, &exec]);
    assert!(forged["refused"].as_str().unwrap().contains("can ask a person"), "{forged}");
    desk.run(&["approve", "--deny", forged["question"].as_str().unwrap()]).expect(0);
}

#[test]
fn a_client_is_served_before_the_servers_are_there_and_told_of_those_that_fail() {
    for mode in ["legacy", "auto"] {
        let desk = Desk::new();
        let wait = "while [ ! -e go ]; do sleep 0.05; done; exec \"$0\" example-server";
        let servers = json!({
            "orders": { "command": "sh", "args": ["-c", wait, env!("CARGO_BIN_EXE_carrel")] },
            "shop": { "command": env!("CARGO_BIN_EXE_carrel"), "args": ["example-server"] },
            "broken": { "command": desk.path().join("nothing"), "env": { "KEY": "sesame-open" } },
        });
        desk.write("mcp.json", json!({ "mcpServers": servers }).to_string());
        let seen =
            client(&desk, &["late", mode, env!("CARGO_BIN_EXE_carrel"), "mcp", "--config", "mcp.json"]);
        assert_eq!(seen["tools"], json!(["exec", "wait", "search_tools"]));
        assert_eq!(seen["plain"]["structured"]["result"], 2, "{seen}");
        for ran in ["quick", "run"] {
            assert!(seen[ran]["structured"]["result"].as_u64().unwrap() > 0, "{seen}");
        }
        assert!(seen["again"]["structured"]["result"].as_u64().unwrap() > 0, "{seen}");
        let found = &seen["search"];
        assert!(found["structured"]["tools"].to_string().contains("orders__list_orders"), "{found}");
        let missing = found["structured"]["missing"].to_string();
        assert!(missing.contains("broken") && found["text"].as_str().unwrap().contains("broken"), "{found}");
        assert!(!seen.to_string().contains("sesame-open"), "{seen}");
    }
}

#[test]
fn giving_up_a_call_or_a_connection_ends_no_cell() {
    for mode in ["legacy", "auto"] {
        let desk = Desk::with_orders();
        let server = Server::start(&desk, None);
        let seen = client(&desk, &["leave", mode, &server.address]);
        assert!(seen["progress"].to_string().contains("orders__get_order"), "{seen}");
        assert_eq!(seen["wait"]["structured"]["cells"][0]["result"], "waited for", "{seen}");
        assert_eq!(seen["exec"]["structured"]["result"], "given up", "{seen}");
    }
}

#[test]
fn a_cell_that_takes_long_is_a_task_that_outlives_the_server() {
    let desk = Desk::with_orders();
    ask_for_orders(&desk);
    let server = Server::with(&desk, &["--policy", "policy.toml"], None);
    let task =
        |server: &Server, does: Value| client(&desk, &["task", "auto", &server.address, &does.to_string()]);
    let code =
        "text('one'); await new Promise((go) => setTimeout(go, 300)); text('two'); export default 'done'";
    let pay = format!("await new Promise((go) => setTimeout(go, 200)); {PAY}");
    let watch = "while ((await tools.orders__get_order({ id: 'o-1072' })).status !== 'cancelled')
        await new Promise((go) => setTimeout(go, 50));
        export default 'kept'";
    let endless = "await new Promise(() => setInterval(() => {}, 1000))";
    let exec = |code: &str| json!({ "code": code, "yield_time_ms": 0 });
    let seen = task(
        &server,
        json!([
            { "do": "through", "exec": exec(code) },
            { "do": "through", "exec": exec(&pay), "said": "deny" },
            { "do": "through", "exec": exec(&pay), "said": "allow" },
            { "do": "begin", "exec": exec(endless) },
            { "do": "cancel" },
            { "do": "begin", "exec": exec(watch) },
        ]),
    );
    let done = &seen[0]["structured"];
    assert_eq!((&done["result"], &done["output"]), (&json!("done"), &json!("one\ntwo\n")), "{seen}");
    let states = seen[0]["seen"].as_array().unwrap();
    assert!(states.iter().all(|state| state["created_at"] == states[0]["created_at"]), "{seen}");
    // What a policy asks is asked inside the task.
    for (task, came) in [(&seen[1], "denied"), (&seen[2], "made")] {
        assert_eq!(task["structured"]["result"], came, "{seen}");
        assert!(task["seen"].to_string().contains("input_required"), "{seen}");
    }
    assert_eq!((&seen[3]["type"], &seen[3]["status"]), (&json!("task"), &json!("working")), "{seen}");
    assert_eq!(seen[4]["seen"][0]["status"], "cancelled", "{seen}");
    // SIGKILL.
    drop(server);
    let approve = ["--policy", "policy.toml", "--approve", "orders__update_order"];
    let server = Server::with(&desk, &approve, None);
    let cancel = json!({ "code": PAY.replace("'paid'", "'cancelled'") });
    assert_eq!(server.ask("exec", &cancel, &desk)["structured"]["result"], "made");
    let ended = task(&server, json!([{ "do": "follow", "task": seen[5]["task"] }]));
    assert_eq!(ended[0]["structured"]["result"], "kept", "{ended}");
}
