//! A fork of a session that is killed on the way: there whole or not at all, and it comes to the same end.

use std::sync::Arc;

use carrel_contract::error::ResumeError;
use carrel_contract::{
    CellId, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider as _, ForkRequest, SessionId,
};
use carrel_runtime::InProcessProvider;

use crate::child::{Failure, Tools, end_of};
use crate::script::Script;

/// Forks a session where it is, unless that was done in an earlier life, and brings the fork back.
pub(crate) async fn find(
    provider: &InProcessProvider,
    tools: &Arc<Tools>,
    origin: &SessionId,
) -> Result<Arc<dyn CodeModeSession>, Failure> {
    let delegate = || Arc::clone(tools) as Arc<dyn CodeModeSessionDelegate>;
    let lines = tools.world.lines();
    let told = |word: &str| {
        lines.iter().find_map(|line| SessionId::new(line.strip_prefix(word)?.strip_prefix(' ')?).ok())
    };
    if let Some(fork) = told("fork") {
        return Ok(provider.resume(fork, delegate()).await?);
    }
    // One that was made and never acknowledged is whole.
    for id in provider.list().await?.into_iter().filter(|id| id != origin) {
        match provider.resume(id.clone(), delegate()).await {
            Ok(session) => {
                drop(session);
                provider.delete(id).await?;
            }
            Err(ResumeError::UnknownSession(_)) => {}
            Err(error) => return Err(format!("{id}, which nobody was told of: {error}").into()),
        }
    }
    let id = provider.draw_id(None)?;
    provider.fork_as(ForkRequest::new(origin.clone()), &id).await?;
    tools.world.say(&format!("fork {id}"));
    Ok(provider.resume(id, delegate()).await?)
}

/// Says what the cells of a fork came to.
pub(crate) async fn say_outcomes(
    fork: &Arc<dyn CodeModeSession>,
    tools: &Tools,
    script: &Script,
) -> Result<(), Failure> {
    for number in 1..=script.cells() {
        let cell_id = CellId::new(&format!("cell-{number}"))?;
        let outcome = end_of(fork, &cell_id).await?;
        tools.world.say(&format!("outcome fork-{cell_id} {outcome}"));
    }
    Ok(())
}
