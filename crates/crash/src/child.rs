//! One life of the process: opens the store, brings the session back or makes it, admits the cells that are not there yet,
//! waits for all, and says what they came to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{NotifyError, WaitError};
use carrel_contract::{
    CancellationToken, CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, EventKind, ExecuteRequest, JsonText, LookedUp, Notice, Notification,
    Seq, SessionId, SessionSpec, StreamItem, ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolHints,
    ToolName, WaitRequest,
};
use carrel_journal::{SnapshotKey, Sqlite};
use carrel_runtime::{InProcessProvider, Options};
use futures::StreamExt;
use tokio::time::timeout;

use crate::deadly::Deadly;
use crate::fork;
use crate::ledger;
use crate::script::Script;
use crate::world::World;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The tools: whether they only read, and whether a call may be made twice with the same key.
const TOOLS: [(&str, bool, bool); 8] = [
    ("read", true, true),
    ("get", false, true),
    // It has books, in which can be looked up what became of a call.
    ("pay", false, false),
    // It has none.
    ("ship", false, false),
    // It takes longer than it takes a session to fall asleep.
    ("later", false, true),
    // Nor has this, and a person has to allow each call.
    ("sell", false, false),
    ("slow", false, true),
    ("fail", false, true),
];

/// A life takes a second or so.
const LONGEST_LIFE: Duration = Duration::from_secs(300);

/// Tools whose every call is in the world. Each says what it was called with, doubled.
pub(crate) struct Tools {
    pub(crate) world: World,
    folder: PathBuf,
}

impl Tools {
    async fn call(&self, call: ToolCall, cancel: CancellationToken) -> Result<JsonText, ToolError> {
        let key = call.idempotency_key();
        let input = call.input.as_ref().and_then(|input| input.to_value().as_i64()).unwrap_or(0);
        self.world.say(&format!("called {} {key}", call.tool));
        if call.tool.as_str() == "sell" {
            let asked = call.status.await_approval("sell it?").await?;
            self.world.say(&format!("asked {} {}", call.cell_id, call.call_id));
            self.world.say(&format!("allowed {} {}", call.cell_id, call.call_id));
            asked.given().await?;
        }
        match call.tool.as_str() {
            "slow" => {
                cancel.cancelled().await;
                return Err(ToolError::new(ToolErrorCode::Cancelled, "cancelled"));
            }
            "later" => tokio::time::sleep(Duration::from_millis(10)).await,
            "fail" => return Err(ToolError::new(ToolErrorCode::Failed, "it failed, as it should")),
            "pay" | "ship" | "sell" => ledger::enter(&self.folder, &key),
            _ => {}
        }
        tokio::task::yield_now().await;
        Ok(JsonText::from_value(&(input * 2).into()))
    }
}

impl CodeModeSessionDelegate for Tools {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(self.call(call, cancel))
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        _: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async move {
            let was_made = ledger::read(&self.folder).contains(&call.idempotency_key());
            let input = call.input.as_ref().and_then(|input| input.to_value().as_i64()).unwrap_or(0);
            Ok(match (call.tool.as_str(), was_made) {
                // The payment went through, as the books say.
                ("pay", true) => LookedUp::Answered(JsonText::from_value(&(input * 2).into())),
                ("pay", false) => LookedUp::NeverHappened,
                _ => LookedUp::Unknown,
            })
        })
    }

    fn notify(
        &self,
        notification: Notification,
        _: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        self.world.say(&format!("notified {}", notification.text));
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, cell_id: &CellId) {
        self.world.say(&format!("closed {cell_id}"));
    }
}

/// Lives once, and dies at a step of its store's; at none, when that is 0.
pub(crate) fn run(folder: &Path, script: &str, deadly_step: u64) -> Result<(), Failure> {
    let script = Script::named(script).ok_or("there is no such script")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let life = async { timeout(LONGEST_LIFE, live(folder, script, deadly_step)).await };
    runtime.block_on(life).map_err(|_| "it came to no end, and nothing says why")?
}

async fn live(folder: &Path, script: &'static Script, deadly_step: u64) -> Result<(), Failure> {
    let store = Arc::new(Deadly::new(Sqlite::open(folder.join("carrel.db"))?, deadly_step));
    let mut options = Options::default();
    options.store = Some(Arc::clone(&store) as Arc<dyn carrel_journal::Store>);
    // Folded again and again, and put to sleep whenever it is not used, so that a death comes at each point of that, too.
    options.folding.after_bytes = 600;
    options.folding.kept_bytes = 300;
    options.folding.kept_notebook_bytes = 0;
    options.snapshot_key = Some(SnapshotKey::of_file(&folder.join("snapshot.key"))?);
    options.hibernation.idle = Duration::ZERO;
    let provider = InProcessProvider::new(options)?;
    let tools = Arc::new(Tools { world: World::open(folder)?, folder: folder.to_owned() });
    let session = find(&provider, &tools, script).await?;
    let forked = admit(&provider, &session, &tools, script).await?;
    say_outcomes(&session, &tools, script).await?;
    if let Some(fork) = forked {
        fork::say_outcomes(&fork, &tools, script).await?;
    }
    tools.world.say(&format!("steps {}", store.steps()));
    Ok(())
}

/// Makes the session, or brings it back.
async fn find(
    provider: &InProcessProvider,
    tools: &Arc<Tools>,
    script: &Script,
) -> Result<Arc<dyn CodeModeSession>, Failure> {
    let delegate = || Arc::clone(tools) as Arc<dyn CodeModeSessionDelegate>;
    let kept = provider.list().await?;
    let acknowledged: HashSet<SessionId> = tools
        .world
        .lines()
        .iter()
        .filter_map(|line| SessionId::new(line.strip_prefix("session ")?).ok())
        .collect();
    if let Some(lost) = acknowledged.iter().find(|id| !kept.contains(id)) {
        return Err(format!("session {lost} was acknowledged and is lost").into());
    }
    // One that was made and never acknowledged may be there, too.
    if let Some(id) = acknowledged.into_iter().next() {
        return Ok(provider.resume(id, delegate()).await?);
    }
    let mut spec = SessionSpec::default();
    spec.mode = script.mode;
    spec.durability = Durability::Journaled;
    spec.seed = Some(1);
    for (name, reads, repeatable) in TOOLS {
        let mut hints = ToolHints::default();
        hints.read_only = reads;
        hints.idempotent = repeatable;
        spec.tools.push(ToolDescription::new(ToolName::new(name)?, "").with_hints(hints));
    }
    let session = provider.create(spec, delegate()).await?;
    tools.world.say(&format!("session {}", session.id()));
    Ok(session)
}

/// Admits what is not admitted yet, each group when the one before it has ended. Forks the session when all are admitted,
/// where the script is one for that, and returns the fork.
async fn admit(
    provider: &InProcessProvider,
    session: &Arc<dyn CodeModeSession>,
    tools: &Arc<Tools>,
    script: &Script,
) -> Result<Option<Arc<dyn CodeModeSession>>, Failure> {
    let mut forked = None;
    let acknowledged = tools.world.lines().iter().filter(|line| line.starts_with("admitted ")).count();
    let mut number = 0;
    for group in script.groups {
        let mut cells = Vec::new();
        for source in *group {
            number += 1;
            let cell_id = CellId::new(&format!("cell-{number}"))?;
            let look = WaitRequest::new([cell_id.clone()]).after(Seq::START).with_yield_time(Duration::ZERO);
            match session.wait(look).await {
                Ok(_) => {}
                Err(WaitError::UnknownCell(_)) if number > acknowledged => {
                    let started = session.execute(ExecuteRequest::new(*source)).await?;
                    if started.cell_id != cell_id {
                        return Err(
                            format!("{} was admitted in the place of {cell_id}", started.cell_id).into()
                        );
                    }
                    tools.world.say(&format!("admitted {cell_id}"));
                }
                Err(error) => return Err(format!("{cell_id}, which was acknowledged: {error}").into()),
            }
            cells.push(cell_id);
        }
        if script.forks && number == script.cells() {
            forked = Some(fork::find(provider, tools, session.id()).await?);
        }
        for cell_id in cells {
            ended(session, &cell_id).await?;
        }
    }
    Ok(forked)
}

/// Says which calls a response calls unknown.
fn say_notices(tools: &Tools, response: &CellResponse) {
    for notice in &response.observation().notices {
        if let Notice::Recovered { unknown, .. } = notice {
            for call in unknown {
                tools.world.say(&format!("told unknown {} {call}", response.observation().cell_id));
            }
        }
    }
}

/// Waits for the end of a cell without using its session, which may sleep meanwhile, and reads all of it.
async fn ended(session: &Arc<dyn CodeModeSession>, cell_id: &CellId) -> Result<CellResponse, Failure> {
    let mut events = session.events(Seq::START);
    // The stream ends when the store has failed.
    while let Some(StreamItem::Event(event)) = events.next().await {
        let is_end = matches!(event.kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. });
        if is_end && event.cell_id == *cell_id {
            break;
        }
    }
    let mut after = Seq::START;
    loop {
        let request = WaitRequest::new([cell_id.clone()]).after(after);
        let response = session.wait(request).await?.cells.remove(0);
        if response.is_final() && after == Seq::START {
            return Ok(response);
        }
        after = if response.is_final() { Seq::START } else { response.observation().cursor };
    }
}

/// Returns what a cell came to, from its beginning, on one line.
pub(crate) async fn end_of(session: &Arc<dyn CodeModeSession>, cell_id: &CellId) -> Result<String, Failure> {
    Ok(match ended(session, cell_id).await? {
        CellResponse::Completed(done) => {
            let error = done.error.as_ref().map_or_else(String::new, |error| error.message.clone());
            let text = CellResponse::Completed(done).text();
            format!("{:?}", (text, error))
        }
        other => format!("{other:?}"),
    })
}

/// Says what each cell came to, from its beginning.
async fn say_outcomes(
    session: &Arc<dyn CodeModeSession>,
    tools: &Tools,
    script: &Script,
) -> Result<(), Failure> {
    for number in 1..=script.cells() {
        let cell_id = CellId::new(&format!("cell-{number}"))?;
        // Notices are for the session's own reader, which has no cursor to give.
        let response = session.wait(WaitRequest::new([cell_id.clone()])).await?;
        response.cells.iter().for_each(|response| say_notices(tools, response));
        let outcome = end_of(session, &cell_id).await?;
        tools.world.say(&format!("outcome {cell_id} {outcome}"));
    }
    Ok(())
}
