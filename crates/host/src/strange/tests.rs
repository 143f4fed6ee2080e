//! Peers made up from random scripts. `./x fuzz client` and `./x fuzz host` look for longer.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{ExecuteError, StoredError};
use carrel_contract::{CodeModeSession, CodeModeSessionProvider, ExecuteRequest, Seq, SessionSpec};
use carrel_runtime::{InProcessProvider, Options};
use carrel_wire::{Hello, Reply, State, ToClient, encode, frame};
use futures::StreamExt;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::RemoteProvider;

/// How many scripts; more when they are asked for.
fn cases() -> u32 {
    std::env::var("CARREL_STRANGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() }
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[test]
fn no_client_harms_a_host() {
    let runtime = threads();
    let provider = {
        let _entered = runtime.enter();
        Arc::new(InProcessProvider::new(Options::default()).unwrap())
    };
    proptest!(config(), |(script in vec(any::<u8>(), 0..300))| {
        runtime.block_on(super::client(Arc::clone(&provider) as Arc<_>, &script));
    });
}

#[test]
fn no_host_harms_a_client() {
    proptest!(config(), |(script in vec(any::<u8>(), 0..600))| {
        paused().block_on(super::host(&script));
    });
}

/// A host that says so much, after it has heard what was asked so far, and then leaves.
async fn says(messages: impl IntoIterator<Item = (u32, ToClient)>, stream: DuplexStream) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut heard = [0; 4096];
    for (stream, message) in messages {
        // The clock is paused: this is over when the client waits.
        while timeout(Duration::from_millis(1), reader.read(&mut heard))
            .await
            .is_ok_and(|read| read.unwrap() > 0)
        {}
        let mut bytes = Vec::new();
        frame::write(stream, frame::Kind::Whole, &encode(&message), &mut bytes);
        writer.write_all(&bytes).await.unwrap();
    }
}

fn reply(request: u64, reply: Reply) -> (u32, ToClient) {
    (1, ToClient::Reply { request, reply, state: State::Open })
}

/// A client and the host that it is connected to, which goes on for as long as the set is there.
async fn connected(messages: Vec<(u32, ToClient)>) -> (RemoteProvider, JoinSet<()>) {
    let (ours, theirs) = duplex(64 * 1024);
    let mut host = JoinSet::new();
    let hello = (0, ToClient::Hello(Hello::new("strange", 1 << 20)));
    host.spawn(says([hello].into_iter().chain(messages), theirs));
    let (reader, writer) = tokio::io::split(ours);
    (RemoteProvider::connect(reader, writer, None).await.unwrap(), host)
}

fn opened() -> (u32, ToClient) {
    reply(1, Reply::Opened { session_id: "s".to_owned() })
}

async fn session(provider: &RemoteProvider) -> Arc<dyn CodeModeSession> {
    provider.create(SessionSpec::default(), Arc::new(super::host::Echo)).await.unwrap()
}

/// Found by `no_host_harms_a_client`: the reader waited for ever.
#[tokio::test(start_paused = true)]
async fn a_reader_of_a_log_whose_following_is_answered_hears_of_the_loss() {
    let (provider, _host) = connected(vec![opened(), reply(2, Reply::Done)]).await;
    let session = session(&provider).await;
    let mut events = session.events(Seq::START);
    assert!(
        timeout(Duration::from_secs(60), events.next()).await.is_err(),
        "the session may go on in another host"
    );
    drop(session);
    assert_eq!(events.next().await, None);
}

/// Found by reading: the request waited for ever.
#[tokio::test(start_paused = true)]
async fn a_request_that_the_host_does_not_take_is_refused() {
    let (provider, _host) = connected(vec![opened(), (0, ToClient::Pong { number: 0 })]).await;
    let session = session(&provider).await;
    let source = format!("'{}'", "x".repeat(1 << 20));
    let Err(ExecuteError::HostLost(refused)) = session.execute(ExecuteRequest::new(source)).await else {
        panic!("it is longer than the host takes")
    };
    assert!(refused.detail.contains("longer than the host takes"), "{}", refused.detail);
}

/// Found by reading: each of them made a task that waits.
#[tokio::test(start_paused = true)]
async fn a_cell_that_is_closed_twice_ends_the_connection() {
    let closed = (1, ToClient::CellClosed { cell_id: "cell-1".to_owned() });
    let (provider, _host) = connected(vec![opened(), closed.clone(), closed]).await;
    let session = session(&provider).await;
    let Err(StoredError::HostLost(lost)) = session.stored().await else { panic!("nobody answers") };
    assert!(lost.detail.contains("closes a cell twice"), "{}", lost.detail);
}

/// Found by reading: what was asked of the session waited for ever.
#[tokio::test(start_paused = true)]
async fn a_session_that_its_host_ends_is_lost() {
    let (provider, _host) =
        connected(vec![opened(), (1, ToClient::Ended), (0, ToClient::Pong { number: 0 })]).await;
    let session = session(&provider).await;
    let Err(StoredError::HostLost(lost)) = session.stored().await else { panic!("nobody answers") };
    assert!(lost.detail.contains("closed the connection"), "{}", lost.detail);
}
