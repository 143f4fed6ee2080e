//! The contract suite over the protocol: a host in this process, and a client on the other end of a socket.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use carrel_contract::CodeModeSessionProvider;
use carrel_host::{Hosted, RemoteProvider};
use carrel_runtime::{InProcessProvider, Options};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

/// Starts a host on a thread of its own, with a runtime of its own, as a process has it.
fn remote() -> Arc<dyn CodeModeSessionProvider> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let provider = Arc::new(InProcessProvider::new(Options::default()).unwrap());
            let (reader, writer) = UnixStream::from_std(theirs).unwrap().into_split();
            // How the client leaves is the client's business.
            Hosted::new(provider, "test").serve(reader, writer).await.ok();
        });
    });
    tokio::task::block_in_place(|| {
        Handle::current().block_on(async {
            let (reader, writer) = UnixStream::from_std(ours).unwrap().into_split();
            Arc::new(RemoteProvider::connect(reader, writer, None).await.unwrap())
                as Arc<dyn CodeModeSessionProvider>
        })
    })
}

carrel_contract::contract_suite!(remote());
