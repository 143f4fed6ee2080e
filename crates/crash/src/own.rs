//! A process that has a session, for as long as another lets it.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, CodeModeSessionProvider, Durability,
    ExecuteRequest, JsonText, Notification, SessionSpec, ToolCall, ToolError, ToolErrorCode,
};
use carrel_journal::Sqlite;
use carrel_runtime::{InProcessProvider, Options};

/// A delegate without tools.
struct Nobody;

impl CodeModeSessionDelegate for Nobody {
    fn invoke_tool(&self, _: ToolCall, _: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async { Err(ToolError::new(ToolErrorCode::Unavailable, "there are no tools")) })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

/// Makes a session in the store of a folder and says its id; then runs each line that it is given as a cell, and says
/// what became of it.
pub(crate) fn run(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut options = Options::default();
        options.store = Some(Arc::new(Sqlite::open(folder.join("carrel.db"))?));
        let provider = InProcessProvider::new(options)?;
        let mut spec = SessionSpec::default();
        spec.durability = Durability::Journaled;
        let session = provider.create(spec, Arc::new(Nobody)).await?;
        println!("{}", session.id());
        for line in std::io::stdin().lock().lines() {
            match session.execute(ExecuteRequest::new(line?)).await {
                Ok(started) => match started.first_response.await {
                    Ok(response) => println!("{}", response.text()),
                    Err(error) => println!("{error:?}"),
                },
                Err(error) => println!("{error:?}"),
            }
        }
        Ok(())
    })
}
