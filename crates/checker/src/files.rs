//! What the compiler sees of the world: the files of the checks under way, and the language's own libraries.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The questions about files that the compiler puts to us instead of the operating system. These are all it has.
pub(crate) const QUESTIONS: &str = "readFile,fileExists,directoryExists,getAccessibleEntries,realpath";

/// The files of a compiler's world.
#[derive(Debug)]
pub(crate) struct Files {
    /// The folder of the language's libraries, which the compiler reads by itself.
    libraries: String,
    texts: Mutex<HashMap<String, Shared>>,
}

/// A file, and how many checks have it: the declarations of tools are of many.
#[derive(Debug)]
struct Shared {
    text: Arc<str>,
    users: usize,
}

impl Files {
    pub(crate) fn new(libraries: &Path) -> Self {
        // The compiler writes every path with slashes.
        let libraries = libraries.to_string_lossy().replace('\\', "/");
        Self { libraries, texts: Mutex::default() }
    }

    /// Puts files there, for as long as what is returned lives.
    pub(crate) fn put<'a>(&'a self, files: &'a [(String, Arc<str>)]) -> Put<'a> {
        let mut texts = self.lock();
        for (path, text) in files {
            let shared =
                texts.entry(path.clone()).or_insert_with(|| Shared { text: Arc::clone(text), users: 0 });
            shared.users += 1;
        }
        Put { to: self, files }
    }

    /// Answers a question; `None` when it is none. The answer `null` tells the compiler to ask the operating system.
    pub(crate) fn answer(&self, question: &str, path: &str) -> Option<Value> {
        let is_library = self.is_library(path);
        Some(match question {
            "readFile" | "fileExists" if is_library => Value::Null,
            "readFile" => json!({ "content": self.text(path).as_deref() }),
            "fileExists" => json!(self.text(path).is_some()),
            "directoryExists" => json!(self.has_within(path)),
            "getAccessibleEntries" => json!({ "files": [], "directories": [] }),
            "realpath" => json!(path),
            _ => return None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Shared>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        self.lock().get(path).map(|file| Arc::clone(&file.text))
    }

    fn has_within(&self, folder: &str) -> bool {
        let folder = folder.trim_end_matches('/');
        self.lock().keys().any(|path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Tells a library of the language: `lib.NAME.d.ts` in their folder.
    fn is_library(&self, path: &str) -> bool {
        let name = path.strip_prefix(&self.libraries).and_then(|rest| rest.strip_prefix('/'));
        name.and_then(|name| name.strip_prefix("lib."))
            .and_then(|name| name.strip_suffix("d.ts"))
            .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
    }
}

/// Files that are there. Dropping it takes them away again.
#[derive(Debug)]
pub(crate) struct Put<'a> {
    to: &'a Files,
    files: &'a [(String, Arc<str>)],
}

impl Drop for Put<'_> {
    fn drop(&mut self) {
        let mut texts = self.to.lock();
        for (path, _) in self.files {
            if let Some(file) = texts.get_mut(path) {
                file.users -= 1;
                if file.users == 0 {
                    texts.remove(path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen_but_what_was_put_there_and_the_libraries() {
        let files = Files::new(Path::new("/opt/ts/lib"));
        let cell = [("/a/cell.ts".to_owned(), Arc::from("1"))];
        let (put, again) = (files.put(&cell), files.put(&cell));
        let read = |path: &str| files.answer("readFile", path).unwrap();
        assert_eq!(read("/a/cell.ts"), json!({ "content": "1" }));
        assert_eq!(read("/opt/ts/lib/lib.es2025.d.ts"), Value::Null);
        for hidden in
            ["/etc/passwd", "/opt/ts/lib/tsc", "/opt/ts/lib/lib./../../x.d.ts", "/opt/ts/package.json"]
        {
            assert_eq!(read(hidden), json!({ "content": null }), "{hidden}");
            assert_eq!(files.answer("fileExists", hidden).unwrap(), json!(false), "{hidden}");
        }
        assert_eq!(files.answer("directoryExists", "/a").unwrap(), json!(true));
        assert_eq!(files.answer("directoryExists", "/etc").unwrap(), json!(false));
        drop(again);
        assert_eq!(read("/a/cell.ts"), json!({ "content": "1" }));
        drop(put);
        assert_eq!(read("/a/cell.ts"), json!({ "content": null }));
        assert_eq!(files.answer("format c:", "/"), None);
    }
}
