//! Programs that are no hosts, and clients that are none.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CodeModeSessionProvider;
use carrel_contract::error::CreateError;
use carrel_host::{HostCommand, ProcessOptions, ProcessProvider};

use crate::harness::{Tools, ends, hosts, spec};

async fn refused(script: &str, handshake: Duration) -> String {
    let command = HostCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] };
    let mut options = ProcessOptions::new(command);
    options.handshake = handshake;
    let provider = ProcessProvider::new(options).unwrap();
    let Err(CreateError::HostLost(lost)) = provider.create(spec(&[]), Arc::new(Tools::echo())).await else {
        panic!("{script:?} is no host")
    };
    drop(provider);
    hosts().into_iter().for_each(ends);
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
