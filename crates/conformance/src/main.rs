//! Runs test262 in cells and in native QuickJS-NG: `./x test262 PATH`, where PATH is a checkout of
//! <https://github.com/tc39/test262>, which is not part of this repository.
//!
//! Each test runs in a VM of its own, as a cell of the engine, and then the same source in native QuickJS-NG of the same
//! version. What the one fails and the other passes is ours. The results are held against `expected.txt`, the list of
//! the tests that are expected to fail, each group with its reason.
//!
//! # How a test becomes a cell
//!
//! A cell is a strict ES module. Harness files run first, each by an indirect `eval`, so that their declarations are
//! global as test262 wants them. A test flagged `module` then is the rest of the cell. Any other test is a script;
//! a cell runs it as it can run scripts, by an indirect `eval` of its strict form. Strict and sloppy form differ in
//! what sloppy mode allows, and a cell is strict: the sloppy form is not run.
//!
//! # Which tests apply
//!
//! All but those that need what a cell does not have by design, or what the engine cannot have because it is no part
//! of the language yet: `applies` has the list, with a reason for each. The tests in `intl402` are a standard of
//! their own, ECMA-402, and are counted apart.
//!
//! Read in this order: `frontmatter` and `suite` read a checkout, `applies` says what is left out, `program` makes a
//! cell of a test, `cell` and `native` run it, `verdict` judges, `runner` does that on all processors, `expected`
//! holds the list of failures, `report` prints.

mod applies;
mod cell;
mod expected;
mod frontmatter;
mod native;
mod program;
mod report;
mod runner;
mod suite;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::expected::Expected;
use crate::suite::Suite;

/// Runs test262 in cells, and in native QuickJS-NG beside them.
#[derive(Debug, Parser)]
#[command(name = "x test262", after_help = EXIT_CODES)]
struct Args {
    /// A checkout of test262.
    checkout: PathBuf,

    /// Run the tests whose path has this part.
    #[arg(long, value_name = "PART")]
    filter: Option<String>,

    /// Rewrite the list of expected failures: what passes goes, what fails and is new comes into a group of its own.
    #[arg(long, conflicts_with = "filter")]
    bless: bool,

    /// Print every failure with what was thrown, the expected ones too.
    #[arg(long)]
    failures: bool,

    /// Print the cells that the tests become, and run nothing.
    #[arg(long, conflicts_with = "bless")]
    cells: bool,

    /// The seconds of CPU time that a test may take in one engine.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
}

const EXIT_CODES: &str = "Exit codes:
  0  the results are the expected ones
  1  some are not; they are printed
  2  arguments, a checkout or a list of expected failures that cannot be used";

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("x test262: failed to {error}");
            ExitCode::from(2)
        }
    }
}

/// Why nothing could be run, or its results not be compared.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Suite(#[from] suite::Error),
    #[error(transparent)]
    Expected(#[from] expected::Error),
    #[error("run the tests: {0}")]
    Runner(#[from] runner::Error),
}

/// Tells whether the results are the expected ones.
fn run(args: &Args) -> Result<bool, Error> {
    let suite = Suite::read(&args.checkout, args.filter.as_deref())?;
    if args.cells {
        for test in suite.tests() {
            println!("{}", suite.program(test));
        }
        return Ok(true);
    }
    let mut expected = Expected::read()?;
    let results = runner::run(&suite, Duration::from_secs(args.limit))?;
    report::rates(&suite, &results);
    if args.failures {
        report::failures(&results);
    }
    report::ours(&results);
    if args.bless {
        expected.bless(&results);
        expected.write()?;
        println!("\n{} is rewritten", expected::PATH);
        return Ok(true);
    }
    let surprises = expected.compare(&results, args.filter.is_none());
    report::surprises(&surprises, &results);
    Ok(surprises.is_empty())
}
