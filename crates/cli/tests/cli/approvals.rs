//! Approvals as an embedder has them: a session of the real runtime, under a policy, over a real server.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider as _, EventKind,
    EventStream, ExecuteRequest, Seq, SessionSpec, StreamItem, ToolErrorCode, WaitRequest,
};
use carrel_runtime::{InProcessProvider, Options};
use carrel_tools::policy::{Answer, AnswerError, Approvals, Attendant, Policy, PolicyDelegate};
use carrel_tools::{ConnectOptions, McpConfig, McpDelegate, NoSink, ProcessEnvironment, Upstreams};
use futures::StreamExt as _;
use serde_json::json;

struct House {
    session: Arc<dyn CodeModeSession>,
    approvals: Approvals,
    upstreams: Arc<Upstreams>,
}

impl House {
    async fn open(policy: &str) -> Self {
        let server = json!({ "command": env!("CARGO_BIN_EXE_carrel"), "args": ["example-server"] });
        let config = json!({ "mcpServers": { "orders": server } }).to_string();
        let config = McpConfig::parse(&config, "test", &ProcessEnvironment).unwrap();
        let upstreams = Arc::new(Upstreams::connect(&config, ConnectOptions::default()).await);
        let mut spec = SessionSpec::default();
        spec.tools = upstreams.catalogue().descriptions();
        let inner: Arc<dyn CodeModeSessionDelegate> =
            Arc::new(McpDelegate::new(Arc::clone(&upstreams), NoSink));
        let (policy, approvals) = (Policy::parse(policy, "test").unwrap(), Approvals::default());
        let delegate = PolicyDelegate::new(inner, policy, &spec.tools, approvals.clone());
        let mut options = Options::default();
        options.engine.max_vms = 8;
        let provider = InProcessProvider::new(options).unwrap();
        let session = provider.create(spec, Arc::new(delegate)).await.unwrap();
        Self { session, approvals, upstreams }
    }

    async fn start(&self, cell: &str) -> CellId {
        self.session.execute(ExecuteRequest::new(cell)).await.unwrap().cell_id
    }

    async fn end(&self, cell: &CellId) -> CellResponse {
        let request = WaitRequest::new([cell.clone()]).with_yield_time(Duration::from_secs(600));
        self.session.wait(request).await.unwrap().cells.remove(0)
    }

    async fn run(&self, cell: &str) -> String {
        let cell = self.start(cell).await;
        self.end(&cell).await.text()
    }

    async fn close(self) {
        self.session.shutdown().await.unwrap();
        self.upstreams.close().await;
    }
}

async fn pending(attendant: &mut Attendant, count: usize) {
    while attendant.pending().len() != count {
        attendant.changed().await;
    }
}

/// Returns the next of these; fails the test when the log ends before.
async fn event(events: &mut EventStream, is: impl Fn(&EventKind) -> bool) -> EventKind {
    let of_kind = |item| async {
        match item {
            StreamItem::Event(event) => Some(event.kind).filter(&is),
            StreamItem::Missed { .. } => None,
        }
    };
    Box::pin(events.filter_map(of_kind)).next().await.unwrap()
}

const ASK: &str = "default = \"allow\"\n[[rule]]\nname = \"changes\"\nread_only = false\ndecision = \"ask\"\ntools = \"*__update_order\"";

const PAY: &str = "const { orders: [{ id }] } = await tools.orders__list_orders({ status: 'pending', limit: 1 });
                   text(await tools.orders__update_order({ id, status: 'paid' }).then(() => 'paid', (error) => error.code));";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_the_question_before_the_answer() {
    let house = House::open(ASK).await;
    let mut events = house.session.events(Seq::START);
    let mut attendant = house.approvals.attend();
    for (answer, code, shown) in [
        (Answer::Deny { reason: None }, Some(ToolErrorCode::Denied), "denied"),
        (Answer::Allow, None, "paid"),
    ] {
        let cell = house.start(PAY).await;
        pending(&mut attendant, 1).await;
        let request = attendant.pending().remove(0);
        assert_eq!((&request.cell_id, request.tool.as_str()), (&cell, "orders__update_order"));
        let asked = event(&mut events, |kind| matches!(kind, EventKind::PersonAwaited { .. })).await;
        let EventKind::PersonAwaited { call_id, question } = asked else { panic!("it is asked") };
        assert_eq!((call_id, question), (request.call_id.clone(), request.question()));
        attendant.answer(&[request.id], &answer).unwrap();
        event(&mut events, |kind| matches!(kind, EventKind::PersonAnswered { .. })).await;
        let answered = event(&mut events, |kind| matches!(kind, EventKind::ToolAnswered { .. })).await;
        assert_eq!(answered, EventKind::ToolAnswered { call_id: request.call_id.clone(), error: code });
        assert_eq!(house.end(&cell).await.text(), shown);
        let again = attendant.answer(&[request.id], &Answer::Allow).unwrap_err();
        assert_eq!(again, [AnswerError::NoLongerPending(request.id)]);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_is_terminated_asks_no_more() {
    let house = House::open(ASK).await;
    let mut attendant = house.approvals.attend();
    let cell = house.start(PAY).await;
    pending(&mut attendant, 1).await;
    let id = attendant.pending()[0].id;
    house.session.terminate(cell).await.unwrap();
    pending(&mut attendant, 0).await;
    assert_eq!(attendant.answer(&[id], &Answer::Allow).unwrap_err(), [AnswerError::NoLongerPending(id)]);
    let status = "const { total } = await tools.orders__list_orders({ status: 'paid' }); text(total)";
    let paid = house.run(status).await;
    // One that leaves its call behind sends nothing either.
    let left =
        PAY.replace("text(await tools", "(tools").replace("error.code));", "error.code));text('left')");
    assert_eq!(house.run(&left).await, "left");
    assert!(attendant.pending().is_empty());
    assert_eq!(house.run(status).await, paid);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cell_is_no_way_round_a_sessions_limit() {
    let policy = "default = \"allow\"\n[[rule]]\ntools = \"*__list_*\"\nlimits = { calls_per_session = 5 }";
    let house = House::open(policy).await;
    let cell = "let made = 0;
                for (const tool of ['orders__list_products', 'orders__list_customers'])
                    await Promise.all([1, 2].map(() => tools[tool]().then(() => made++, () => {})));
                text(made)";
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(house.run(cell).await);
    }
    assert_eq!(made, ["4", "1", "0"]);
    house.close().await;
}
