//! A client that knows nothing but the documentation.

use std::path::Path;
use std::process::Command;

#[test]
fn a_client_in_python_runs_cells_and_performs_their_calls() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/client.py");
    let output = Command::new("python3").arg(script).arg(env!("CARGO_BIN_EXE_carrel")).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "a.rs: 4\nlib.rs: 6\ncell-2 says: half way\nfailed: it takes a path\n1000000\nüüü\n\
         it failed: TypeError: cannot read property 'x' of null\n",
        "{output:?}"
    );
    assert!(output.status.success(), "{output:?}");
}
