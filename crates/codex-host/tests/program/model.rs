//! A model on loopback that says what the test tells it to: the Responses API as far as the program calls it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// A request of the program's that waits for what the model says.
pub(crate) struct Request {
    pub(crate) body: Value,
    answer: oneshot::Sender<Value>,
}

impl Request {
    /// Lets the model say one item.
    pub(crate) fn answer(self, item: Value) {
        self.answer.send(item).expect("the program waits for it");
    }
}

pub(crate) struct Model {
    pub(crate) port: u16,
    requests: mpsc::Receiver<Request>,
    _server: JoinSet<std::io::Result<()>>,
}

impl Model {
    pub(crate) async fn listen() -> Self {
        let (asks, requests) = mpsc::channel(1);
        let router = Router::new().route("/v1/responses", post(respond)).with_state(asks);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Self { port, requests, _server: server }
    }

    /// Returns the next request. Dropping the future loses none.
    pub(crate) async fn request(&mut self) -> Request {
        self.requests.recv().await.expect("the server runs")
    }
}

async fn respond(State(asks): State<mpsc::Sender<Request>>, body: Bytes) -> impl IntoResponse {
    let (answer, item) = oneshot::channel();
    let body = serde_json::from_slice(&body).unwrap();
    asks.send(Request { body, answer }).await.expect("the test takes it");
    // A test that is over answers nothing any more.
    let item = item.await.unwrap_or_default();
    let usage = json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2});
    let events = [
        json!({"type": "response.created", "response": {"id": "r"}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "r", "usage": usage}}),
    ];
    let text: String =
        events.iter().map(|it| format!("event: {}\ndata: {it}\n\n", it["type"].as_str().unwrap())).collect();
    ([(CONTENT_TYPE, "text/event-stream")], text)
}
