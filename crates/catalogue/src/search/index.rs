//! The index: which word stands in which tool, and what it counts there.

use std::collections::HashMap;

use carrel_contract::ToolDescription;

use super::fields::{self, FIELDS};
use super::query;
use super::{synonyms, words};

/// Tools, ready to be searched. Making it takes about 20 us a tool, a search a small part of a millisecond.
#[derive(Debug)]
pub struct Index {
    /// Sorted, with the tools that have them.
    pub(super) terms: Vec<(Box<str>, Box<[Posting]>)>,
    /// Each tool's name, to sort by; and as words, with and without its server.
    pub(super) names: Vec<Name>,
}

/// One tool that has a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) tool: u32,
    /// How much it counts there: BM25's weighted frequency.
    pub(super) weight: f32,
}

#[derive(Debug)]
pub(super) struct Name {
    pub(super) full: Box<str>,
    pub(super) words: [Vec<String>; 2],
}

/// One tool that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The place of the tool among those that the index was made of.
    pub tool: usize,
    /// How well it answers; comparable within one list alone.
    pub score: f64,
}

/// How often a word stands in each field of one tool.
type Counts = [u16; FIELDS.len()];

impl Index {
    /// Indexes tools. Each text counts up to a length that no honest one has.
    #[must_use]
    pub fn new(tools: &[ToolDescription]) -> Self {
        let mut terms: HashMap<Box<str>, Vec<(u32, Counts)>> = HashMap::new();
        let mut lengths: Vec<[u32; FIELDS.len()]> = Vec::with_capacity(tools.len());
        let mut term = String::new();
        for (tool, description) in (0..).zip(tools) {
            let mut length = [0; FIELDS.len()];
            let mut count = |term: &str, field: usize| {
                let postings = match terms.get_mut(term) {
                    Some(postings) => postings,
                    None => terms.entry(term.into()).or_default(),
                };
                if postings.last().is_none_or(|(last, _)| *last != tool) {
                    postings.push((tool, Counts::default()));
                }
                let counts = postings.last_mut().and_then(|(_, counts)| counts.get_mut(field));
                if let Some(count) = counts {
                    *count = count.saturating_add(1);
                }
            };
            fields::read(description, |field, text, max_bytes| {
                words::split(text, max_bytes, |word| {
                    if let Some(length) = length.get_mut(field) {
                        *length += 1;
                    }
                    term.clear();
                    term.push_str(word);
                    words::stem(&mut term);
                    count(&term, field);
                    synonyms::long_form(word).iter().for_each(|term| count(term, field));
                });
            });
            lengths.push(length);
        }
        let mut terms: Vec<_> = terms.into_iter().collect();
        terms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let discounts = discounts(&lengths);
        let terms = terms.into_iter().map(|(term, postings)| {
            let weigh = |(tool, counts): &(u32, Counts)| Posting {
                tool: *tool,
                weight: weight(counts, discounts.get(*tool as usize)),
            };
            (term, postings.iter().map(weigh).collect())
        });
        Self { terms: terms.collect(), names: tools.iter().map(name).collect() }
    }

    /// Returns up to `limit` tools that have words of the query or their like, best first. No more than 32 words of the
    /// query are looked for; one without words finds nothing.
    #[must_use]
    pub fn search(&self, query: &str, limit: usize) -> Vec<Found> {
        query::search(self, query, limit)
    }

    /// Returns the place of a term; or where it would stand.
    pub(super) fn find(&self, term: &str) -> Result<usize, usize> {
        self.terms.binary_search_by(|(known, _)| (**known).cmp(term))
    }
}

/// Returns by what the counts of each tool's fields are divided: long texts have more words by chance.
#[expect(clippy::cast_precision_loss, reason = "the words of descriptions")]
fn discounts(lengths: &[[u32; FIELDS.len()]]) -> Vec<[f64; FIELDS.len()]> {
    let mut average = [0.0; FIELDS.len()];
    for length in lengths {
        average.iter_mut().zip(length).for_each(|(average, length)| *average += f64::from(*length));
    }
    average.iter_mut().for_each(|average| *average /= lengths.len() as f64);
    let of_tool = |length: &[u32; FIELDS.len()]| {
        let mut discount = [1.0; FIELDS.len()];
        for (((discount, (_, b)), length), average) in
            discount.iter_mut().zip(FIELDS).zip(length).zip(average)
        {
            if average > 0.0 {
                *discount = 1.0 - b + b * f64::from(*length) / average;
            }
        }
        discount
    };
    lengths.iter().map(of_tool).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a rank needs no more")]
fn weight(counts: &Counts, discounts: Option<&[f64; FIELDS.len()]>) -> f32 {
    let discounts = discounts.into_iter().flatten();
    let weights = FIELDS.iter().zip(counts).zip(discounts);
    weights.map(|(((weight, _), count), discount)| weight * f64::from(*count) / discount).sum::<f64>() as f32
}

fn name(tool: &ToolDescription) -> Name {
    let full = tool.name.as_str();
    let (_, bare) = fields::split_name(tool);
    Name { full: full.into(), words: [full, bare].map(|name| words::words(name, 128)) }
}
