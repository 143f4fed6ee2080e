//! Sequences of cells for one persistent VM, and one script that does the same with properties of `globalThis`: what is
//! declared, again and as something else, destructured, assigned and read, by the cell or by functions of earlier ones;
//! what a cell leaves behind that throws, exits, is no JavaScript or does not wait for its calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::rng::Rng;

const NAMES: &[&str] = &["n0", "n1", "n2", "n3", "n4", "n5"];
/// Only ever written through `set0` and `set1`, functions of the first cell, or declared again.
const WRITTEN: &[&str] = &["w0", "w1"];
const SHOW: &str = "globalThis.show = (v) => (typeof v === 'function' ? ('v' in v ? 'class ' + show(v.v) : 'f') : String(JSON.stringify(v))).slice(0, 40);\n";

pub(crate) struct Notebook {
    pub(crate) cells: Vec<String>,
    /// Prints the same texts, as a cell of its own.
    pub(crate) script: String,
}

pub(crate) fn notebook(rng: &mut Rng) -> Notebook {
    let mut writer = Writer::default();
    let first = "let w0 = 0, w1 = 0; function set0(v) { w0 = v } const set1 = (v) => { w1 = v };\n";
    writer.cells.push(format!("{SHOW}{first}"));
    writeln!(writer.script, "{SHOW}globalThis.w0 = 0; globalThis.w1 = 0; globalThis.set0 = (v) => {{ w0 = v }}; globalThis.set1 = (v) => {{ w1 = v }};").unwrap();
    for name in WRITTEN {
        writer.is_const.insert(name, false);
    }
    for _ in 0..1 + rng.below(4) {
        writer.cell(rng);
        writer.report();
    }
    Notebook { cells: writer.cells, script: writer.script }
}

/// What a cell declares.
struct Declaration {
    is_const: bool,
    is_var: bool,
}

#[derive(Default)]
struct Writer {
    cells: Vec<String>,
    script: String,
    /// The names that have a value, and whether as a `const`.
    is_const: BTreeMap<&'static str, bool>,
}

impl Writer {
    fn cell(&mut self, rng: &mut Rng) {
        if rng.one_in(8) {
            self.cells.push(format!("const {} = 1; function n0() {{}} let let = 2;", rng.pick(NAMES)));
            return;
        }
        let mut declared: BTreeMap<&'static str, Declaration> = BTreeMap::new();
        let (mut cell, mut script, mut hoisted) = (String::new(), String::new(), String::new());
        let length = 2 + rng.below(6);
        let ends_at = if rng.one_in(3) { rng.below(length) } else { length };
        let mut has_default = false;
        let before = self.is_const.clone();
        let mut read: BTreeSet<&'static str> = before.keys().copied().collect();
        let mut assigned = BTreeSet::new();
        for at in 0..length {
            if at == ends_at {
                cell.push_str(rng.pick::<&str>(&[
                    "throw new Error('here');\n",
                    "exit();\n",
                    "await (async () => exit())();\n",
                ]));
            }
            // What stands behind the end is declared, but never reached.
            let (mut unreached, mut reached) = (String::new(), BTreeSet::new());
            let (into, read) =
                if at < ends_at { (&mut script, &mut read) } else { (&mut unreached, &mut reached) };
            let name = *rng.pick(NAMES);
            let value = expression(rng, read);
            let is_free = !declared.contains_key(name) && !assigned.contains(name);
            match rng.below(15) {
                0..=3 if is_free => {
                    let kind = *rng.pick(&["const", "let", "var", "export let", "export const"]);
                    writeln!(cell, "{kind} {name} = {value};").unwrap();
                    writeln!(into, "globalThis.{name} = {value};").unwrap();
                    declared.insert(
                        name,
                        Declaration { is_const: kind.ends_with("const"), is_var: kind == "var" },
                    );
                    read.insert(name);
                }
                4 if is_free => {
                    writeln!(cell, "let {name};").unwrap();
                    writeln!(into, "globalThis.{name} = undefined;").unwrap();
                    declared.insert(name, Declaration { is_const: false, is_var: false });
                    read.insert(name);
                }
                5 if is_free => {
                    let other = *rng.pick(NAMES);
                    if other == name || declared.contains_key(other) || assigned.contains(other) {
                        continue;
                    }
                    let kind = *rng.pick(&["const", "let"]);
                    writeln!(
                        cell,
                        "{kind} {{ a: {name}, b: [{other} = 'd'] = [{value}], }} = {{ a: {value}, c: 1 }};"
                    )
                    .unwrap();
                    writeln!(into, "({{ a: globalThis.{name}, b: [globalThis.{other} = 'd'] = [{value}] }} = {{ a: {value}, c: 1 }});").unwrap();
                    for name in [name, other] {
                        declared.insert(name, Declaration { is_const: kind == "const", is_var: false });
                        read.insert(name);
                    }
                }
                6 if is_free => {
                    writeln!(cell, "out: for (;;) {{ for (var {name} of [1, {value}]); break out; }}")
                        .unwrap();
                    writeln!(into, "for (globalThis.{name} of [1, {value}]);").unwrap();
                    declared.insert(name, Declaration { is_const: false, is_var: true });
                    read.insert(name);
                }
                7 | 8 if is_free => {
                    let seen = *rng.pick(NAMES);
                    let default = if !has_default && rng.one_in(3) { "export default " } else { "" };
                    has_default |= !default.is_empty();
                    let body = format!("() {{ try {{ return show({seen}) }} catch {{ return '-' }} }}");
                    writeln!(cell, "{default}function {name}{body}").unwrap();
                    // A function is there from the cell's beginning, whether or not that gets so far.
                    writeln!(hoisted, "globalThis.{name} = function {body};").unwrap();
                    declared.insert(name, Declaration { is_const: false, is_var: true });
                    read.insert(name);
                }
                9 if is_free => {
                    let class =
                        format!("class {name} {{ static v = {value}; static {{ this.v = [this.v] }} }}");
                    writeln!(cell, "{class}").unwrap();
                    writeln!(into, "globalThis.{name} = {class};").unwrap();
                    declared.insert(name, Declaration { is_const: false, is_var: false });
                    read.insert(name);
                }
                10 if is_free && read.contains(name) && before.get(name) == Some(&false) => {
                    for text in [&mut cell, into] {
                        writeln!(text, "{name} = {value};").unwrap();
                    }
                    assigned.insert(name);
                }
                10 if is_free && before.get(name) == Some(&true) => {
                    writeln!(cell, "try {{ {name} = 1; text('written') }} catch (x) {{ text(x.name) }}")
                        .unwrap();
                    writeln!(into, "text('TypeError');").unwrap();
                    assigned.insert(name);
                }
                11 => {
                    let setter = rng.below(2);
                    for text in [&mut cell, into] {
                        writeln!(text, "set{setter}({value}); text(show(w{setter}));").unwrap();
                    }
                }
                12 => {
                    let written = *rng.pick(WRITTEN);
                    if !declared.contains_key(written) {
                        writeln!(cell, "{} {written} = {value};", rng.pick(&["let", "var"])).unwrap();
                        writeln!(into, "globalThis.{written} = {value};").unwrap();
                        declared.insert(written, Declaration { is_const: false, is_var: false });
                    }
                }
                13 => {
                    let statement = *rng.pick(&[
                        "await null;\n",
                        "await new Promise((r) => setTimeout(r, 1));\n",
                        "{ let n0 = 1, w0 = 2; const n1 = n0 + w0; }\n",
                    ]);
                    for text in [&mut cell, into] {
                        text.push_str(statement);
                    }
                }
                _ => {
                    cell.push_str(rng.pick::<&str>(&[
                        "tools.later(1).then(() => {}, () => {});\n",
                        "setTimeout(() => {}, 5);\n",
                        "setInterval(() => {}, 5);\n",
                        "(async () => { await tools.echo(1); await new Promise(() => {}) })().catch(() => {});\n",
                    ]));
                    for text in [&mut cell, into] {
                        writeln!(text, "text(show({value}));").unwrap();
                    }
                }
            }
        }
        if ends_at == length && rng.one_in(6) {
            cell.push_str("exit();\n");
        }
        for (name, Declaration { is_const, is_var }) in declared {
            if is_var && !before.contains_key(name) {
                writeln!(self.script, "globalThis.{name} = undefined;").unwrap();
            }
            if is_var || read.contains(name) {
                self.is_const.insert(name, is_const);
            }
        }
        self.script += &hoisted;
        self.script += &script;
        self.cells.push(cell);
    }

    /// Writes a cell that prints what all names are, and what the functions among them see.
    fn report(&mut self) {
        let mut cell = String::new();
        for name in NAMES.iter().chain(WRITTEN) {
            writeln!(cell, "text('{name} ' + (typeof {name} === 'undefined' ? '-' : show({name})));")
                .unwrap();
            writeln!(cell, "try {{ text({name}()) }} catch (x) {{ text(x.name) }}").unwrap();
        }
        self.script += &cell;
        self.cells.push(cell);
    }
}

/// Reads only what has a value by then.
fn expression(rng: &mut Rng, read: &BTreeSet<&'static str>) -> String {
    let names: Vec<_> = read.iter().copied().collect();
    let constant = *rng.pick(&["1", "'two'", "[3, { four: 5 }]", "undefined", "null", "6n.toString()"]);
    if names.is_empty() {
        return constant.to_owned();
    }
    let (x, y) = (*rng.pick(&names), *rng.pick(&names));
    match rng.below(6) {
        0 | 1 => constant.to_owned(),
        2 => x.to_owned(),
        3 => format!("[show({x}), {constant}]"),
        4 => format!("show({x}) + show({y})"),
        _ => format!("(() => ({{ of: show({x}) }}))()"),
    }
}
