//! One conversation: what the model says and the person does goes in, and what the model is sent is written down.

use serde_json::{Value, json};

use crate::model::{Model, Request};
use crate::package::Package;
use crate::program::{Call, Program};

/// What the model was sent for one step.
pub(crate) struct Sent {
    pub(crate) step: &'static str,
    /// What it had not been sent before.
    pub(crate) items: Vec<Value>,
    /// What it is sent each time: the tools, and how it is to answer.
    pub(crate) rest: Value,
}

pub(crate) struct Conversation {
    pub(crate) program: Program,
    model: Model,
    thread: String,
    turn: String,
    /// What the model was asked and has not answered.
    request: Option<Request>,
    step: &'static str,
    /// How many cells there were, which is the number of the last one.
    pub(crate) cells: usize,
    /// All that the model was sent.
    input: Vec<Value>,
    sent: Vec<Sent>,
}

impl Conversation {
    pub(crate) async fn begin(package: &Package) -> Self {
        let model = Model::listen().await;
        let mut program = Program::start(package, model.port).await;
        let schema = json!({"type": "object", "properties": {"n": {"type": "number"}}});
        let mut gate = json!({"type": "function", "name": "gate", "inputSchema": schema});
        gate["description"] = "Opens when somebody opens it.".into();
        let thread = json!({"cwd": package.work(), "dynamicTools": [gate], "experimentalRawEvents": true});
        let began = program.request("thread/start", thread).await;
        let thread = began["thread"]["id"].as_str().unwrap().to_owned();
        Self {
            program,
            model,
            thread,
            turn: String::new(),
            request: None,
            step: "",
            cells: 0,
            input: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Lets the person say something, and waits until the model is asked.
    pub(crate) async fn turn(&mut self, says: &'static str) {
        let input = json!([{"type": "text", "text": says}]);
        let began =
            self.program.request("turn/start", json!({"threadId": self.thread, "input": input})).await;
        began["turn"]["id"].as_str().unwrap().clone_into(&mut self.turn);
        self.step = says;
        self.asked().await;
    }

    /// Lets the model say that it is done.
    pub(crate) async fn end_turn(&mut self) {
        let content = json!([{"type": "output_text", "text": "done"}]);
        self.say("end", json!({"type": "message", "id": "m", "role": "assistant", "content": content}));
        self.completed().await;
    }

    /// Lets the person interrupt the turn.
    pub(crate) async fn interrupt(&mut self) {
        let which = json!({"threadId": self.thread, "turnId": self.turn});
        self.program.request("turn/interrupt", which).await;
        self.completed().await;
    }

    async fn completed(&mut self) {
        let turn = self.turn.clone();
        self.program.notice("turn/completed", |it| it["turn"]["id"] == *turn).await;
    }

    fn say(&mut self, step: &'static str, item: Value) {
        self.step = step;
        self.request.take().expect("the model was asked").answer(item);
    }

    fn say_call(&mut self, step: &'static str, kind: &str, name: &str, what: (&str, &str)) {
        let mut call = json!({"type": kind, "id": "c", "call_id": self.call_id(), "name": name});
        call["status"] = "completed".into();
        call[what.0] = what.1.into();
        self.say(step, call);
    }

    /// Waits until the program has written down the call that the model just made.
    pub(crate) async fn taken(&mut self) {
        let call = self.call_id();
        self.program.notice("rawResponseItem/completed", |it| it["item"]["call_id"] == *call).await;
    }

    fn call_id(&self) -> String {
        format!("call {}", self.sent.len())
    }

    /// Lets the model run a cell, and does not wait.
    pub(crate) fn begin_exec(&mut self, step: &'static str, source: &str) {
        self.cells += 1;
        self.say_call(step, "custom_tool_call", "exec", ("input", source));
    }

    pub(crate) async fn exec(&mut self, step: &'static str, source: &str) {
        self.begin_exec(step, source);
        self.asked().await;
    }

    /// Lets the model wait for a cell, and does not wait itself.
    pub(crate) fn begin_wait(&mut self, step: &'static str, arguments: &Value) {
        self.say_call(step, "function_call", "wait", ("arguments", &arguments.to_string()));
    }

    pub(crate) async fn wait(&mut self, step: &'static str, cell: &str) {
        self.begin_wait(step, &json!({"cell_id": cell, "yield_time_ms": 100_000}));
        self.asked().await;
    }

    /// Waits until the model is asked, and records what it is sent.
    pub(crate) async fn asked(&mut self) {
        let mut request = self.program.meanwhile(self.step, self.model.request()).await;
        let input = serde_json::from_value::<Vec<Value>>(request.body["input"].take()).unwrap();
        let items = input.strip_prefix(&self.input[..]).unwrap_or(&input).to_vec();
        // The program's own accounts, for whoever runs the model.
        for name in ["client_metadata", "prompt_cache_key"] {
            request.body[name].take();
        }
        self.sent.push(Sent { step: self.step, items, rest: request.body.take() });
        self.input = input;
        self.request = Some(request);
    }

    /// Waits until a cell calls the gate with this number.
    pub(crate) async fn call(&mut self, n: u32) -> Call {
        self.program.call(&json!({"n": n})).await
    }

    pub(crate) async fn open(&mut self, call: Call, text: &str) {
        self.program.answer(call, text, true).await;
    }

    /// The id of the last cell that the model was told of.
    pub(crate) fn cell(&self) -> String {
        let told = self.input.iter().rev().find_map(|item| {
            let text = item["output"][0]["text"].as_str()?;
            text.strip_prefix("Script running with cell ID ")?.lines().next()
        });
        told.expect("a cell runs").to_owned()
    }

    /// Lets the program end, which is to leave no host behind.
    pub(crate) async fn end(self) -> Vec<Sent> {
        let host = self.program.host();
        self.program.leave().await;
        host.ended().await;
        self.sent
    }
}
