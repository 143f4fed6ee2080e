//! Whether the tools are there yet: clients are served before the servers behind the tools are connected.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::catalogue::Catalogue;
use crate::refusal::Refusal;

/// The servers behind the tools, as far as they are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// The names of those that are being connected.
    pub connecting: Vec<String>,
    /// What is wrong with those whose tools are missing.
    pub failures: Vec<String>,
}

/// What a face knows of them.
pub(crate) struct Supply(watch::Receiver<Arc<Servers>>);

impl Supply {
    pub(crate) fn new(servers: watch::Receiver<Arc<Servers>>) -> Self {
        Self(servers)
    }

    /// Waits until each server is connected or has failed, until then at most. Cancel safe.
    ///
    /// # Errors
    /// Those that take longer, by their names.
    pub(crate) async fn ready(&self, until: Instant) -> Result<(), Refusal> {
        let mut servers = self.0.clone();
        let ready = servers.wait_for(|servers| servers.connecting.is_empty());
        match tokio::time::timeout_at(until, ready).await {
            // Whoever connected them has gone: there is nobody to wait for.
            Ok(_) => Ok(()),
            Err(_) => {
                let connecting = self.0.borrow().connecting.join(", ");
                Err(Refusal::new(format!(
                    "failed to wait for the tools: servers are still being connected ({connecting})"
                ))
                .advise("nothing was run; call again"))
            }
        }
    }

    /// Waits as [`ready`](Self::ready) does, unless all that a program calls is there already.
    ///
    /// # Errors
    /// The servers that take longer, by their names.
    pub(crate) async fn ready_for(
        &self,
        code: &str,
        catalogue: &Catalogue,
        until: Instant,
    ) -> Result<(), Refusal> {
        let mut servers = self.0.clone();
        while !calls_only(code, |name| catalogue.has(name)) {
            tokio::select! {
                ready = self.ready(until) => return ready,
                changed = servers.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    /// Says which tools are missing, and why, a line a server.
    pub(crate) fn missing(&self) -> Vec<String> {
        let servers = self.0.borrow();
        let connecting =
            servers.connecting.iter().map(|name| format!("the server {name} is being connected"));
        let failed =
            servers.failures.iter().map(|failure| format!("a server's tools are missing: {failure}"));
        connecting.chain(failed).collect()
    }
}

/// Tells whether a program uses tools in no other way than by calling those that are `there`. It looks at the text alone:
/// whatever else has to do with tools, a comment even, may use any of them.
fn calls_only(code: &str, there: impl Fn(&str) -> bool) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    // `ALL_TOOLS` is one, too.
    let lower = code.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find("tools")) {
        from += at + "tools".len();
        let after = code.get(from..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        let name = after.split(|c| !is_part(c)).next().unwrap_or_default();
        if !there(name) {
            return false;
        }
        from += 1 + name.len();
    }
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_program_that_calls_what_is_there_waits_for_nobody() {
        let there = |name: &str| ["a__x", "a__tools"].contains(&name);
        for (code, waits) in [
            ("1 + 1", false),
            ("await tools.a__x({}); tools.a__x()", false),
            ("await tools.a__tools()", false),
            ("await tools.a__x({}); await tools.b__y()", true),
            ("await tools.a__xy()", true),
            ("tools['a__x']()", true),
            ("const { a__x } = tools", true),
            ("ALL_TOOLS.length", true),
            ("tools.$search('x')", true),
            ("const ä = tools.a__x", false),
            ("tools", true),
            ("tools.", true),
        ] {
            assert_eq!(!calls_only(code, there), waits, "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_when_the_last_server_is_there_or_has_failed() {
        let connecting = |names: &[&str]| {
            Arc::new(Servers {
                connecting: names.iter().map(|&name| name.to_owned()).collect(),
                failures: Vec::new(),
            })
        };
        let (sender, receiver) = watch::channel(connecting(&["a", "b"]));
        let supply = Supply::new(receiver);
        let soon = || Instant::now() + Duration::from_secs(25);
        let refusal = supply.ready(soon()).await.unwrap_err().into_text();
        assert!(refusal.contains("(a, b)") && refusal.contains("nothing was run"), "{refusal}");
        sender.send_replace(connecting(&["b"]));
        assert!(supply.ready(soon()).await.is_err());
        let failed = Servers {
            connecting: Vec::new(),
            failures: vec!["failed to connect to `b`: it is not there".into()],
        };
        let (ready, ()) = tokio::join!(supply.ready(soon()), async {
            sender.send_replace(Arc::new(failed));
        });
        assert!(ready.is_ok());
        assert_eq!(
            supply.missing(),
            ["a server's tools are missing: failed to connect to `b`: it is not there"]
        );
    }
}
