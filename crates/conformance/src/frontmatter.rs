//! What a test says of itself: the YAML between `/*---` and `---*/`.

use yaml_rust2::{Yaml, YamlLoader};

/// The parts of the frontmatter that decide how a test is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontmatter {
    pub(crate) flags: Vec<String>,
    pub(crate) includes: Vec<String>,
    pub(crate) features: Vec<String>,
    /// The names that a harness file declares.
    pub(crate) defines: Vec<String>,
    pub(crate) negative: Option<Negative>,
}

/// The error that a test has to end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Negative {
    pub(crate) phase: Phase,
    /// The name of the error's constructor.
    pub(crate) name: String,
}

/// When the error has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Parse,
    Resolution,
    Runtime,
}

impl Frontmatter {
    /// Reads the frontmatter of a test or of a harness file. Says what is wrong with it, when something is.
    pub(crate) fn of(source: &str) -> Result<Self, String> {
        let text = source
            .split_once("/*---")
            .and_then(|(_, rest)| rest.split_once("---*/"))
            .map(|(text, _)| text)
            .ok_or("it has no frontmatter")?;
        // Some tests are about line ends and use the old ones, which YAML no longer knows.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let documents = YamlLoader::load_from_str(&text).map_err(|e| format!("its frontmatter: {e}"))?;
        let yaml = documents.first().unwrap_or(&Yaml::BadValue);
        Ok(Self {
            flags: strings(&yaml["flags"])?,
            includes: strings(&yaml["includes"])?,
            features: strings(&yaml["features"])?,
            defines: strings(&yaml["defines"])?,
            negative: negative(&yaml["negative"])?,
        })
    }

    pub(crate) fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|has| has == flag)
    }
}

fn strings(yaml: &Yaml) -> Result<Vec<String>, String> {
    match yaml {
        Yaml::BadValue | Yaml::Null => Ok(Vec::new()),
        Yaml::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| format!("{item:?} is no name")))
            .collect(),
        other => Err(format!("{other:?} is no list")),
    }
}

fn negative(yaml: &Yaml) -> Result<Option<Negative>, String> {
    if yaml.is_badvalue() {
        return Ok(None);
    }
    let phase = match yaml["phase"].as_str() {
        Some("parse" | "early") => Phase::Parse,
        Some("resolution") => Phase::Resolution,
        Some("runtime") => Phase::Runtime,
        other => return Err(format!("there is no phase {other:?}")),
    };
    let name = yaml["type"].as_str().ok_or("a negative test has no type")?.to_owned();
    Ok(Some(Negative { phase, name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_both_of_their_forms() {
        let source = "// (c)\n/*---\ndescription: >\n  flags: [none]\nflags: [module, async]\nincludes:\n  - a.js\n  - sm/b.js\n---*/\n1;";
        let read = Frontmatter::of(source).unwrap();
        assert_eq!(read.flags, ["module", "async"]);
        assert_eq!(read.includes, ["a.js", "sm/b.js"]);
        assert_eq!(read.negative, None);
    }

    #[test]
    fn a_negative_test_names_phase_and_error() {
        let source = "/*---\r\nnegative:\r  phase: parse\n  type: SyntaxError\n---*/";
        let expected = Negative { phase: Phase::Parse, name: "SyntaxError".to_owned() };
        assert_eq!(Frontmatter::of(source).unwrap().negative, Some(expected));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(Frontmatter::of("1;").unwrap_err(), "it has no frontmatter");
        assert!(Frontmatter::of("/*---\nflags: module\n---*/").unwrap_err().contains("no list"));
        assert!(
            Frontmatter::of("/*---\nnegative: {phase: late, type: A}\n---*/").unwrap_err().contains("late")
        );
    }
}
