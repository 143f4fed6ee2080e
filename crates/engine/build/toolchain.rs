//! Finds a clang that compiles to wasm32-wasi, and what it links with.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// The C side of the build.
pub(crate) struct Toolchain {
    /// clang, 16 or newer.
    pub(crate) clang: PathBuf,
    /// The folder that holds `include/wasm32-wasi` and `lib/wasm32-wasi` of wasi-libc.
    pub(crate) sysroot: PathBuf,
}

/// Takes `CARREL_CLANG` and `CARREL_WASI_SYSROOT` where they are set, else what Debian and others install.
pub(crate) fn find() -> Outcome<Toolchain> {
    for name in ["CARREL_CLANG", "CARREL_WASI_SYSROOT"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let clang = match env::var_os("CARREL_CLANG") {
        Some(named) => PathBuf::from(named),
        None => ["clang-19", "clang-20", "clang-21", "clang-18", "clang-17", "clang-16", "clang"]
            .into_iter()
            .find(|name| works(name))
            .map(PathBuf::from)
            .ok_or(
                "no clang was found; run `./x setup`, or set CARREL_CLANG to a clang of version 16 or newer",
            )?,
    };
    let sysroot = match env::var_os("CARREL_WASI_SYSROOT") {
        Some(named) => PathBuf::from(named),
        None => [
            "/usr",
            "/usr/share/wasi-sysroot",
            "/opt/homebrew/share/wasi-sysroot",
            "/usr/local/share/wasi-sysroot",
        ]
        .into_iter()
        .map(PathBuf::from)
        .find(|root| has_wasi_libc(root))
        .ok_or("no wasi-libc was found; run `./x setup`, or set CARREL_WASI_SYSROOT to a wasi sysroot")?,
    };
    Ok(Toolchain { clang, sysroot })
}

fn works(clang: &str) -> bool {
    Command::new(clang).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn has_wasi_libc(root: &Path) -> bool {
    root.join("lib/wasm32-wasi/libc.a").exists()
}
