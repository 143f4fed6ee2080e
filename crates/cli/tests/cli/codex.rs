//! `carrel codex-host` is the host that `crates/codex-host` tests, in the program `carrel`.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::Desk;

#[test]
fn it_answers_a_hello_and_ends_with_its_client() {
    let desk = Desk::new();
    let mut host =
        desk.command(&["codex-host"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let hello = json!({
        "type": "connection/hello",
        "supportedVersions": [1],
        "requiredCapabilities": [],
        "optionalCapabilities": ["yield-observation"],
    })
    .to_string();
    let mut stdin = host.stdin.take().unwrap();
    stdin.write_all(&u32::try_from(hello.len()).unwrap().to_le_bytes()).unwrap();
    stdin.write_all(hello.as_bytes()).unwrap();
    let mut stdout = host.stdout.take().unwrap();
    let mut length = [0; 4];
    stdout.read_exact(&mut length).unwrap();
    let mut ready = vec![0; u32::from_le_bytes(length) as usize];
    stdout.read_exact(&mut ready).unwrap();
    let ready: Value = serde_json::from_slice(&ready).unwrap();
    assert_eq!(
        ready,
        json!({ "type": "connection/ready", "selectedVersion": 1, "capabilities": ["yield-observation"] })
    );
    drop(stdin);
    assert!(host.wait().unwrap().success());
}
