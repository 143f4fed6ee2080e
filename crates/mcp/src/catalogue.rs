//! The tools that cells can call, ready to be searched, and made ready anew when they change.

use std::sync::{Arc, Mutex, PoisonError};

use carrel_catalogue::declaration::{Budget, Declaration};
use carrel_catalogue::prompt::prompt;
use carrel_catalogue::search::Index;
use carrel_contract::{TOKEN_BYTES, ToolDescription};
use tokio::sync::watch;

/// The tools as they are now.
pub(crate) struct Catalogue {
    tools: watch::Receiver<Arc<[ToolDescription]>>,
    indexed: Mutex<Option<Arc<Indexed>>>,
}

struct Indexed {
    tools: Arc<[ToolDescription]>,
    index: Index,
}

/// What a search found.
pub(crate) struct Found {
    /// The names, best first, with the first line of what each does.
    pub(crate) names: Vec<(String, String)>,
    /// The declarations of the first of them, as many as the budget has room for.
    pub(crate) declarations: String,
}

impl Catalogue {
    pub(crate) fn new(tools: watch::Receiver<Arc<[ToolDescription]>>) -> Self {
        Self { tools, indexed: Mutex::default() }
    }

    /// Returns the tools as they are now.
    pub(crate) fn tools(&self) -> Arc<[ToolDescription]> {
        Arc::clone(&self.tools.borrow())
    }

    /// Tells whether there is a tool of this name now.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tools.borrow().iter().any(|tool| tool.name.as_str() == name)
    }

    /// Returns a receiver that hears of every change from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<[ToolDescription]>> {
        let mut tools = self.tools.clone();
        tools.mark_unchanged();
        tools
    }

    /// Writes the tools for a model's prompt, in so many tokens at most.
    pub(crate) fn prompt(&self, budget_tokens: usize) -> String {
        prompt(&self.tools.borrow(), budget_tokens).text
    }

    /// Finds up to `limit` tools, and declares the best of them within a budget of tokens.
    pub(crate) fn search(&self, query: &str, limit: usize, budget_tokens: usize) -> Found {
        let indexed = self.indexed();
        let mut room = budget_tokens.saturating_mul(TOKEN_BYTES);
        let (mut names, mut alone, mut methods) = (Vec::new(), String::new(), String::new());
        let mut fits = true;
        for hit in indexed.index.search(query, limit) {
            let Some(tool) = indexed.tools.get(hit.tool) else { continue };
            let summary = carrel_catalogue::summary(&tool.description, 120);
            names.push((tool.name.to_string(), summary));
            let declaration = Declaration::new(tool, Budget::default());
            let whole = declaration.to_string();
            fits = fits && whole.len() <= room;
            if fits {
                room -= whole.len();
                // Types of two tools may have one name, so what has types stands alone.
                match declaration.types().next() {
                    Some(_) => alone.push_str(&whole),
                    None => methods.push_str(declaration.method()),
                }
            }
        }
        let mut declarations = String::new();
        if !methods.is_empty() {
            declarations = format!("declare const tools: {{\n{methods}}};\n");
        }
        Found { names, declarations: declarations + &alone }
    }

    fn indexed(&self) -> Arc<Indexed> {
        let tools = Arc::clone(&self.tools.borrow());
        let mut indexed = self.indexed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*indexed {
            Some(known) if Arc::ptr_eq(&known.tools, &tools) => Arc::clone(known),
            _ => {
                let index = Index::new(&tools);
                Arc::clone(indexed.insert(Arc::new(Indexed { tools, index })))
            }
        }
    }
}
