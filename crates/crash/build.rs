//! Compiles the disk that fails, for the processes that the sweep starts. On Linux, where it can be preloaded.
#![expect(clippy::expect_used, reason = "a build script says what is missing by failing")]

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=disk/disk.c");
    let mut library = String::new();
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to build")).join("disk.so");
        // SQLite is compiled with this compiler, too.
        let mut compiler = cc::Build::new().get_compiler().to_command();
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "disk/disk.c", "-o"]).arg(&out);
        let status = compiler.status().expect("the C compiler starts");
        assert!(status.success(), "the disk that fails does not compile: {status}");
        library = out.display().to_string();
    }
    println!("cargo::rustc-env=CARREL_DISK={library}");
}
