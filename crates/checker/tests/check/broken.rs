//! Compilers that are not there, are not what they should be, or die.

use std::fs;
use std::path::{Path, PathBuf};

use carrel_checker::{Checker, Compiler, Options};
use carrel_contract::{CellChecker, CheckRequest, CheckerUnavailable};

use crate::common::{accept, checker, tools, wrapper};

#[test]
fn the_native_compiler_is_found_behind_the_wrapper() {
    let compiler = Compiler::at(&wrapper()).unwrap();
    assert!(compiler.program().parent().unwrap().join("lib.es2025.d.ts").exists());
    assert_eq!(Compiler::at(compiler.program()).unwrap(), compiler);
    assert!(compiler.version().unwrap().starts_with("7."), "{:?}", compiler.version());
}

#[test]
fn what_is_no_native_compiler_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("tsc");
    fs::write(&script, "#!/usr/bin/env node\n").unwrap();
    let error = Compiler::at(&script).unwrap_err().to_string();
    assert!(
        error.contains("is not TypeScript's native compiler") && error.contains("npm install"),
        "{error}"
    );
    assert!(Compiler::at(&folder.path().join("nothing")).is_err());
}

#[cfg(unix)]
mod unix {
    use super::*;

    /// Puts a program where the compiler should be: a copy of one of the system's, so that it is native.
    fn impostor(folder: &Path, program: &str) -> PathBuf {
        let path = folder.join("tsc");
        fs::copy(program, &path).unwrap();
        path
    }

    async fn check(checker: &Checker) -> Result<(), CheckerUnavailable> {
        checker.check(CheckRequest::new("text(1)".into(), tools())).await.map(drop)
    }

    #[tokio::test]
    async fn one_that_ends_at_once_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let compiler = Compiler::at(&impostor(folder.path(), "/bin/false")).unwrap();
        let error = check(&Checker::with_compiler(compiler, Options::default())).await.unwrap_err();
        assert!(matches!(&error, CheckerUnavailable::Failed { .. }), "{error}");
    }

    #[tokio::test]
    async fn one_that_says_what_is_no_message_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        // It prints its arguments.
        let compiler = Compiler::at(&impostor(folder.path(), "/bin/echo")).unwrap();
        let error = check(&Checker::with_compiler(compiler, Options::default())).await.unwrap_err();
        assert!(error.to_string().contains("what is no message: --api --async"), "{error}");
    }

    #[tokio::test]
    async fn one_that_is_killed_is_started_again() {
        use rustix::process::{Pid, Signal, kill_process};
        let checker = checker(Options::default());
        let mut pids = Vec::new();
        for _ in 0..3 {
            accept(&checker, "text(1)").await;
            let pid = checker.process().await.unwrap().0;
            kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
            pids.push(pid);
        }
        accept(&checker, "text(1)").await;
        pids.dedup();
        assert_eq!(pids.len(), 3);
    }
}

#[tokio::test]
async fn one_that_has_checked_enough_is_replaced() {
    let mut options = Options::default();
    options.recycle_checks = 1;
    let checker = checker(options);
    accept(&checker, "text(1)").await;
    let first = checker.process().await.unwrap().0;
    accept(&checker, "text(2)").await;
    assert_eq!(checker.process().await, None);
    accept(&checker, "text(3)").await;
    assert_ne!(checker.process().await.unwrap().0, first);
}
