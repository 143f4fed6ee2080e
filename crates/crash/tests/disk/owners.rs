//! Two processes that want one session, with clocks that disagree.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::ResumeError;
use carrel_contract::testing::RecordingDelegate;
use carrel_contract::{
    CodeModeSession, CodeModeSessionProvider, ExecuteRequest, Seq, SessionId, WaitRequest,
};
use carrel_journal::Sqlite;
use carrel_runtime::{Environment, InProcessProvider, Options, SystemEnvironment};

const HOUR_US: i64 = 3_600_000_000;

/// A clock that is wrong by so much.
struct Wrong(i64);

impl Environment for Wrong {
    fn now_us(&self) -> i64 {
        SystemEnvironment.now_us() + self.0
    }

    fn random(&self) -> u64 {
        SystemEnvironment.random()
    }
}

/// The other process.
struct Other {
    child: Child,
    asked: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrel-crash"));
        command.arg("own").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { asked: child.stdin.take().unwrap(), said, child }
    }

    fn says(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }

    /// Has it run a cell.
    fn runs(&mut self, source: &str) -> String {
        writeln!(self.asked, "{source}").unwrap();
        self.says()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn provider(folder: &Path, wrong_us: i64) -> InProcessProvider {
    let mut options = Options::default();
    options.store = Some(Arc::new(Sqlite::open(folder.join("carrel.db")).unwrap()));
    options.environment = Arc::new(Wrong(wrong_us));
    InProcessProvider::new(options).unwrap()
}

async fn run(session: &Arc<dyn CodeModeSession>, source: &str) -> String {
    session.execute(ExecuteRequest::new(source)).await.unwrap().first_response.await.unwrap().text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_has_one_owner_whatever_the_clocks_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = Other::start(folder.path());
    let id = SessionId::new(&other.says()).unwrap();
    assert_eq!(other.runs("store('by', 'other'); text('first')"), "first");

    // While the lease runs, by this clock and by one that is behind, the other has it.
    for wrong_us in [0, -HOUR_US] {
        let refused = provider(folder.path(), wrong_us).resume(id.clone(), RecordingDelegate::new()).await;
        assert!(matches!(refused.err(), Some(ResumeError::OwnedElsewhere(_))));
    }
    assert_eq!(other.runs("text('second')"), "second");

    // By a clock that was set forward it has run out. Whoever comes then fences the other, which is alive and sure of its
    // lease, and can append nothing any more.
    let ahead = provider(folder.path(), HOUR_US);
    let delegate = RecordingDelegate::new();
    let session = ahead.resume(id.clone(), delegate.clone()).await.unwrap();
    let fenced = other.runs("store('by', 'nobody'); text('third')");
    assert!(fenced.contains("OwnedElsewhere"), "{fenced}");
    assert_eq!(run(&session, "text(load('by'))").await, "other");

    // A clock that is set back is not shown to a cell that runs, and an owner that has left holds nobody up.
    let source =
        "const then = Date.now(); await new Promise((go) => setTimeout(go, 50)); text(Date.now() >= then)";
    let cell = session.execute(ExecuteRequest::new(source)).await.unwrap().cell_id;
    drop((session, ahead));
    let behind = provider(folder.path(), HOUR_US - 1_000_000);
    let again = loop {
        match behind.resume(id.clone(), delegate.clone()).await {
            Ok(again) => break again,
            // It is still being given back.
            Err(ResumeError::OwnedElsewhere(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let mut request = WaitRequest::new([cell]).after(Seq::START);
    request = request.with_yield_time(Duration::from_secs(60));
    assert_eq!(again.wait(request).await.unwrap().cells.remove(0).text(), "true");
    assert_eq!(run(&again, "text(load('by'))").await, "other");
}
