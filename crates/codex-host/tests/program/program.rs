//! The program while it runs, as `codex app-server`: lines of JSON-RPC on its stdin and stdout, and the host beside it.

use std::collections::VecDeque;
use std::fs;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::package::Package;

/// Longer than anything here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for what has to come.
pub(crate) async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    timeout(PATIENCE, it).await.unwrap_or_else(|_| panic!("{what} does not come"))
}

pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it said, and nobody asked for yet.
    said: VecDeque<Value>,
    requests: u64,
}

impl Program {
    pub(crate) async fn start(package: &Package, model_port: u16) -> Self {
        let mut command = package.command(model_port);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = BufReader::new(output).lines();
        let mut program = Self { child, input, output, said: VecDeque::new(), requests: 0 };
        let client = json!({"name": "carrel", "version": "0"});
        let capabilities = json!({"experimentalApi": true});
        program.request("initialize", json!({"clientInfo": client, "capabilities": capabilities})).await;
        program.say(&json!({"method": "initialized"})).await;
        program
    }

    async fn say(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn read(&mut self) {
        let line = self.output.next_line().await.unwrap().expect("the program runs");
        self.said.push_back(serde_json::from_str(&line).unwrap());
    }

    /// Waits for something else, while what the program says is taken from it.
    pub(crate) async fn meanwhile<T>(&mut self, what: &str, it: impl Future<Output = T>) -> T {
        soon(what, async {
            let mut it = std::pin::pin!(it);
            loop {
                tokio::select! {
                    found = &mut it => return found,
                    () = self.read() => {}
                }
            }
        })
        .await
    }

    /// Takes the first message that fits out of what the program says, or said.
    async fn heard(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        soon(what, async {
            loop {
                if let Some(place) = self.said.iter().position(&fits) {
                    return self.said.remove(place).expect("it is there");
                }
                self.read().await;
            }
        })
        .await
    }

    /// Asks, and returns the result.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.say(&json!({"id": id, "method": method, "params": params})).await;
        let answer = self.heard(method, |it| it["id"] == id && it["method"].is_null()).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Waits until the program says this of what fits.
    pub(crate) async fn notice(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let notice = self.heard(method, |it| it["method"] == method && fits(&it["params"])).await;
        notice["params"].clone()
    }

    /// Returns the call of the tool with these arguments, which waits to be answered.
    pub(crate) async fn call(&mut self, arguments: &Value) -> Call {
        let call = self.heard("item/tool/call", |it| {
            it["method"] == "item/tool/call" && it["params"]["arguments"] == *arguments
        });
        Call(call.await["id"].clone())
    }

    pub(crate) async fn answer(&mut self, call: Call, text: &str, is_success: bool) {
        let items = json!([{"type": "inputText", "text": text}]);
        self.say(&json!({"id": call.0, "result": {"contentItems": items, "success": is_success}})).await;
    }

    /// Returns the host that runs.
    pub(crate) fn host(&self) -> Host {
        let program = self.child.id().unwrap().to_string();
        let is_host = |pid: &i32| {
            // `PID (NAME) STATE PARENT …`
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            let path = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            parent == Some(&program) && path.ends_with("bin/codex-code-mode-host")
        };
        let mut all =
            fs::read_dir("/proc").unwrap().filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok());
        let pid = all.find(is_host).expect("a host runs");
        let fd = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::NONBLOCK).unwrap();
        Host(fd)
    }

    /// Lets the program end by itself.
    pub(crate) async fn leave(mut self) {
        drop(self.input);
        let status = soon("the end of the program", self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

/// A call that the program has its client make.
pub(crate) struct Call(Value);

/// A process that is the program's host.
pub(crate) struct Host(OwnedFd);

impl Host {
    pub(crate) fn kill(&self) {
        pidfd_send_signal(&self.0, Signal::KILL).unwrap();
    }

    /// Waits for the end of the process.
    pub(crate) async fn ended(self) {
        let patience = PATIENCE.try_into().unwrap();
        let ended = move || poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&patience)).unwrap();
        assert_eq!(spawn_blocking(ended).await.unwrap(), 1, "the host does not end");
    }
}
