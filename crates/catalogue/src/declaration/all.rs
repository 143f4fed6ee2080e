//! The declarations of all tools in one file, and of the other globals of a cell: what a type checker is given.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Declaration;

/// Declares the globals of a cell that TypeScript's own libraries of the language do not, as a script of ambient
/// declarations: check it with `lib` of ECMAScript alone, without the DOM's.
pub const GLOBALS: &str = include_str!("globals.d.ts");

/// Declares `tools` with all of its methods, as a script of ambient declarations to stand beside [`GLOBALS`].
///
/// Types of tools are global where their name is of one tool alone, as it reads in that tool's own declaration.
#[must_use]
pub fn declare_all<'a>(declarations: impl IntoIterator<Item = &'a Declaration>) -> String {
    let mut out = String::new();
    let mut methods = String::new();
    let mut extended = Vec::new();
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for declaration in declarations {
        if declaration.types.is_empty() {
            methods.push_str(&declaration.method);
            continue;
        }
        // A room of its own: types of different tools may have the same name.
        let room = format!("$of_{}", declaration.name);
        let types: String = declaration.types().collect();
        // Writing to a string does not fail.
        let _infallible = write!(
            out,
            "declare namespace {room} {{\n{types}interface $Tool {{\n{}}}\n}}\n",
            declaration.method
        );
        extended.push(format!("{room}.$Tool"));
        for (name, _) in &declaration.types {
            owners.entry(name).or_default().push(&declaration.name);
        }
    }
    for (name, owners) in owners {
        if let [owner] = owners.as_slice() {
            let _infallible = writeln!(out, "type {name} = $of_{owner}.{name};");
        }
    }
    let extends =
        if extended.is_empty() { String::new() } else { format!(" extends {}", extended.join(", ")) };
    format!("{out}interface Tools{extends} {{\n{methods}}}\n")
}
