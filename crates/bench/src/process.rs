//! Figures of the program as a whole.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::table::{Table, median, milliseconds};

pub(crate) fn measure(table: &mut Table) {
    let Some(carrel) = program() else {
        println!("(the rows of the program need it beside this one: cargo build --release -p carrel-cli)");
        return;
    };
    table.row("process start to first result, and exit", "8 ms", || {
        milliseconds(median(50, || {
            let status = Command::new(&carrel)
                .args(["run", "-e", "text(\"hi\")"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the program starts");
            assert!(status.success(), "the cell succeeds");
        }))
    });
    table.row("size of the program", "-", || {
        let bytes = fs::metadata(&carrel).map_or(0, |data| data.len());
        format!("{:.1} MB", bytes as f64 / 1e6)
    });
}

/// Finds the program where cargo puts it: beside this one.
fn program() -> Option<PathBuf> {
    let path = env::current_exe().ok()?.with_file_name("carrel");
    path.exists().then_some(path)
}

/// Returns the memory that this process has resident, what it shares included; 0 where the system does not say.
pub(crate) fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kilobytes.and_then(|digits| digits.trim().parse::<usize>().ok()).unwrap_or(0) * 1024
}
