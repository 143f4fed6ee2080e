//! Where entries come from: a person at a terminal, with a line editor, or a pipe.

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader, Stdin};

use reedline::{
    ColumnarMenu, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode,
    PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, ValidationResult, Validator,
    default_emacs_keybindings,
};

use super::entry::is_incomplete;
use super::names::Names;
use crate::data;

/// The name of the menu of completions.
const MENU: &str = "completions";
/// Entries that are kept.
const ENTRIES: usize = 2_000;
/// What an entry from a pipe may have: more than any cell.
const MAX_BYTES: usize = 4 << 20;

/// Where entries come from.
pub(crate) enum Input {
    /// A person.
    Terminal(Box<Reedline>),
    /// A pipe or a file.
    Pipe(BufReader<Stdin>),
}

/// What came.
pub(crate) enum Came {
    /// A complete entry.
    Entry(String),
    /// Nothing: the person took it back.
    Nothing,
    /// There is no more.
    End,
}

impl Input {
    /// Makes a line editor that completes `names`, with the entries of earlier days where they can be kept.
    pub(crate) fn terminal(names: Names, colour: bool) -> Self {
        let mut keys = default_emacs_keybindings();
        let next =
            ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, next);
        let menu = ColumnarMenu::default().with_name(MENU).with_columns(1);
        let mut editor = Reedline::create()
            .with_completer(Box::new(names))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_validator(Box::new(Lines))
            .with_ansi_colors(colour);
        let file = data::folder().ok().map(|folder| folder.join("history.txt"));
        let kept = file.and_then(|file| FileBackedHistory::with_file(ENTRIES, file).ok());
        if let Some(history) = kept {
            editor = editor.with_history(Box::new(history));
        }
        Self::Terminal(Box::new(editor))
    }

    /// Reads from standard input as it is.
    pub(crate) fn pipe() -> Self {
        Self::Pipe(BufReader::new(io::stdin()))
    }

    /// Waits for an entry. Blocks.
    pub(crate) fn read(&mut self) -> io::Result<Came> {
        match self {
            Self::Terminal(editor) => Ok(match editor.read_line(&Sign)? {
                Signal::Success(text) => Came::Entry(text),
                Signal::CtrlD => Came::End,
                _ => Came::Nothing,
            }),
            Self::Pipe(stdin) => {
                let mut text = String::new();
                loop {
                    let ended = stdin.read_line(&mut text)? == 0;
                    if ended && text.trim().is_empty() {
                        return Ok(Came::End);
                    }
                    if ended || text.len() > MAX_BYTES || !is_incomplete(&text) {
                        return Ok(Came::Entry(text));
                    }
                }
            }
        }
    }
}

/// Decides whether Enter ends an entry.
struct Lines;

impl Validator for Lines {
    fn validate(&self, line: &str) -> ValidationResult {
        if is_incomplete(line) { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}

/// What stands before an entry.
struct Sign;

impl Prompt for Sign {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("… ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}
