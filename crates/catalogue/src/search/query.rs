//! A query: its words, what each of them finds, and what that comes to.

use super::index::{Found, Index};
use super::near::is_near;
use super::{synonyms, words};

/// What is read of a query, in bytes, and how many words of it are looked for.
const MAX_QUERY_BYTES: usize = 4096;
const MAX_WORDS: usize = 32;
/// How many words that begin like one of the query are looked at, and how many words of the query may be misspelt.
const MAX_LONGER: usize = 32;
const MAX_MISSPELT: usize = 8;

/// What a word counts that is not the query's own, but means nearly the same, begins with it, or differs in a letter.
const SYNONYM: f64 = 0.55;
const LONGER: f64 = 0.5;
const MISSPELT: f64 = 0.6;

/// BM25's `k1`: how soon more of the same word counts no more.
const K1: f64 = 1.5;
/// How much of the score hangs on how many of the query's words a tool has.
const COVERAGE: f64 = 0.5;
/// What is added where the query is a tool's name, with its server or without.
const SAME_NAME: [f64; 2] = [2000.0, 1000.0];

pub(super) fn search(index: &Index, query: &str, limit: usize) -> Vec<Found> {
    let words = words::words(query, MAX_QUERY_BYTES);
    let mut scores = Scores::new(index.names.len());
    for weighed in terms_of(index, &words) {
        scores.add(index, &weighed);
    }
    let mut found: Vec<Found> = scores.found();
    for (tool, name) in index.names.iter().enumerate() {
        let same = name.words.iter().zip(SAME_NAME).find(|(name, _)| !name.is_empty() && **name == words);
        if let Some((_, more)) = same {
            match found.iter_mut().find(|found| found.tool == tool) {
                Some(found) => found.score += more,
                None => found.push(Found { tool, score: more }),
            }
        }
    }
    let name = |found: &Found| index.names.get(found.tool).map(|name| &name.full);
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| name(a).cmp(&name(b))));
    found.truncate(limit);
    found
}

/// The terms that one word of a query finds, with what each counts.
type Weighed = Vec<(usize, f64)>;

/// Looks up the words of a query.
fn terms_of(index: &Index, words: &[String]) -> Vec<Weighed> {
    let says_something = |word: &&String| !synonyms::is_stop_word(word);
    let mut asked: Vec<&String> = words.iter().filter(says_something).collect();
    if asked.is_empty() {
        asked = words.iter().collect();
    }
    let mut stems: Vec<String> = Vec::new();
    for word in asked {
        let long = synonyms::long_form(word);
        let own = if long.is_empty() {
            let mut own = word.clone();
            words::stem(&mut own);
            vec![own]
        } else {
            long.to_vec()
        };
        for stem in own {
            if !stems.contains(&stem) && stems.len() < MAX_WORDS {
                stems.push(stem);
            }
        }
    }
    let mut misspelt = 0;
    stems.iter().map(|stem| weigh(index, stem, &mut misspelt)).filter(|terms| !terms.is_empty()).collect()
}

fn weigh(index: &Index, stem: &str, misspelt: &mut usize) -> Weighed {
    let mut terms = Weighed::new();
    let at = index.find(stem);
    if let Ok(term) = at {
        terms.push((term, 1.0));
    }
    if stem.len() > 2 {
        let from = at.map_or_else(|at| at, |at| at + 1);
        let longer = index.terms.iter().enumerate().skip(from).take(MAX_LONGER);
        let longer = longer.take_while(|(_, (term, _))| term.starts_with(stem));
        #[expect(clippy::cast_precision_loss, reason = "lengths of words")]
        terms.extend(
            longer.map(|(at, (term, _))| (at, LONGER * (stem.len() as f64 / term.len() as f64).sqrt())),
        );
    }
    if terms.is_empty() && stem.len() > 3 && *misspelt < MAX_MISSPELT {
        *misspelt += 1;
        let near = index.terms.iter().enumerate().filter(|(_, (term, _))| is_near(term, stem));
        terms.extend(near.map(|(at, _)| (at, MISSPELT)));
    }
    for synonym in synonyms::of(stem) {
        if let Ok(term) = index.find(synonym) {
            terms.push((term, SYNONYM));
        }
    }
    terms
}

/// What each tool has come to.
struct Scores {
    sums: Vec<f64>,
    /// How much of the query each tool has, by the weight of its words.
    covered: Vec<f64>,
    asked: f64,
    /// For one word of the query: the best that each tool has, as score and as share of the word.
    best: Vec<(f64, f64)>,
}

impl Scores {
    fn new(tools: usize) -> Self {
        Self { sums: vec![0.0; tools], covered: vec![0.0; tools], asked: 0.0, best: vec![(0.0, 0.0); tools] }
    }

    /// Adds what one word of the query gives each tool: the best of its terms, not their sum.
    #[expect(clippy::cast_precision_loss, reason = "numbers of tools")]
    fn add(&mut self, index: &Index, terms: &Weighed) {
        let tools = self.sums.len() as f64;
        let rarity = |postings: usize| (1.0 + (tools - postings as f64 + 0.5) / (postings as f64 + 0.5)).ln();
        let terms = terms.iter().filter_map(|(at, share)| Some((&index.terms.get(*at)?.1, *share)));
        // A rare synonym of a common word is no rarer than that.
        let mut most = f64::INFINITY;
        for (postings, share) in terms {
            let rarity = rarity(postings.len()).min(most);
            if most.is_infinite() {
                most = rarity;
            }
            for posting in postings {
                let weight = f64::from(posting.weight);
                let score = share * rarity * weight * (K1 + 1.0) / (weight + K1);
                if let Some(best) = self.best.get_mut(posting.tool as usize).filter(|best| best.0 < score) {
                    *best = (score, share);
                }
            }
        }
        self.asked += most;
        for ((sum, covered), best) in self.sums.iter_mut().zip(&mut self.covered).zip(&mut self.best) {
            *sum += best.0;
            *covered += best.1 * most;
            *best = (0.0, 0.0);
        }
    }

    fn found(&self) -> Vec<Found> {
        let scores = self.sums.iter().zip(&self.covered).enumerate().filter(|(_, (sum, _))| **sum > 0.0);
        let found = scores.map(|(tool, (sum, covered))| {
            let score = sum * (1.0 - COVERAGE + COVERAGE * covered / self.asked);
            Found { tool, score }
        });
        found.collect()
    }
}
