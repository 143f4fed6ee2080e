//! Questions that wait for a person, over HTTP: for those whose client cannot ask them. Only where a token is required:
//! without one, whatever runs on this machine could answer.
//!
//! `GET` returns `{"waiting": [{"question", "session_id", "cell_id", "text"}]}`; `POST` takes `{"questions": […], "decision":
//! "allow" | "allow_for_session" | "deny"}` and returns `{"too_late": […]}`, those that were no longer waiting.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::approvals::Decision;
use crate::face::Face;

/// The path.
pub(super) const PATH: &str = "/approvals";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    questions: Vec<String>,
    decision: Said,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Allow,
    AllowForSession,
    Deny,
}

/// Says what waits.
pub(super) async fn list(State(face): State<Face>) -> Response {
    let pending = face.shared().approvals.as_ref().map(|approvals| approvals.pending()).unwrap_or_default();
    let waiting = pending.into_iter().map(|question| {
        json!({
            "question": question.name,
            "session_id": question.session_id,
            "cell_id": question.cell_id,
            "text": question.text,
        })
    });
    told(&json!({ "waiting": waiting.collect::<Vec<_>>() }))
}

/// Passes on what a person said.
pub(super) async fn answer(State(face): State<Face>, body: Bytes) -> Response {
    let answers: Answers = match serde_json::from_slice(&body) {
        Ok(answers) => answers,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("failed to read the answer: {error}\n"))
                .into_response();
        }
    };
    let decision = match answers.decision {
        Said::Allow => Decision::Allow,
        Said::AllowForSession => Decision::AllowForSession,
        Said::Deny => Decision::Deny,
    };
    let Some(approvals) = &face.shared().approvals else {
        return told(&json!({ "too_late": answers.questions }));
    };
    let mut pending = approvals.pending();
    pending.retain(|question| answers.questions.contains(&question.name));
    // All at once: an answer for a session is one for all of them.
    let ids: Vec<_> = pending.iter().map(|question| question.id).collect();
    let late = approvals.answer(&ids, decision);
    pending.retain(|question| !late.contains(&question.id));
    let in_time = |name: &String| pending.iter().any(|question| question.name == *name);
    let too_late: Vec<_> = answers.questions.into_iter().filter(|name| !in_time(name)).collect();
    told(&json!({ "too_late": too_late }))
}

fn told(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
