//! Which tests apply to a cell, and why the others do not.

use crate::frontmatter::Phase;
use crate::suite::Test;

/// Why a test does not apply.
pub(crate) type Reason = &'static str;

const SLOPPY: Reason = "sloppy mode: a cell is strict";
const RAW: Reason = "raw: nothing can stand before the test, and a cell has no harness without that";
const MODULES: Reason = "other modules: a cell imports nothing";
const SHARED: Reason = "shared memory: a cell has one thread and no SharedArrayBuffer or Atomics";
const WEAK: Reason = "observable garbage collection: a cell has no WeakRef and no FinalizationRegistry";
const REALMS: Reason =
    "a second realm, or scripts that share global declarations: a cell has one realm and modules";
const HTML: Reason = "document.all, which browsers alone have";
const TEMPORAL: Reason = "Temporal: QuickJS-NG has none";
const INTL: Reason = "the parts of Intl that a cell does not offer";
const PROPOSALS: Reason = "proposals for the language that QuickJS-NG does not have";

const FLAGS: &[(&str, Reason)] =
    &[("noStrict", SLOPPY), ("raw", RAW), ("CanBlockIsFalse", SHARED), ("CanBlockIsTrue", SHARED)];

const FEATURES: &[(&str, Reason)] = &[
    ("SharedArrayBuffer", SHARED),
    ("Atomics", SHARED),
    ("Atomics.pause", SHARED),
    ("Atomics.waitAsync", SHARED),
    ("WeakRef", WEAK),
    ("FinalizationRegistry", WEAK),
    ("host-gc-required", WEAK),
    ("cross-realm", REALMS),
    ("ShadowRealm", REALMS),
    ("IsHTMLDDA", HTML),
    ("Temporal", TEMPORAL),
    ("Intl.DisplayNames", INTL),
    ("Intl.DisplayNames-v2", INTL),
    ("Intl.DurationFormat", INTL),
    ("Intl.Locale", INTL),
    ("Intl.Locale-info", INTL),
    ("Intl.Era-monthcode", INTL),
    ("json-modules", MODULES),
    ("import-text", MODULES),
    ("import-bytes", MODULES),
    ("import-defer", MODULES),
    ("export-defer", MODULES),
    ("source-phase-imports", MODULES),
    ("source-phase-imports-module-source", MODULES),
    ("decorators", PROPOSALS),
    ("legacy-regexp", PROPOSALS),
    ("await-dictionary", PROPOSALS),
];

/// What a test can ask of its host and a cell's `$262` does not have.
const HOST: &[(&str, Reason)] = &[
    ("$262.createRealm", REALMS),
    ("$262.evalScript", REALMS),
    ("$262.agent", SHARED),
    ("$262.gc", WEAK),
    ("$262.AbstractModuleSource", MODULES),
];

/// Returns why a test does not apply; `None` when it does.
pub(crate) fn reason_against(test: &Test) -> Option<Reason> {
    let meta = &test.meta;
    let find = |table: &[(&str, Reason)], has: &dyn Fn(&str) -> bool| {
        table.iter().find(|(what, _)| has(what)).map(|(_, reason)| *reason)
    };
    find(FLAGS, &|flag| meta.has_flag(flag))
        .or_else(|| find(FEATURES, &|feature| meta.features.iter().any(|has| has == feature)))
        .or_else(|| find(HOST, &|call| test.source.contains(call)))
        .or_else(|| imports(test).then_some(MODULES))
}

/// Tells whether a test needs other modules, or itself as one. All that tests import is named `_FIXTURE`. An import in
/// a source that does not parse is not looked for.
fn imports(test: &Test) -> bool {
    let name = test.path.rsplit('/').next().unwrap_or_default();
    match test.meta.negative.as_ref().map(|negative| negative.phase) {
        Some(Phase::Parse) => false,
        Some(Phase::Resolution) => true,
        Some(Phase::Runtime) | None => {
            test.source.contains("_FIXTURE") || test.source.contains(&format!("./{name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontmatter::Frontmatter;

    fn reason(frontmatter: &str, source: &str) -> Option<Reason> {
        let source = format!("/*---\n{frontmatter}\n---*/\n{source}");
        let meta = Frontmatter::of(&source).unwrap();
        reason_against(&Test { path: "language/a.js".to_owned(), source, meta })
    }

    #[test]
    fn flags_features_and_what_the_host_lacks_decide() {
        assert_eq!(reason("features: [Symbol]", "$262.detachArrayBuffer(b)"), None);
        assert_eq!(reason("flags: [noStrict]", ""), Some(SLOPPY));
        assert_eq!(reason("features: [Symbol, WeakRef]", ""), Some(WEAK));
        assert_eq!(reason("", "$262.createRealm()"), Some(REALMS));
    }

    #[test]
    fn a_test_that_imports_does_not_apply_but_where_it_must_not_parse() {
        assert_eq!(reason("flags: [module]", "import './x_FIXTURE.js'"), Some(MODULES));
        assert_eq!(reason("flags: [module]", "import './a.js'"), Some(MODULES));
        let negative = "flags: [module]\nnegative: {phase: parse, type: SyntaxError}";
        assert_eq!(reason(negative, "import './x_FIXTURE.js'; ]"), None);
    }
}
