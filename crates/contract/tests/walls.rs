//! The walls between the rooms: what each crate must never know, read off the dependencies that cargo resolves.
//!
//! The table is that of `ARCHITECTURE.md`.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

/// Returns what a crate depends on, directly or not, each with the features it is built with.
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p} [{f}]",
        ])
        .args(["--package", package])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().skip(1).map(str::to_owned).collect()
}

fn never(package: &str, forbidden: &[&str]) {
    for dependency in dependencies(package) {
        let name = dependency.split(' ').next().unwrap_or_default();
        assert!(!forbidden.contains(&name), "{package} must never know {name}");
    }
}

fn takes_no_executor(package: &str) {
    let tokio = dependencies(package).into_iter().find(|line| line.starts_with("tokio v")).unwrap();
    for feature in ["rt", "net", "time", "process"] {
        let features = tokio.split(['[', ']']).nth(1).unwrap_or_default();
        assert!(!features.split(',').any(|has| has == feature), "{package} takes no executor: {tokio}");
    }
}

const ENGINES: [&str; 2] = ["wasmtime", "carrel-engine"];
const STORES: [&str; 2] = ["rusqlite", "carrel-journal"];
const FACES: [&str; 4] = ["carrel-cli", "clap", "axum", "tonic"];

#[test]
fn the_contract_knows_no_runtime_engine_store_or_wire() {
    never(
        "carrel-contract",
        &[&ENGINES[..], &STORES, &FACES, &["carrel-runtime", "carrel-tools", "rmcp"]].concat(),
    );
    takes_no_executor("carrel-contract");
}

#[test]
fn the_catalogue_knows_the_contract_alone() {
    never(
        "carrel-catalogue",
        &[&ENGINES[..], &STORES, &FACES, &["rmcp", "carrel-runtime", "carrel-tools"]].concat(),
    );
}

#[test]
fn the_engine_knows_no_tokio_session_or_storage() {
    never(
        "carrel-engine",
        &[&STORES[..], &FACES, &["tokio", "carrel-contract", "carrel-runtime", "carrel-tools"]].concat(),
    );
}

#[test]
fn the_journal_knows_no_engine_session_executor_or_face() {
    never("carrel-journal", &[&ENGINES[..], &FACES, &["carrel-runtime", "carrel-tools"]].concat());
    takes_no_executor("carrel-journal");
}

#[test]
fn the_checker_knows_no_engine_session_storage_or_mcp() {
    never(
        "carrel-checker",
        &[&ENGINES[..], &STORES, &FACES, &["carrel-runtime", "carrel-tools", "rmcp"]].concat(),
    );
}

#[test]
fn the_wire_is_data_alone() {
    let acts = ["mio", "rustix", "carrel-runtime", "carrel-tools", "carrel-host"];
    never("carrel-wire", &[&ENGINES[..], &STORES, &FACES, &acts].concat());
    takes_no_executor("carrel-wire");
}

#[test]
fn the_host_knows_no_engine_storage_or_face() {
    never(
        "carrel-host",
        &[&ENGINES[..], &STORES, &FACES, &["carrel-runtime", "carrel-tools", "rmcp"]].concat(),
    );
}

#[test]
fn the_runtime_knows_no_face_and_no_mcp() {
    never("carrel-runtime", &[&FACES[..], &["carrel-tools", "rmcp"]].concat());
}

#[test]
fn the_tools_know_no_engine_and_no_storage() {
    never("carrel-tools", &[&ENGINES[..], &STORES, &FACES, &["carrel-runtime"]].concat());
}

#[test]
fn the_mcp_face_knows_nothing_below_the_traits() {
    never(
        "carrel-mcp",
        &[&ENGINES[..], &STORES, &["carrel-runtime", "carrel-tools", "carrel-cli", "clap"]].concat(),
    );
}

#[test]
fn the_codex_face_knows_the_contract_alone() {
    let below =
        ["carrel-runtime", "carrel-tools", "carrel-host", "carrel-wire", "carrel-cli", "clap", "rmcp"];
    never("carrel-codex", &[&ENGINES[..], &STORES, &below].concat());
}

#[test]
fn the_typescript_knows_nothing_of_cells() {
    never(
        "carrel-typescript",
        &[&ENGINES[..], &STORES, &FACES, &["tokio", "carrel-contract", "carrel-runtime", "carrel-tools"]]
            .concat(),
    );
}

#[test]
fn the_program_never_compiles_webassembly() {
    never("carrel-cli", &["cranelift-codegen", "wasmtime-wizer", "rquickjs-sys"]);
}

#[test]
fn native_quickjs_is_there_to_compare_with_and_nowhere_else() {
    for package in ["carrel-contract", "carrel-engine", "carrel-runtime", "carrel-tools", "carrel-cli"] {
        never(package, &["rquickjs", "rquickjs-core", "rquickjs-sys"]);
    }
    never("carrel-conformance", &[&STORES[..], &["tokio", "carrel-contract", "carrel-runtime"]].concat());
}
