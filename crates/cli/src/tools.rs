//! `carrel tools`: what a cell could call.

use std::path::Path;

use serde::Serialize;

use crate::args::ToolsArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::{Printer, WriteError};
use crate::sanitize::{sanitize, sanitize_json, sanitize_line};
use crate::servers::{self, Servers, Tool};
use crate::terminal::{Terminal, Tone};

/// The most characters of a description that a line shows.
const DESCRIPTION_CHARS: usize = 100;

/// Runs the command.
pub(crate) async fn run(args: ToolsArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let files = servers::files(&args.mcp, Some(Path::new("")));
    if files.is_empty() {
        printer.note(
            Tone::Error,
            "no configuration: name one with --mcp FILE, or keep it in ./carrel.toml or ./mcp.json",
        );
        return Exit::Usage;
    }
    let config = match servers::load(&files) {
        Ok(config) => config,
        Err(error) => {
            printer.note(Tone::Error, &format!("failed to {error}"));
            return Exit::Usage;
        }
    };
    let Some(servers) = servers::connect(config, &interrupt, &printer).await else {
        return interrupt.exit().unwrap_or(Exit::Interrupted);
    };
    let servers = servers.with_learned(learned::open(&files));
    let printed = print(&args, &servers, &printer);
    servers.report_problems(&printer);
    let failed = servers.any_failed();
    servers.close().await;
    match printed {
        Err(Fault::Write(error)) => error.report(&printer),
        Err(fault @ Fault::NoTool { .. }) => {
            printer.note(Tone::Error, &format!("failed to {fault}"));
            Exit::Usage
        }
        Ok(()) if failed => Exit::Unreachable,
        Ok(()) => Exit::Success,
    }
}

/// Why nothing, or not all, was printed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("describe `{name}`: there is no such tool{hint}")]
    NoTool { name: String, hint: String },
}

fn print(args: &ToolsArgs, servers: &Servers, printer: &Printer) -> Result<(), Fault> {
    if !args.describe.is_empty() {
        return Ok(printer.data(&declarations(&args.describe, servers)?)?);
    }
    let tools = servers.listing();
    if args.json {
        return Ok(printer.data(&json(&tools))?);
    }
    if args.prompt {
        let prompt = carrel_catalogue::prompt::prompt(&servers.tools(), args.budget);
        if !prompt.complete {
            let (shown, total, budget) = (prompt.shown, prompt.total, args.budget);
            let note = format!("{shown} of {total} tools within {budget} tokens; --budget changes that");
            printer.note(Tone::Plain, &note);
        }
        return Ok(printer.data(&sanitize(&prompt.text))?);
    }
    if tools.is_empty() {
        printer.note(Tone::Plain, &servers.why_no_tools());
        return Ok(());
    }
    Ok(printer.data(&table(&tools))?)
}

/// Lists the tools that have `pattern` in their names or descriptions, for a person.
pub(crate) fn list(servers: &Servers, pattern: &str) -> String {
    let pattern = pattern.to_lowercase();
    let fits = |tool: &Tool| {
        tool.name.to_lowercase().contains(&pattern) || tool.description.to_lowercase().contains(&pattern)
    };
    let tools: Vec<_> = servers.listing().into_iter().filter(fits).collect();
    table(&tools)
}

/// Returns the declaration of a tool, or why there is none.
pub(crate) fn describe(servers: &Servers, name: &str) -> Result<String, String> {
    declarations(&[name.to_owned()], servers).map_err(|fault| format!("failed to {fault}"))
}

fn declarations(names: &[String], servers: &Servers) -> Result<String, Fault> {
    let mut text = String::new();
    for name in names {
        let declaration = servers.declaration(name).map_err(|near| Fault::NoTool {
            name: sanitize_line(name),
            hint: match near.as_slice() {
                [] => String::new(),
                near => format!("; the nearest are {}", near.join(", ")),
            },
        })?;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&sanitize(&declaration.to_string()));
    }
    Ok(text)
}

/// One tool, for programs.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    server: &'a str,
    description: &'a str,
}

fn json(tools: &[Tool]) -> String {
    let rows: Vec<_> = tools
        .iter()
        .map(|tool| Row { name: &tool.name, server: &tool.server, description: &tool.description })
        .collect();
    // Three strings a row: nothing here can fail to be JSON.
    let json = serde_json::to_string(&rows).unwrap_or_default();
    sanitize_json(&json).into_owned()
}

fn table(tools: &[Tool]) -> String {
    let width = |of: fn(&Tool) -> &str| tools.iter().map(|tool| of(tool).chars().count()).max().unwrap_or(0);
    let (names, servers) = (width(|t| &t.name), width(|t| &t.server));
    tools
        .iter()
        .map(|tool| {
            let line = format!(
                "{:names$}  {:servers$}  {}",
                sanitize_line(&tool.name),
                sanitize_line(&tool.server),
                first_line(&tool.description)
            );
            format!("{}\n", line.trim_end())
        })
        .collect()
}

/// Returns the first line of a description, cut where it is long.
fn first_line(description: &str) -> String {
    let line = description.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut shown: String = line.chars().take(DESCRIPTION_CHARS).collect();
    if line.chars().nth(DESCRIPTION_CHARS).is_some() {
        shown.push('…');
    }
    sanitize_line(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, server: &str, description: &str) -> Tool {
        Tool { name: name.into(), server: server.into(), description: description.into() }
    }

    #[test]
    fn columns_line_up_and_a_tool_is_one_line() {
        let tools = [tool("a__b", "a", "\n  First.\nSecond."), tool("long__name", "long", "")];
        assert_eq!(table(&tools), "a__b        a     First.\nlong__name  long\n");
    }

    #[test]
    fn hostile_descriptions_are_shown() {
        let tools = [tool("a", "s\x1b[0m", &format!("\x1b[31m{}", "x".repeat(500)))];
        let table = table(&tools);
        assert!(!table.contains('\x1b') && table.contains('…'), "{table}");
        assert_eq!(
            json(&[tool("a", "b", "\u{9b}")]),
            r#"[{"name":"a","server":"b","description":"\u009b"}]"#
        );
    }
}
