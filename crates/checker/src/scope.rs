//! What a cell sees of the cells before it.
//!
//! Each cell is a module to the compiler, whole and unchanged, so that types are inferred from what was written. What it uses
//! of earlier cells it imports from the last that declared it; such lines are added after its end, where they move no
//! position. A cell that nobody needs is left out, so a session of many cells costs what its newest one uses.

use std::collections::{HashMap, HashSet};

use carrel_contract::EarlierCell;
use carrel_typescript::{DeclarationKind, Place, prepare};

/// The most cells that one check brings before the compiler; what those beyond declare may hold anything.
const MAX_CELLS: usize = 100;

/// The module of the names that may hold anything.
pub(crate) const UNTYPED: &str = "untyped.d.ts";

/// What one parse finds in a cell.
pub(crate) struct Outline {
    pub(crate) typescript: bool,
    pub(crate) imports: Vec<Place>,
    declared: Vec<Declared>,
    /// What it hangs on `globalThis`.
    hung: Vec<String>,
    words: HashSet<String>,
}

struct Declared {
    name: String,
    kind: DeclarationKind,
    exported: bool,
}

impl Outline {
    /// Reads a cell; `None` when it does not parse, and what is wrong with it is for others to say.
    pub(crate) fn read(source: &str) -> Option<Self> {
        let prepared = prepare(source).ok()?;
        let declared =
            prepared.declarations.into_iter().filter(|it| is_identifier(&it.name) && it.name != "default");
        let declared = declared.map(|it| {
            let statement = source.get(it.span.start as usize..it.span.end as usize).unwrap_or_default();
            let exported = statement.starts_with("export") && !statement.starts_with("export default");
            Declared { name: it.name, kind: it.kind, exported }
        });
        Some(Self {
            typescript: prepared.was_typescript,
            imports: prepared.imports.iter().map(|import| import.place).collect(),
            declared: declared.collect(),
            hung: hung(source),
            words: source
                .split(|c| !is_part(c))
                .filter(|word| is_identifier(word))
                .map(str::to_owned)
                .collect(),
        })
    }

    fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.name == name)
    }
}

/// Who declared a name last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// An earlier cell, by its place.
    Cell(usize),
    /// Nobody knows what it holds.
    Untyped,
}

/// A file that a check puts before the compiler.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns the modules for a cell, the cell's own first.
pub(crate) fn modules(source: &str, outline: &Outline, earlier: &[EarlierCell]) -> Vec<Module> {
    let outlines: Vec<_> = earlier.iter().map(|cell| Outline::read(&cell.source)).collect();
    let mut visible = HashMap::new();
    let mut uses = Vec::new();
    for (place, (cell, outline)) in earlier.iter().zip(&outlines).enumerate() {
        let Some(outline) = outline else {
            uses.push(Vec::new());
            continue;
        };
        uses.push(used(outline, &visible));
        leave(outline, place, cell.completed, &mut visible);
    }
    for name in &outline.hung {
        visible.insert(name, Owner::Untyped);
    }
    let own = used(outline, &visible);

    let mut needed: Vec<usize> = Vec::new();
    let mut untyped: Vec<&str> = Vec::new();
    let mut pending: Vec<&[(&str, Owner)]> = vec![&own];
    while let Some(uses_of_one) = pending.pop() {
        for (name, owner) in uses_of_one {
            match owner {
                Owner::Untyped => untyped.push(name),
                Owner::Cell(place) if !needed.contains(place) && needed.len() < MAX_CELLS => {
                    needed.push(*place);
                    pending.extend(uses.get(*place).map(Vec::as_slice));
                }
                Owner::Cell(_) => {}
            }
        }
    }

    let main = format!("{source}\n;{}", imports(&own));
    let mut modules = vec![Module { name: format!("cell.{}", extension(outline)), text: main }];
    for place in needed {
        if let (Some(cell), Some(Some(outline)), Some(uses)) =
            (earlier.get(place), outlines.get(place), uses.get(place))
        {
            let text = format!("{}\n;{}{}", cell.source, imports(uses), exports(outline));
            modules.push(Module { name: format!("{}.{}", module_of(place), extension(outline)), text });
        }
    }
    if !untyped.is_empty() {
        untyped.sort_unstable();
        untyped.dedup();
        let text =
            untyped.iter().map(|name| format!("export const {name}: any; export type {name} = any;\n"));
        modules.push(Module { name: UNTYPED.to_owned(), text: text.collect() });
    }
    modules
}

/// Puts what a cell declares into view.
fn leave<'o>(outline: &'o Outline, place: usize, completed: bool, visible: &mut HashMap<&'o str, Owner>) {
    use DeclarationKind::{Function, Interface, Type};
    for name in &outline.hung {
        visible.insert(name, Owner::Untyped);
    }
    for Declared { name, kind, .. } in &outline.declared {
        // Functions are there from the beginning of a cell, and types have no time.
        let is_sure = completed || matches!(kind, Function | Interface | Type);
        visible.insert(name, if is_sure { Owner::Cell(place) } else { Owner::Untyped });
    }
}

/// Returns what a cell mentions of what it sees, but does not declare itself.
fn used<'o>(outline: &Outline, visible: &HashMap<&'o str, Owner>) -> Vec<(&'o str, Owner)> {
    let mentioned = outline.words.iter().filter(|word| !outline.declares(word));
    let mut used: Vec<_> = mentioned
        .filter_map(|word| visible.get_key_value(word.as_str()).map(|(name, owner)| (*name, *owner)))
        .collect();
    used.sort_unstable();
    used
}

fn imports(uses: &[(&str, Owner)]) -> String {
    let line = |(name, owner): &(&str, Owner)| match owner {
        Owner::Cell(place) => format!("import {{ {name} }} from \"./{}\";\n", module_of(*place)),
        Owner::Untyped => format!("import {{ {name} }} from \"./untyped\";\n"),
    };
    uses.iter().map(line).collect()
}

fn exports(outline: &Outline) -> String {
    let mut names: Vec<_> =
        outline.declared.iter().filter(|it| !it.exported).map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    format!("export {{ {} }};\n", names.join(", "))
}

fn module_of(place: usize) -> String {
    format!("earlier{place}")
}

fn extension(outline: &Outline) -> &'static str {
    if outline.typescript { "ts" } else { "js" }
}

/// Returns the names that a cell assigns as properties of `globalThis`, which later reads find without it.
fn hung(source: &str) -> Vec<String> {
    let mentions = source.split("globalThis.").skip(1);
    mentions
        .filter_map(|rest| {
            let name: String = rest.chars().take_while(|c| is_part(*c)).collect();
            let rest = rest.get(name.len()..)?.trim_start();
            let rest = ["??", "||", "&&"].iter().find_map(|or| rest.strip_prefix(or)).unwrap_or(rest);
            let assigned = rest.starts_with('=') && !rest.starts_with("==");
            (assigned && is_identifier(&name)).then_some(name)
        })
        .collect()
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn is_identifier(word: &str) -> bool {
    word.chars().all(is_part) && word.chars().next().is_some_and(|c| !c.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(earlier: &[(&str, bool)], source: &str) -> Vec<(String, String)> {
        let earlier: Vec<_> = earlier
            .iter()
            .map(|(source, completed)| EarlierCell::new((*source).into(), *completed))
            .collect();
        let modules = modules(source, &Outline::read(source).unwrap(), &earlier);
        modules.into_iter().map(|module| (module.name, module.text)).collect()
    }

    #[test]
    fn a_cell_imports_what_it_uses_from_the_last_that_declared_it() {
        let earlier = [("const a = 1, b = 2;", true), ("const a = 'x';", true), ("const c = a;", true)];
        assert_eq!(
            texts(&earlier, "text(c, b)"),
            [
                (
                    "cell.js",
                    "text(c, b)\n;import { b } from \"./earlier0\";\nimport { c } from \"./earlier2\";\n"
                ),
                ("earlier0.js", "const a = 1, b = 2;\n;export { a, b };\n"),
                ("earlier2.js", "const c = a;\n;import { a } from \"./earlier1\";\nexport { c };\n"),
                ("earlier1.js", "const a = 'x';\n;export { a };\n"),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn what_it_declares_itself_it_does_not_import() {
        assert_eq!(texts(&[("const a = 1;", true)], "const a = 2;").len(), 1);
    }

    #[test]
    fn of_a_failed_cell_functions_and_types_are_sure_and_variables_may_hold_anything() {
        let failed = [("function f() {} type T = number; const v = 1;", false)];
        let texts = texts(&failed, "f(); v; let x: T;");
        assert!(texts[0].1.ends_with(
            "import { T } from \"./earlier0\";\nimport { f } from \"./earlier0\";\nimport { v } from \"./untyped\";\n"
        ));
        assert_eq!(texts[2].1, "export const v: any; export type v = any;\n");
    }

    #[test]
    fn what_hangs_on_the_global_object_is_seen() {
        assert_eq!(hung("globalThis.a = 1; globalThis.b ??= 2; globalThis.c == 3; globalThis.d"), ["a", "b"]);
        assert!(
            texts(&[("globalThis.cache = {}", true)], "cache.x")[0]
                .1
                .contains("{ cache } from \"./untyped\"")
        );
    }
}
