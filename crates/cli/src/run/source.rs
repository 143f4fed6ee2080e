//! Where the cell comes from: a file, the command line or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::args::RunArgs;
use crate::units::show_bytes;

/// A cell's source and what to call it.
#[derive(Debug)]
pub(crate) struct Source {
    /// What reports call it: the file's name, `-e` or `stdin`.
    pub(crate) name: String,
    /// The cell.
    pub(crate) text: String,
    /// The folder of the file it came from.
    pub(crate) folder: Option<PathBuf>,
}

/// Why there is no cell to run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The file, or standard input, cannot be read.
    #[error("read {name}: {error}")]
    Read {
        /// What was read.
        name: String,
        /// Why it failed.
        error: io::Error,
    },
    /// It is no text.
    #[error(
        "read {name}: it is not UTF-8, first at line {line}, byte {byte} of that line; a cell is text in UTF-8"
    )]
    NotUtf8 {
        /// What was read.
        name: String,
        /// The line of the first fault, from 1.
        line: usize,
        /// The byte of the first fault in its line, from 1.
        byte: usize,
    },
    /// It is larger than a cell may be.
    #[error("read {name}: it is larger than the {} a cell may have", show_bytes(*.limit))]
    TooLarge {
        /// What was read.
        name: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl Source {
    /// Reads the cell that the arguments name, of `limit` bytes at most. Blocks on standard input.
    pub(crate) fn read(args: &RunArgs, limit: usize) -> Result<Self, SourceError> {
        if let Some(code) = &args.eval {
            return Ok(Self { name: "-e".into(), text: code.clone(), folder: None });
        }
        let path = args.file.as_deref().unwrap_or(Path::new("-"));
        if path == Path::new("-") {
            let text = read_text("stdin", io::stdin().lock(), limit)?;
            return Ok(Self { name: "stdin".into(), text, folder: None });
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| SourceError::Read { name: name.clone(), error })?;
        let text = read_text(&name, file, limit)?;
        // A bare file name has the empty path for its parent, which joins as the current directory does.
        Ok(Self { name, text, folder: path.parent().map(Path::to_owned) })
    }
}

fn read_text(name: &str, from: impl Read, limit: usize) -> Result<String, SourceError> {
    let name = || name.to_owned();
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| SourceError::Read { name: name(), error })?;
    if bytes.len() > limit {
        return Err(SourceError::TooLarge { name: name(), limit });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line_start = good.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        SourceError::NotUtf8 {
            name: name(),
            line: good.iter().filter(|b| **b == b'\n').count() + 1,
            byte: good.len() - line_start + 1,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_it_is_no_text() {
        let error = read_text("f", &b"ab\nc\xffd"[..], 100).unwrap_err();
        assert!(matches!(error, SourceError::NotUtf8 { line: 2, byte: 2, .. }), "{error}");
        let error = read_text("f", &b"\xff"[..], 100).unwrap_err();
        assert!(matches!(error, SourceError::NotUtf8 { line: 1, byte: 1, .. }), "{error}");
    }

    #[test]
    fn reads_no_more_than_a_cell_may_have() {
        assert_eq!(read_text("f", io::repeat(b' ').take(100), 100).unwrap().len(), 100);
        let error = read_text("f", io::repeat(b' '), 100).unwrap_err();
        assert_eq!(error.to_string(), "read f: it is larger than the 100 B a cell may have");
    }
}
