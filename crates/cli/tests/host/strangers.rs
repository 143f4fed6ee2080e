//! Programs that are no hosts, and clients that are none.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{CreateError, ExecuteError};
use carrel_contract::{CellResponse, CodeModeSessionProvider, ExecuteRequest, TerminationReason};
use carrel_host::{HostCommand, ProcessOptions, ProcessProvider};

use crate::harness::{LONG, Process, Tools, hosts, options, run, spec};

async fn refused(script: &str, handshake: Duration) -> String {
    let command = HostCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] };
    let mut options = ProcessOptions::new(command);
    options.handshake = handshake;
    let provider = ProcessProvider::new(options).unwrap();
    let Err(CreateError::HostLost(lost)) = provider.create(spec(&[]), Arc::new(Tools::echo())).await else {
        panic!("{script:?} is no host")
    };
    drop(provider);
    hosts().iter().for_each(Process::ends);
    lost.detail
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_host_is_an_error_that_says_why() {
    let patient = Duration::from_secs(60);
    let garbage = refused("echo this is no frame; cat", patient).await;
    assert!(garbage.contains("no frame"), "{garbage}");
    let half = refused("head -c 1 >/dev/null; printf '\\040\\000\\000'", patient).await;
    assert!(half.contains("within a frame"), "{half}");
    let gone = refused("exit 7", patient).await;
    assert!(gone.contains("status 7"), "{gone}");
    let message = refused("printf '\\006\\000\\000\\000\\000\\000\\000\\000\\000\\377'; cat", patient).await;
    assert!(message.contains("no message"), "{message}");
    let nothing = refused("cat >/dev/null; :", Duration::from_millis(300)).await;
    assert!(nothing.contains("did not introduce itself"), "{nothing}");
    let absent = HostCommand::carrel("/nowhere/carrel");
    let provider = ProcessProvider::new(ProcessOptions::new(absent)).unwrap();
    assert!(provider.create(spec(&[]), Arc::new(Tools::echo())).await.is_err());
}

/// What a host says after so many bytes of what it should say, and from then on.
#[derive(Clone, Copy, Debug)]
enum Then {
    Garbage,
    /// Half a frame, and then its end.
    Half,
    Nothing,
}

/// Uses a host whose first process says something else after so many bytes. Returns what is said of its end, if it was used
/// for so long.
async fn goes_wrong(after: usize, then: Then) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let says = match then {
        Then::Garbage => "tr '\\000' '\\377' </dev/zero",
        Then::Half => "printf '\\040\\000\\000'",
        Then::Nothing => "cat >/dev/null",
    };
    let script = format!(
        "if mkdir {}/first 2>/dev/null; then \"$0\" host --listen stdio | {{ dd bs=1 count={after} 2>/dev/null; {says}; }}
        else exec \"$0\" host \"$@\"; fi",
        folder.path().display()
    );
    let args = vec!["-c".into(), script.into(), env!("CARGO_BIN_EXE_carrel").into()];
    let mut options = options();
    options.command = HostCommand { program: "/bin/sh".into(), args };
    if matches!(then, Then::Nothing) {
        options.heartbeat = Duration::from_millis(50);
        options.patience = Duration::from_secs(2);
    }
    let provider = ProcessProvider::new(options).unwrap();
    let tools = Arc::new(Tools::echo());
    let session = loop {
        match provider.create(spec(&["echo"]), Arc::clone(&tools) as _).await {
            Ok(session) => break session,
            Err(error) => assert!(matches!(error, CreateError::HostLost(_)), "{error}"),
        }
    };
    let source = "for (let i = 0; i < 10; i++) text(await tools.echo(i))";
    let request = ExecuteRequest::new(source).with_yield_time(LONG);
    let detail = match session.execute(request).await {
        Ok(started) => match started.first_response.await.unwrap() {
            CellResponse::Terminated(done) => match done.reason {
                TerminationReason::HostLost { detail } => Some(detail),
                other => panic!("{other:?}"),
            },
            done => {
                assert_eq!(done.text(), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9");
                None
            }
        },
        Err(ExecuteError::HostLost(lost)) => Some(lost.detail),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(run(&session, "text(await tools.echo('on'))").await.text(), "on", "after {after}: {detail:?}");
    detail
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_goes_wrong_in_the_middle_of_a_session_is_replaced() {
    let mut told = Vec::new();
    for after in (60..400).step_by(45) {
        let then = if after % 2 == 0 { Then::Garbage } else { Then::Half };
        told.extend(goes_wrong(after, then).await);
    }
    told.extend(goes_wrong(200, Then::Nothing).await);
    let told = told.join("; ");
    for what in ["sent what is no ", "within a frame", "no sign of life"] {
        assert!(told.contains(what), "{what}: {told}");
    }
}

#[test]
fn a_client_that_is_none_is_turned_away_and_the_host_ends() {
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[6, 0, 0, 0, 0, 0, 0, 0, 0, 255], &[1, 2], &[]] {
        let mut host = Command::new(env!("CARGO_BIN_EXE_carrel"))
            .args(["host", "--listen", "stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have seen enough before all of it is written.
        host.stdin.take().unwrap().write_all(bytes).ok();
        let mut said = Vec::new();
        host.stdout.take().unwrap().read_to_end(&mut said).unwrap();
        let output = host.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(output.status.success(), bytes.is_empty(), "{stderr}");
    }
}

#[test]
fn a_port_needs_a_token_and_an_address_of_this_machine() {
    for (place, why) in
        [("tcp:127.0.0.1:0", "token-file"), ("tcp:0.0.0.0:0", "accepted is"), ("udp", "accepted is")]
    {
        let output =
            Command::new(env!("CARGO_BIN_EXE_carrel")).args(["host", "--listen", place]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
    }
}
