//! Which tools of a server are listed beside Carrel's own, for clients to call by themselves.

use crate::name::{NAMESPACE_SEPARATOR, identifier};
use crate::policy::Pattern;

/// Tools of one server that are passed through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassThrough {
    server: String,
    /// Over names as cells have them.
    pattern: Pattern,
}

impl PassThrough {
    /// Takes a pattern over the names that tools have at their server.
    pub(super) fn new(server: &str, pattern: &str) -> Self {
        let part = |part: &str| identifier(part);
        let tool = pattern.split('*').map(part).collect::<Vec<_>>().join("*");
        let pattern = Pattern::for_servers(&format!("{}{NAMESPACE_SEPARATOR}{tool}", identifier(server)));
        Self { server: server.to_owned(), pattern }
    }

    /// Tells whether a tool, by the name that cells call, is passed through.
    #[must_use]
    pub fn fits(&self, server: Option<&str>, name: &str) -> bool {
        // A name that begins with a digit has `_` before it.
        let name = name
            .strip_prefix('_')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(name);
        server == Some(&self.server) && self.pattern.fits(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::plain_name;

    #[test]
    fn a_pattern_is_over_the_names_of_one_servers_tools() {
        for (server, pattern, fits, not) in [
            ("files", "read-file", &["read-file", "read_file"][..], &["read-files"][..]),
            ("my files", "read*", &["read", "read-file"], &["write"]),
            ("2do", "*", &["x", "8"], &[]),
            ("a", "*-all", &["list-all"], &["list-all-2"]),
        ] {
            let pass = PassThrough::new(server, pattern);
            let said = |tool: &&str, of: &str| pass.fits(Some(of), plain_name(server, tool).as_str());
            assert!(fits.iter().all(|tool| said(tool, server)), "{pattern}");
            assert!(!not.iter().any(|tool| said(tool, server)), "{pattern}");
            assert!(!fits.iter().any(|tool| said(tool, "another")), "{pattern}");
        }
    }
}
