//! The JSON Schema test suite: every value that it says is valid fits the declaration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Draft;
use serde_json::Value;

use crate::checker::{Case, misfits};
use crate::explicit::explicit;

/// Groups of the suite whose valid values do not all fit, and why: see docs/declarations.md.
const APPROXIMATED: [(&str, &str, &str); 2] = [
    (
        "properties.json",
        "Javascript object property names",
        "in TypeScript every object has a method `toString`",
    ),
    (
        "dynamicRef.json",
        "without a matching $dynamicAnchor",
        "TypeScript wants one of the properties to be there even where all are optional",
    ),
];

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/schema-suite/tests");
    assert!(folder.is_dir(), "{} is missing: run ./x setup", folder.display());
    folder
}

#[test]
fn what_the_suite_says_is_valid_fits() {
    let mut groups = Vec::new();
    let mut cases = Vec::new();
    for (draft, dialect) in [
        ("draft7", Draft::Draft7),
        ("draft2019-09", Draft::Draft201909),
        ("draft2020-12", Draft::Draft202012),
    ] {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder().join(draft)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        assert!(files.len() > 30, "{draft}");
        for file in files {
            let read: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            for group in read.as_array().unwrap() {
                let schema = group["schema"].clone();
                // A schema that refers to other documents cannot be checked here; its valid values count as they are.
                let options = jsonschema::options().with_draft(dialect);
                let explicit = options.build(&explicit(&schema)).ok();
                let fits = |value: &Value| explicit.as_ref().is_none_or(|explicit| explicit.is_valid(value));
                let valid = group["tests"].as_array().unwrap().iter().filter(|test| test["valid"] == true);
                let allowed = valid.map(|test| test["data"].clone()).filter(fits).collect();
                cases.push(Case { schema, allowed });
                let name = Path::new(draft).join(file.file_name().unwrap());
                groups.push((name.display().to_string(), group["description"].as_str().unwrap().to_owned()));
            }
        }
    }
    let found = misfits(&cases);
    let mut seen = BTreeSet::new();
    let mut wrong = String::new();
    for misfit in &found {
        let (file, group) = &groups[misfit.case];
        let known = APPROXIMATED
            .iter()
            .position(|(in_file, in_group, _)| file.ends_with(in_file) && group.contains(in_group));
        match known {
            Some(known) => {
                seen.insert(known);
            }
            None => wrong.push_str(&format!("{file}: {group}: {}\n", misfit.what)),
        }
    }
    let values: usize = cases.iter().map(|case| case.allowed.len()).sum();
    eprintln!("{} schemas, {values} valid values, {} misfits", cases.len(), found.len());
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(seen.len(), APPROXIMATED.len(), "an approximation of the list does not show any more");
}
