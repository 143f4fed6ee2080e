//! One check of the doctor and how it reads.

/// How a check went, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// It works.
    Ok,
    /// It works, and something about it should be known.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was tried.
#[derive(Debug)]
pub(super) struct Check {
    /// What was tried.
    pub(super) name: &'static str,
    /// How it went.
    pub(super) status: Status,
    /// What was found.
    pub(super) detail: String,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl Check {
    /// Notes that something works.
    pub(super) fn ok(name: &'static str, detail: String) -> Self {
        Self { name, status: Status::Ok, detail, help: None }
    }

    /// Notes that something works and should be known.
    pub(super) fn warn(name: &'static str, detail: String, help: String) -> Self {
        Self { name, status: Status::Warn, detail, help: Some(help) }
    }

    /// Notes that something does not work, and what to do.
    pub(super) fn fail(name: &'static str, detail: String, help: String) -> Self {
        Self { name, status: Status::Fail, detail, help: Some(help) }
    }

    /// Writes the check: a line, its further lines below, and one of help.
    pub(super) fn line(&self) -> String {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        let indent = format!("\n{:20}", "");
        let mut line =
            format!("{status:4}  {:12}  {}", self.name, self.detail.trim_end().replace('\n', &indent));
        if let Some(help) = &self.help {
            line.push_str(&format!("{indent}{help}"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_stands_under_what_it_is_about() {
        let check = Check::fail("engine", "does not load\nat all".into(), "build again".into());
        assert_eq!(
            check.line(),
            "FAIL  engine        does not load\n                    at all\n                    build again"
        );
    }
}
