//! Cells against servers that others wrote, over stdio and over HTTP, each killed in the middle of a call.
//!
//! No test waits by time. A pipe in the file system is how a test learns that a call has arrived at a server that reads
//! it: opening its other end returns then. And it is how a test tells a cell to go on.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, Ran, repository};

/// The main file of an npm package that `./x setup` installs.
pub(crate) fn npm(package: &str) -> PathBuf {
    let path =
        repository().join(".x/npm/node_modules/@modelcontextprotocol").join(package).join("dist/index.js");
    assert!(path.is_file(), "{} is missing: run ./x setup", path.display());
    path
}

/// A program of the Python environment that `./x setup` makes.
fn python(program: &str) -> PathBuf {
    let path = repository().join(".x/python/bin").join(program);
    assert!(path.is_file(), "{} is missing: run ./x setup", path.display());
    path
}

/// A desk whose servers say which process they are.
struct Bench {
    desk: Desk,
}

impl Bench {
    fn new() -> Self {
        Self { desk: Desk::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().canonicalize().unwrap().join(name)
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// The entry of a server that writes its process's number into a file before it begins.
    fn server(&self, name: &str, command: &[&Path]) -> Value {
        let words: Vec<_> = command.iter().map(|word| format!("'{}'", word.display())).collect();
        let script = format!(
            "echo $$ > '{}'; exec {}",
            self.path(name).with_extension("pid").display(),
            words.join(" ")
        );
        json!({ "command": "sh", "args": ["-c", script] })
    }

    /// The entry of a server of files, through which a cell waits for the test.
    fn files(&self) -> Value {
        self.server("files", &[Path::new("node"), &npm("server-filesystem"), &self.path("")])
    }

    fn pid(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name).with_extension("pid")).unwrap().trim().to_owned()
    }

    /// Puts another pipe in the place of one: whoever has the first open does not meet those that come later.
    fn replace_pipe(&self, pipe: &Path) {
        std::fs::rename(self.pipe("next"), pipe).unwrap();
    }

    fn kill(&self, name: &str) {
        assert!(Command::new("kill").args(["-9", &self.pid(name)]).status().unwrap().success());
    }

    /// Starts a cell with these servers.
    fn start(&self, servers: &Value, cell: &str) -> Running {
        self.desk.write("mcp.json", json!({ "mcpServers": servers }).to_string());
        self.desk.write("cell.js", cell);
        let mut child = self.desk.spawn(&["run", "cell.js"]);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running { child, stdout }
    }
}

/// A cell that runs.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for a connection, which comes before its end.
    #[expect(clippy::disallowed_methods, reason = "a connection and an end cannot be waited for at once")]
    fn accept(&mut self, listener: &TcpListener) -> TcpStream {
        listener.set_nonblocking(true).unwrap();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    return stream;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}) and nobody connected: {}", self.line());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end, which has to be a good one, and returns what else it printed.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        Ran::from(self.child.wait_with_output().unwrap()).expect(0);
        rest
    }
}

/// Waits until somebody reads the pipe.
fn reader_of(pipe: &Path) -> File {
    OpenOptions::new().write(true).open(pipe).unwrap()
}

/// What every connection to `server-everything` shows to a cell, which is killed while a call is under way.
const EVERYTHING: &str = r#"
text(await tools.e__echo({ message: "hi" }));
text((await tools.e__get_structured_content({ location: "Chicago" })).temperature);
const [, tiny] = await tools.e__get_tiny_image({});
text(`${tiny.type} ${tiny.mimeType} ${atob(tiny.data).slice(1, 4)} ${atob(tiny.data).length}`);
const blob = await tools.e__get_resource_reference({ resourceType: "Blob", resourceId: 1 });
text(atob(blob.find((block) => block.type === "resource").resource.blob).slice(0, 10));
const long = tools.e__trigger_long_running_operation({ duration: 3600, steps: 1 });
long.catch(() => {});
await tools.e__echo({ message: "what was sent before this is under way" });
text("ready");
await tools.files__read_text_file({ path: GO });
text(await tools.e__echo({ message: "again" }));
"#;

fn everything(go: &Path) -> String {
    EVERYTHING.replace("GO", &json!(go).to_string())
}

fn expect_everything(running: &mut Running) {
    assert_eq!((running.line(), running.line()), ("Echo: hi".to_owned(), "36".to_owned()));
    let image = running.line();
    let bytes: usize = image.strip_prefix("image image/png PNG ").unwrap().parse().unwrap();
    assert!(bytes > 100, "{bytes}");
    let blob = running.line();
    assert!(blob.starts_with("Resource 1"), "{blob}");
    assert_eq!(running.line(), "ready");
}

#[test]
fn everything_over_stdio_is_killed_and_goes_on() {
    let bench = Bench::new();
    let go = bench.pipe("go");
    let servers = json!({
        "e": bench.server("e", &[Path::new("node"), &npm("server-everything")]),
        "files": bench.files(),
    });
    let mut running = bench.start(&servers, &everything(&go));
    expect_everything(&mut running);
    let before = bench.pid("e");
    bench.kill("e");
    reader_of(&go).write_all(b"go").unwrap();
    assert_eq!(running.rest(), "Echo: again\n");
    assert_ne!(bench.pid("e"), before);
}

/// A server over HTTP. Dropping it kills it.
struct Remote(Child);

impl Remote {
    fn start(port: u16) -> Self {
        let mut child = Command::new("node")
            .arg(npm("server-everything"))
            .arg("streamableHttp")
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        while !stderr.next().unwrap().unwrap().contains("listening") {}
        // Read on, or the server would stand still when it has filled the pipe.
        thread::spawn(move || stderr.for_each(drop));
        Self(child)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn everything_over_http_is_killed_and_another_takes_its_place() {
    let bench = Bench::new();
    let go = bench.pipe("go");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let remote = Remote::start(port);
    let servers = json!({
        "e": { "type": "http", "url": format!("http://127.0.0.1:{port}/mcp") },
        "files": bench.files(),
    });
    let mut running = bench.start(&servers, &everything(&go));
    expect_everything(&mut running);
    drop(remote);
    let _remote = Remote::start(port);
    reader_of(&go).write_all(b"go").unwrap();
    assert_eq!(running.rest(), "Echo: again\n");
}

#[test]
fn a_file_that_was_being_read_when_its_server_was_killed_is_read_by_the_next() {
    let bench = Bench::new();
    let slow = bench.pipe("slow.txt");
    let cell = format!(
        "await tools.files__write_file({{ path: {}, content: 'kept' }});
         text((await tools.files__read_text_file({{ path: {} }})).content);
         text((await tools.files__read_text_file({{ path: {} }})).content);",
        json!(bench.path("note.txt")),
        json!(slow),
        json!(bench.path("note.txt")),
    );
    let running = bench.start(&json!({ "files": bench.files() }), &cell);
    let first = reader_of(&slow);
    let before = bench.pid("files");
    bench.replace_pipe(&slow);
    bench.kill("files");
    drop(first);
    // The call is made again, by Carrel, for it only reads.
    reader_of(&slow).write_all(b"at last").unwrap();
    assert_eq!(running.rest(), "at last\nkept\n");
    assert_ne!(bench.pid("files"), before);
}

#[test]
fn a_graph_that_was_being_read_when_its_server_was_killed_is_read_by_the_next() {
    let bench = Bench::new();
    let graph = bench.pipe("graph.json");
    let mut memory = bench.server("memory", &[Path::new("node"), &npm("server-memory")]);
    memory["env"] = json!({ "MEMORY_FILE_PATH": graph });
    let cell = "const { entities } = await tools.memory__read_graph();
                text(entities.map((entity) => entity.name).join());";
    let running = bench.start(&json!({ "memory": memory }), cell);
    let first = reader_of(&graph);
    bench.replace_pipe(&graph);
    bench.kill("memory");
    drop(first);
    let entity = json!({ "type": "entity", "name": "Ada", "entityType": "person", "observations": [] });
    writeln!(reader_of(&graph), "{entity}").unwrap();
    assert_eq!(running.rest(), "Ada\n");
}

#[test]
fn a_python_server_that_is_killed_while_it_fetches_is_started_again() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/page", listener.local_addr().unwrap());
    let options = [Path::new("--ignore-robots-txt"), Path::new("--allow-private-ips")];
    let mut fetch = bench.server("fetch", &[&[&*python("mcp-server-fetch")][..], &options].concat());
    fetch["env"] = json!({ "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1" });
    let cell = format!("text(await tools.fetch__fetch({{ url: {}, raw: true }}))", json!(url));
    let mut running = bench.start(&json!({ "fetch": fetch }), &cell);
    let mut fetching = running.accept(&listener);
    fetching.read_exact(&mut [0; 4]).unwrap();
    bench.kill("fetch");
    drop(fetching);
    // It says that it only reads, so the call is made again.
    let mut again = running.accept(&listener);
    again.read_exact(&mut [0; 4]).unwrap();
    let body = "the page, at last";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n", body.len());
    write!(again, "{head}connection: close\r\n\r\n{body}").unwrap();
    let rest = running.rest();
    assert!(rest.contains(body), "{rest}");
}

#[test]
fn a_call_tells_how_it_gets_on_and_carries_the_trace_of_its_process() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let desk = Desk::new();
    let seen = desk.path().join("seen");
    // What goes to the server goes into a file, too.
    let script = format!("tee '{}' | node '{}'", seen.display(), npm("server-everything").display());
    let servers = json!({ "e": { "command": "sh", "args": ["-c", script] } });
    desk.write("mcp.json", json!({ "mcpServers": servers }).to_string());
    desk.write("cell.js", "await tools.e__trigger_long_running_operation({ duration: 0.2, steps: 2 })");
    let run = |trace: &str| -> Ran {
        let mut command = desk.command(&["run", "--json", "cell.js"]);
        command.env("TRACEPARENT", trace).stdin(Stdio::null()).output().unwrap().into()
    };
    let ran = run(TRACE).expect(0);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told = &object["progress"][0];
    assert_eq!((&told["tool"], &told["percent"]), (&json!("e__trigger_long_running_operation"), &json!(50)));
    assert!(told["seq"].is_number(), "{told}");
    let sent = std::fs::read_to_string(&seen).unwrap();
    let call = sent.lines().find(|line| line.contains("\"tools/call\"")).unwrap();
    let call: Value = serde_json::from_str(call).unwrap();
    assert_eq!(call["params"]["_meta"]["traceparent"], TRACE);
    run("nonsense").expect(0).says(&["TRACEPARENT in the environment is passed over"]);
}
