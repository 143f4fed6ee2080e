//! Where characters, words and sentences end: `Intl.Segmenter`.

use icu::segmenter::options::{SentenceBreakInvariantOptions, WordBreakInvariantOptions};
use icu::segmenter::{
    GraphemeClusterSegmenter, GraphemeClusterSegmenterBorrowed, SentenceSegmenter, SentenceSegmenterBorrowed,
    WordSegmenter, WordSegmenterBorrowed,
};
use serde::Deserialize;

use super::{Service, unknown};

/// The options, as `resolvedOptions()` calls them. The rules are the same in all languages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    granularity: Granularity,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Granularity {
    Grapheme,
    Word,
    Sentence,
}

pub(super) enum Segmenter {
    Grapheme(GraphemeClusterSegmenterBorrowed<'static>),
    Word(WordSegmenterBorrowed<'static>),
    Sentence(SentenceSegmenterBorrowed<'static>),
}

impl Segmenter {
    pub(super) fn new(spec: &Spec) -> Self {
        match spec.granularity {
            Granularity::Grapheme => Self::Grapheme(GraphemeClusterSegmenter::new()),
            Granularity::Word => {
                Self::Word(WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()))
            }
            Granularity::Sentence => {
                Self::Sentence(SentenceSegmenter::new(SentenceBreakInvariantOptions::default()))
            }
        }
    }

    /// Returns where each segment ends, in bytes, and whether it is like a word.
    fn ends(&self, text: &str) -> Vec<(usize, bool)> {
        match self {
            Self::Grapheme(rules) => rules.segment_str(text).skip(1).map(|end| (end, false)).collect(),
            Self::Sentence(rules) => rules.segment_str(text).skip(1).map(|end| (end, false)).collect(),
            Self::Word(rules) => rules
                .segment_str(text)
                .iter_with_word_type()
                .skip(1)
                .map(|(end, word)| (end, word.is_word_like()))
                .collect(),
        }
    }
}

impl Service for Segmenter {
    /// Answers the length of each segment in UTF-16, negative where it is like a word.
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        if verb != 's' {
            return Err(unknown(verb));
        }
        let mut start = 0;
        let mut lengths = Vec::new();
        for (end, is_word) in self.ends(operand) {
            let units = operand.get(start..end).unwrap_or_default().encode_utf16().count();
            lengths.push(if is_word { format!("-{units}") } else { units.to_string() });
            start = end;
        }
        Ok(lengths.join(" "))
    }
}
