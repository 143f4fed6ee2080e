//! What a check puts before the compiler: the cell, what it stands on, and by which rules it is judged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use carrel_catalogue::declaration::{Budget, Declaration, GLOBALS, declare_all};
use carrel_contract::{CheckRequest, ToolDescription};
use carrel_typescript::Place;
use serde_json::{Value, json};

use crate::scope::{self, Outline};

/// Sets of tools whose declarations are kept.
const KEPT_TOOL_SETS: usize = 16;

/// The files of one check.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its configuration, which is also how the compiler calls it.
    pub(crate) config: String,
    /// The cell.
    pub(crate) cell: String,
    pub(crate) files: Vec<(String, Arc<str>)>,
    /// Where the modules are named that it imports.
    pub(crate) imports: Vec<Place>,
}

impl Project {
    /// Returns how many bytes the compiler is to read, its libraries and the tools aside.
    pub(crate) fn bytes(&self) -> usize {
        self.files.iter().filter(|(path, _)| path.starts_with(CHECKS)).map(|(_, text)| text.len()).sum()
    }
}

/// Makes projects. No two have a file of one name and another text.
#[derive(Debug, Default)]
pub(crate) struct Projects {
    made: AtomicU64,
    tools: Mutex<Vec<DeclaredTools>>,
}

#[derive(Debug)]
struct DeclaredTools {
    tools: Weak<[ToolDescription]>,
    path: String,
    text: Arc<str>,
}

const CHECKS: &str = "/carrel/checks/";
const GLOBALS_PATH: &str = "/carrel/globals.d.ts";

impl Projects {
    /// Makes the project of a cell; `None` when the cell does not parse.
    pub(crate) fn make(&self, request: &CheckRequest) -> Option<Project> {
        let outline = Outline::read(&request.source)?;
        let folder = format!("{CHECKS}{}/", self.made.fetch_add(1, Ordering::Relaxed));
        let (tools_path, tools) = self.declare(&request.tools);
        let modules = scope::modules(&request.source, &outline, &request.earlier);
        let mut files: Vec<(String, Arc<str>)> = modules
            .into_iter()
            .map(|module| (format!("{folder}{}", module.name), module.text.into()))
            .collect();
        let cell = files.first().map(|(path, _)| path.clone())?;
        let config = format!("{folder}tsconfig.json");
        let roots = [&cell, GLOBALS_PATH, &tools_path];
        let text = json!({ "compilerOptions": options(outline.typescript), "files": roots }).to_string();
        files.push((config.clone(), text.into()));
        files.push((GLOBALS_PATH.to_owned(), GLOBALS.into()));
        files.push((tools_path, tools));
        Some(Project { config, cell, files, imports: outline.imports })
    }

    /// Declares tools, once for each set of them.
    fn declare(&self, tools: &Arc<[ToolDescription]>) -> (String, Arc<str>) {
        let known = |kept: &[DeclaredTools]| {
            let found = kept.iter().find(|kept| kept.tools.ptr_eq(&Arc::downgrade(tools)));
            found.map(|found| (found.path.clone(), Arc::clone(&found.text)))
        };
        let lock = || self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known(&lock()) {
            return known;
        }
        let declarations: Vec<_> =
            tools.iter().map(|tool| Declaration::new(tool, Budget::default())).collect();
        let text: Arc<str> = declare_all(&declarations).into();
        let path = format!("/carrel/tools{}.d.ts", self.made.fetch_add(1, Ordering::Relaxed));
        let mut kept = lock();
        // While a weak reference is kept, its address is of nothing else.
        kept.retain(|kept| kept.tools.strong_count() > 0);
        if kept.len() >= KEPT_TOOL_SETS {
            kept.remove(0);
        }
        kept.push(DeclaredTools {
            tools: Arc::downgrade(tools),
            path: path.clone(),
            text: Arc::clone(&text),
        });
        (path, text)
    }
}

/// By which rules a cell is judged. One in JavaScript has no way to say what a variable may hold, so it is judged as
/// TypeScript judges JavaScript: what has no type is `any`, and so is an empty array; null fits everywhere. One in
/// TypeScript is judged strictly; complaints of an implicit `any` are not reported ([`crate::report`]), but the stricter
/// inference that comes with them is wanted.
fn options(typescript: bool) -> Value {
    json!({
        "target": "esnext",
        // The language as the engine has it, or more, never less: no `Temporal`, no DOM.
        "lib": [
            "es2025", "esnext.array", "esnext.collection", "esnext.decorators", "esnext.disposable", "esnext.error",
            "esnext.typedarrays",
        ],
        "types": [],
        "module": "esnext",
        "moduleResolution": "bundler",
        "moduleDetection": "force",
        "noEmit": true,
        "skipLibCheck": true,
        "allowJs": true,
        "checkJs": true,
        "strict": typescript,
        "useUnknownInCatchVariables": false,
    })
}
