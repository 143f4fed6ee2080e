//! Prints the catalogue text of the tools in standard input, in the form of the recall set's `tools.json`, within a
//! budget of so many tokens (the argument; the default budget without one): `measure.mjs` beside this counts it.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code, reason = "a program for developers")]

#[path = "../../tests/recall/set.rs"]
mod set;

use carrel_catalogue::prompt::{DEFAULT_BUDGET_TOKENS, prompt};

fn main() {
    let servers = std::io::read_to_string(std::io::stdin()).unwrap();
    let budget = std::env::args().nth(1).map_or(DEFAULT_BUDGET_TOKENS, |tokens| tokens.parse().unwrap());
    print!("{}", prompt(&set::read(&servers), budget).text);
}
