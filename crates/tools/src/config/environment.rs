//! Where `${VAR}` is looked up. Injected, so that reading a configuration touches no global state.

/// A source of environment variables.
pub trait Environment {
    /// Returns a variable's value; `None` when it is not set or not UTF-8.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}
