//! `carrel policy check`: what becomes of the calls of each tool, and which rules do nothing.

use std::path::Path;

use carrel_tools::policy::{CheckedTool, Policy, PolicyCheck};
use serde_json::json;

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::sanitize::{sanitize_json, sanitize_line};
use crate::servers::{self, Servers};
use crate::terminal::{Terminal, Tone};

/// Runs the command.
pub(crate) async fn check(args: CheckArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let usage = |error: &dyn std::error::Error| {
        printer.note(Tone::Error, &format!("failed to {error}"));
        Exit::Usage
    };
    let policy = match Policy::load(&args.file) {
        Ok(policy) => policy,
        Err(error) => return usage(&error),
    };
    let files = servers::files(&args.mcp, Some(Path::new("")));
    if files.is_empty() {
        let rules = policy.rules.len();
        let note = format!(
            "the policy can be read and has {rules} rules; name the servers with --mcp FILE to see what they come to"
        );
        printer.note(Tone::Plain, &note);
        return Exit::Success;
    }
    let config = match servers::load(&files) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    let Some(servers) = servers::connect(config, &interrupt, &printer).await else {
        return interrupt.exit().unwrap_or(Exit::Interrupted);
    };
    let printed = print(&args, &policy, &servers, &printer);
    servers.report_problems(&printer);
    let failed = servers.any_failed();
    servers.close().await;
    match printed {
        Err(error) => error.report(&printer),
        Ok(()) if failed => Exit::Unreachable,
        Ok(()) => Exit::Success,
    }
}

fn print(args: &CheckArgs, policy: &Policy, servers: &Servers, printer: &Printer) -> Result<(), WriteError> {
    let checked = policy.check(&servers.tools());
    if args.json {
        return printer.data(&json(&checked));
    }
    if checked.tools.is_empty() {
        printer.note(Tone::Plain, &servers.why_no_tools());
    } else {
        printer.data(&table(&checked.tools))?;
    }
    for warning in &checked.warnings {
        printer.note(Tone::Warning, &format!("warning: {warning}"));
    }
    Ok(())
}

fn json(checked: &PolicyCheck) -> String {
    let tool = |tool: &CheckedTool| {
        let limit = |(limit, value, by): &(&str, String, String)| {
            // Whole numbers, and seconds with a fraction.
            let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
            json!({ "limit": limit, "value": value, "by": by })
        };
        json!({
            "name": tool.name, "server": tool.server, "decision": tool.decision.as_str(), "by": tool.by,
            "reason": tool.reason, "limits": tool.limits.iter().map(limit).collect::<Vec<_>>(),
        })
    };
    let warnings: Vec<_> = checked.warnings.iter().map(ToString::to_string).collect();
    let object = json!({ "tools": checked.tools.iter().map(tool).collect::<Vec<_>>(), "warnings": warnings });
    sanitize_json(&object.to_string()).into_owned()
}

/// One line a tool: its name, what becomes of its calls, what says so, and its limits.
fn table(tools: &[CheckedTool]) -> String {
    let width =
        |of: fn(&CheckedTool) -> &str| tools.iter().map(|tool| of(tool).chars().count()).max().unwrap_or(0);
    let (names, by) = (width(|tool| tool.name.as_str()), width(|tool| &tool.by));
    let line = |tool: &CheckedTool| {
        let limits: Vec<_> =
            tool.limits.iter().map(|(limit, value, by)| format!("{limit} = {value} ({by})")).collect();
        let (name, says) = (tool.name.as_str(), sanitize_line(&tool.by));
        let line =
            format!("{name:names$}  {:5}  {says:by$}  {}", tool.decision, sanitize_line(&limits.join(", ")));
        format!("{}\n", line.trim_end())
    };
    tools.iter().map(line).collect()
}
