//! Words that mean nearly the same where tools are concerned.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::stem;

/// Short forms, which names of tools and questions use alike: each counts as what it is short for, too.
const SHORT_FORMS: &[(&str, &[&str])] = &[
    ("pr", &["pull", "request"]),
    ("mr", &["merge", "request"]),
    ("repo", &["repository"]),
    ("db", &["database"]),
    ("dir", &["directory"]),
    ("docs", &["document"]),
    ("doc", &["document"]),
    ("documentation", &["document"]),
    ("msg", &["message"]),
    ("dm", &["direct", "message"]),
    ("img", &["image"]),
    ("env", &["environment"]),
    ("config", &["configuration"]),
    ("info", &["information"]),
    ("org", &["organization"]),
    ("organisation", &["organization"]),
    ("ns", &["namespace"]),
    ("k8s", &["kubernetes"]),
    ("auth", &["authentication"]),
    ("app", &["application"]),
    ("admin", &["administrator"]),
    ("spec", &["specification"]),
    ("stats", &["statistics"]),
    ("cmd", &["command"]),
    ("todo", &["task"]),
    ("ls", &["list", "directory"]),
    ("mkdir", &["create", "directory"]),
    ("cat", &["read", "file"]),
];

/// Groups of words, each of which may stand for the others.
const GROUPS: &[&[&str]] = &[
    &["create", "add", "make", "new", "insert", "generate"],
    &["create", "open", "file", "raise", "start"],
    &["delete", "remove", "drop", "erase", "destroy", "trash", "discard"],
    &["list", "which", "show", "get", "fetch", "retrieve", "view", "display", "read", "see", "return"],
    &["find", "search", "query", "lookup", "look", "locate"],
    &["update", "edit", "change", "modify", "set", "patch", "adjust", "replace"],
    &["rename", "move"],
    &["send", "post", "publish", "write"],
    &["write", "save", "store", "put", "overwrite"],
    &["message", "chat", "dm", "mail", "email"],
    &["file", "document"],
    &["issue", "ticket", "bug", "story"],
    &["task", "todo", "item"],
    &["folder", "directory"],
    &["repository", "project", "codebase"],
    &["pull", "merge"],
    &["image", "picture", "photo"],
    &["screenshot", "capture", "snapshot"],
    &["user", "member", "person", "people", "who", "profile", "account"],
    &["customer", "client", "buyer"],
    &["team", "group"],
    &["organization", "company", "workspace"],
    &["run", "execute", "invoke", "launch", "perform"],
    &["run", "start", "trigger", "launch"],
    &["stop", "cancel", "halt", "abort", "kill", "terminate", "shutdown"],
    &["close", "finish", "complete", "resolve", "done"],
    &["click", "press", "tap", "push"],
    &["type", "enter", "input", "fill"],
    &["navigate", "visit", "goto", "browse"],
    &["url", "link", "page", "website", "site", "webpage"],
    &["web", "internet", "online"],
    &["scrape", "crawl", "extract"],
    &["direction", "route", "way"],
    &["place", "location", "address", "coordinate", "geocode"],
    &["distance", "far", "travel"],
    &["comment", "reply", "respond", "answer", "note"],
    &["event", "meeting", "appointment"],
    &["record", "row", "entry"],
    &["column", "field", "property", "attribute"],
    &["schema", "structure", "definition", "describe", "field"],
    &["database", "sql"],
    &["log", "output"],
    &["error", "exception", "crash", "failure"],
    &["download", "export"],
    &["upload", "attach", "import"],
    &["copy", "duplicate", "clone", "fork"],
    &["difference", "diff", "compare", "change"],
    &["history", "log", "past"],
    &["price", "cost"],
    &["payment", "charge", "pay"],
    &["bill", "invoice"],
    &["refund", "money"],
    &["subscription", "plan"],
    &["product", "catalog"],
    &["label", "tag"],
    &["version", "release", "tag"],
    &["sprint", "iteration", "cycle"],
    &["board", "kanban"],
    &["count", "number", "many"],
    &["remember", "memory", "knowledge"],
    &["forget", "delete"],
    &["entity", "node"],
    &["relation", "edge", "relationship"],
    &["wait", "sleep", "delay"],
    &["hover", "mouse"],
    &["key", "keyboard", "shortcut"],
    &["tab", "window"],
    &["size", "resize"],
    &["deploy", "release", "rollout"],
    &["scale", "replica"],
    &["metric", "usage", "statistics"],
    &["permission", "access", "allow", "role"],
    &["performance", "slow", "fast", "speed"],
    &["elevation", "height", "altitude", "high"],
    &["recent", "latest", "newest", "last"],
    &["large", "big"],
    &["now", "current", "today"],
    &["think", "reason", "reasoning", "step"],
    &["sum", "total", "aggregate"],
    &["emoji", "reaction"],
    &["channel", "room", "conversation"],
    &["branch", "ref"],
    &["workflow", "pipeline", "ci", "action"],
    &["job", "build"],
    &["review", "approve"],
    &["summary", "overview", "summarize"],
    &["explain", "describe"],
    &["validate", "check", "verify"],
    &["translate", "convert"],
];

/// Words that say nothing of what a tool does.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for", "from",
    "had", "has", "have", "how", "i", "if", "im", "in", "into", "is", "it", "its", "let", "me", "my", "need",
    "of", "on", "or", "our", "please", "so", "some", "that", "the", "their", "them", "there", "these",
    "this", "those", "to", "tool", "use", "using", "via", "want", "was", "we", "what", "when", "where",
    "will", "with", "would", "you", "your",
];

struct Tables {
    short_forms: HashMap<&'static str, Vec<String>>,
    synonyms: HashMap<String, Vec<String>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let stemmed = |word: &&str| {
        let mut word = (*word).to_owned();
        stem(&mut word);
        word
    };
    let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
    for group in GROUPS {
        let group: Vec<String> = group.iter().map(stemmed).collect();
        for word in &group {
            let known = synonyms.entry(word.clone()).or_default();
            for other in &group {
                if other != word && !known.contains(other) {
                    known.push(other.clone());
                }
            }
        }
    }
    let short_forms =
        SHORT_FORMS.iter().map(|(short, long)| (*short, long.iter().map(stemmed).collect())).collect();
    Tables { short_forms, synonyms }
});

/// Returns the stems of what a word, in its plural too, is short for.
pub(super) fn long_form(word: &str) -> &'static [String] {
    let forms = &TABLES.short_forms;
    let found = forms.get(word).or_else(|| word.strip_suffix('s').and_then(|word| forms.get(word)));
    found.map_or(&[], Vec::as_slice)
}

/// Returns the stems that may stand for a stem.
pub(super) fn of(stem: &str) -> &'static [String] {
    TABLES.synonyms.get(stem).map_or(&[], Vec::as_slice)
}

/// Tells whether a word says nothing.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn plurals_of_short_forms_are_short_forms() {
        assert_eq!(long_form("prs"), ["pull", "request"]);
        assert_eq!(long_form("repo"), ["repositori"]);
        assert!(long_form("p").is_empty() && long_form("").is_empty());
    }
}
