//! The declaration of one tool.

use std::collections::BTreeMap;
use std::fmt;

use carrel_contract::{JsonText, ToolDescription, ToolHints};

use super::Budget;
use super::detail::{Detail, STEPS};
use super::doc::comment;
use super::node::{Node, Type};
use super::parts::settle;
use super::read::{Part, Side, read};
use super::text::{comment_lines, method_name, type_name};
use super::write::Writer;

const INDENT: &str = "  ";
/// What the words around a declaration take, in bytes.
const FRAME: usize = "declare const tools: {\n};\n".len();

/// A tool as TypeScript declares it: a method of `tools`, and the types that it needs.
///
/// Its text is complete in itself, for a model. [`declare_all`](super::declare_all) puts many together for a checker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub(super) name: String,
    /// Name and text of each type, in the order of mention.
    pub(super) types: Vec<(String, String)>,
    pub(super) method: String,
}

impl Declaration {
    /// Declares a tool within a budget.
    #[must_use]
    pub fn new(tool: &ToolDescription, budget: Budget) -> Self {
        let input = tool.input_schema.as_ref().map(|schema| parts(schema, Side::Input));
        let output = tool.output.as_ref().map(|output| parts(&output.schema, Side::Output));
        let mut names = Names::default();
        let tool = Tool {
            tool,
            input_names: names.of(input.as_deref()),
            output_names: names.of(output.as_deref()),
            input,
            output,
        };
        let fits = |declared: &Self| declared.bytes() <= budget.max_bytes();
        let mut least = None;
        for detail in &STEPS {
            // What only a hostile schema reaches, in bytes: the floor has to be written whatever the budget is.
            let most = if detail.types { budget.max_bytes() } else { usize::MAX };
            match tool.declare(detail, most) {
                Some(declared) if fits(&declared) => return declared,
                other => least = other,
            }
        }
        least.unwrap_or_else(|| Self {
            name: tool.tool.name.to_string(),
            types: Vec::new(),
            method: format!("{INDENT}{}(input: any): Promise<any>;\n", method_name(tool.tool.name.as_str())),
        })
    }

    /// Returns the name of the tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the declarations of the types that the method needs; empty for most tools.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|(_, text)| text.as_str())
    }

    /// Returns the method with its comment, indented by two spaces and ended by a line break, as it stands between
    /// `declare const tools: {` and `};`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the length of the whole text.
    fn bytes(&self) -> usize {
        self.method.len() + FRAME + self.types.iter().map(|(_, text)| text.len()).sum::<usize>()
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.types().try_for_each(|text| f.write_str(text))?;
        write!(f, "declare const tools: {{\n{}}};\n", self.method)
    }
}

fn parts(schema: &JsonText, side: Side) -> Vec<Part> {
    // Nested deeper than serde reads, it is null, and that is a schema of anything.
    settle(read(&schema.to_value(), side))
}

/// The names of types that are given already.
#[derive(Default)]
struct Names {
    given: Vec<String>,
}

impl Names {
    /// Names the definitions of one side that are mentioned anywhere.
    fn of(&mut self, parts: Option<&[Part]>) -> BTreeMap<usize, String> {
        let mut names = BTreeMap::new();
        let parts = parts.unwrap_or_default();
        for number in mentioned(parts) {
            let Some(part) = parts.get(number) else { continue };
            let name = type_name(&part.called, |name| self.given.iter().any(|given| given == name));
            self.given.push(name.clone());
            names.insert(number, name);
        }
        names
    }
}

/// Returns the definitions that the schema still refers to, in the order of mention.
fn mentioned(parts: &[Part]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut known = vec![false; parts.len()];
    let mut pending: Vec<usize> = vec![0];
    while let Some(at) = pending.pop() {
        let Some(part) = parts.get(at) else { continue };
        let mut new = Vec::new();
        part.node.parts(true, &mut |other| {
            if let Some(known) = known.get_mut(other).filter(|known| !**known) {
                *known = true;
                new.push(other);
            }
        });
        found.extend(new.iter().copied());
        pending.extend(new.into_iter().rev());
    }
    found
}

struct Tool<'a> {
    tool: &'a ToolDescription,
    input: Option<Vec<Part>>,
    output: Option<Vec<Part>>,
    input_names: BTreeMap<usize, String>,
    output_names: BTreeMap<usize, String>,
}

impl Tool<'_> {
    /// Writes the declaration in this detail; `None` when that takes more than the bytes given.
    fn declare(&self, detail: &Detail, max_bytes: usize) -> Option<Declaration> {
        let mut types = Vec::new();
        let mut side = |parts: &[Part], names: &BTreeMap<usize, String>, side: Side| {
            let mut writer = Writer::new(parts, names, side, detail, max_bytes);
            let text = writer.root(INDENT);
            types.extend(writer.definitions());
            writer.is_whole().then_some(text)
        };
        let input = match &self.input {
            None => "input?: unknown".to_owned(),
            Some(parts) => {
                let mark = if accepts_nothing(parts) { "?" } else { "" };
                format!("input{mark}: {}", side(parts, &self.input_names, Side::Input)?)
            }
        };
        let output = match &self.output {
            Some(parts) if detail.result => side(parts, &self.output_names, Side::Output)?,
            _ => "any".to_owned(),
        };
        let name = self.tool.name.as_str();
        let doc = comment(&self.lines(detail), INDENT);
        let method = format!("{doc}{INDENT}{}({input}): Promise<{output}>;\n", method_name(name));
        Some(Declaration { name: name.to_owned(), types, method })
    }

    fn lines(&self, detail: &Detail) -> Vec<String> {
        let mut lines = comment_lines(&self.tool.description, detail.tool_bytes);
        if detail.tool_bytes == 0 {
            return Vec::new();
        }
        if let Some(hint) = hint(self.tool.hints) {
            match lines.as_mut_slice() {
                [only] if only.len() < 80 => {
                    only.push(' ');
                    only.push_str(hint);
                }
                _ => lines.push(hint.to_owned()),
            }
        }
        if let (true, Some(output)) = (detail.result, &self.tool.output) {
            let said =
                self.output.as_ref().and_then(|parts| parts.first()).map(|root| root.node.doc.lines(detail));
            let mut said = said.unwrap_or_default().join(" ");
            if output.observed {
                said = format!("as observed in earlier calls, not promised. {said}");
            }
            if !said.is_empty() {
                lines.push(format!("@returns {}", said.trim_end()));
            }
        }
        lines
    }
}

fn hint(hints: ToolHints) -> Option<&'static str> {
    match hints {
        ToolHints { read_only: true, .. } => Some("Read-only."),
        ToolHints { destructive: false, idempotent: true, .. } => Some("Destroys nothing; may be repeated."),
        ToolHints { destructive: false, .. } => Some("Destroys nothing."),
        ToolHints { idempotent: true, .. } => Some("May be repeated."),
        _ => None,
    }
}

/// Tells whether a call without input has all that is required: absent input goes as `{}`.
fn accepts_nothing(parts: &[Part]) -> bool {
    fn accepts(node: &Node, parts: &[Part], steps_left: usize) -> bool {
        match &node.ty {
            Type::Anything => true,
            Type::Object(object) => object.properties.iter().all(|property| property.optional),
            Type::Union(members) => members.iter().any(|member| accepts(member, parts, steps_left)),
            Type::Both(members) => members.iter().all(|member| accepts(member, parts, steps_left)),
            Type::Part(at) => {
                steps_left > 0
                    && parts.get(*at).is_some_and(|part| accepts(&part.node, parts, steps_left - 1))
            }
            _ => false,
        }
    }
    parts.first().is_some_and(|root| accepts(&root.node, parts, 16))
}
