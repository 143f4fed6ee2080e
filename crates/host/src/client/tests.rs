//! Connections that are cut at any byte: a journaled session goes on in the next one, and what was asked happens once.

use std::sync::{Arc, Mutex};

use carrel_contract::error::{HostLost, NotifyError};
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, Durability, ExecuteRequest, JsonText, Notification, SessionSpec, ToolCall,
    ToolError,
};
use carrel_journal::Memory;
use carrel_runtime::{InProcessProvider, Options};
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_util::task::TaskTracker;

use super::{Connection, Greeting, Home, Owner, RemoteProvider};
use crate::Hosted;

/// A host that is reached by one connection after the other. The first is cut after so many bytes of the host's.
struct Cut {
    hosted: Arc<Hosted>,
    after: Mutex<Option<usize>>,
    last: Mutex<Option<Arc<Owner>>>,
    tasks: TaskTracker,
}

impl Home for Cut {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<Owner>, HostLost>> {
        Box::pin(async move {
            if let Some(last) = self.all().pop().filter(|last| !last.connection.is_lost()) {
                return Ok(last);
            }
            let bytes = self.after.lock().unwrap().take().unwrap_or(usize::MAX);
            let (ours, between) = duplex(64 * 1024);
            let (beyond, theirs) = duplex(64 * 1024);
            let hosted = Arc::clone(&self.hosted);
            self.tasks.spawn(async move {
                let (reader, writer) = tokio::io::split(theirs);
                hosted.serve(reader, writer).await.ok();
            });
            self.tasks.spawn(async move {
                let (mut from_client, mut to_client) = tokio::io::split(between);
                let (from_host, mut to_host) = tokio::io::split(beyond);
                let mut from_host = from_host.take(bytes.try_into().unwrap());
                tokio::select! {
                    _ = tokio::io::copy(&mut from_client, &mut to_host) => {}
                    _ = tokio::io::copy(&mut from_host, &mut to_client) => {}
                }
                to_client.shutdown().await.ok();
            });
            let (reader, writer) = tokio::io::split(ours);
            let lost = |error| HostLost { session_id: None, detail: format!("failed to {error}") };
            let connection = Connection::open(reader, writer, &Greeting::default()).await.map_err(lost)?;
            let owner = Arc::new(Owner { connection, _with: None });
            *self.last.lock().unwrap() = Some(Arc::clone(&owner));
            Ok(owner)
        })
    }

    fn all(&self) -> Vec<Arc<Owner>> {
        self.last.lock().unwrap().iter().cloned().collect()
    }
}

/// Has no tools.
struct Nobody;

impl CodeModeSessionDelegate for Nobody {
    fn invoke_tool(&self, _: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async { Ok(JsonText::from_value(&().into())) })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

async fn text(session: &dyn CodeModeSession, source: &str) -> String {
    let started = session.execute(ExecuteRequest::new(source)).await.unwrap();
    let response = started.first_response.await.unwrap();
    assert!(response.is_final(), "{response:?}");
    response.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_was_on_its_way_when_the_host_was_lost_runs_once() {
    let mut options = Options::default();
    options.store = Some(Arc::new(Memory::new()));
    let provider = Arc::new(InProcessProvider::new(options).unwrap());
    let hosted = Arc::new(Hosted::new(provider, "test"));
    let mut cuts = 0;
    for after in (60..600).step_by(7) {
        let home = Arc::new(Cut {
            hosted: Arc::clone(&hosted),
            after: Mutex::new(Some(after)),
            last: Mutex::default(),
            tasks: TaskTracker::new(),
        });
        let provider = RemoteProvider::new(Arc::clone(&home) as Arc<dyn Home>);
        let mut spec = SessionSpec::default();
        spec.durability = Durability::Journaled;
        // Cut before it is there, it fails, and says so.
        let Ok(session) = provider.create(spec, Arc::new(Nobody)).await else { continue };
        let first = home.all().pop().unwrap();
        for n in 1..=3 {
            let source = "store('n', (load('n') ?? 0) + 1); text(load('n'))";
            assert_eq!(text(&*session, source).await, n.to_string(), "cut after {after} bytes");
        }
        assert_eq!(session.stored().await.unwrap().len(), 1);
        cuts += usize::from(first.connection.is_lost());
    }
    assert!(cuts > 20, "{cuts} of them were cut while it was used");
}
