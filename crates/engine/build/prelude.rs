//! The prelude as C: its files, in the order in which the image evaluates them.

use std::path::Path;

use crate::Outcome;
use crate::guest::read;

/// A file finds in `kit` what those before it left there.
const FILES: &[&str] = &[
    "kit",
    "errors",
    "web/idl",
    "web/inspect",
    "web/console",
    "web/performance",
    "output",
    "media",
    "stored",
    "control",
    "timers",
    "tools",
    "intl/options",
    "intl/number",
    "intl/date",
    "intl/words",
    "intl/strings",
    "intl/lists",
    "intl/intl",
    "web/bytes",
    "web/encoding",
    "web/search_params",
    "web/url",
    "web/crypto",
    "web/clone",
    "web/events",
    "web/abort",
    "web/base64",
    "codex/kit",
    "codex/errors",
    "codex/output",
    "codex/media",
    "codex/stored",
    "codex/control",
    "codex/tools",
    "codex/settled",
];

/// Writes the files of `folder` as the array that `guest.h` declares.
pub(crate) fn as_c(folder: &Path) -> Outcome<String> {
    let mut sources = String::new();
    let mut entries = String::new();
    for (index, name) in FILES.iter().enumerate() {
        let source = read(&folder.join(name).with_extension("js"))?;
        let bytes: Vec<_> = source.iter().map(u8::to_string).collect();
        sources += &format!("static const char source{index}[] = {{{},0}};\n", bytes.join(","));
        entries += &format!("    {{ \"carrel:prelude/{name}.js\", source{index}, {} }},\n", source.len());
    }
    Ok(format!(
        "#include \"guest.h\"\n{sources}const struct prelude_file prelude_files[] = {{\n{entries}}};\n\
         const int prelude_files_len = {};\n",
        FILES.len()
    ))
}
