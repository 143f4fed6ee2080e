//! What the guest's `Intl` asks: text by the rules and names of a language, from the tables of CLDR that ICU4X carries.
//!
//! The prelude resolves options as ECMA-402 says and sends what it resolved as JSON, always the same JSON for the same
//! options; the service made of it is kept for the next question. The reply depends on the two strings alone: what is
//! kept only saves time.
//!
//! Read in this order: `locale` what a locale is called and where its data comes from; `parts` text in pieces that
//! know what they are; `digits` rounding; `number` numbers with what stands around them; `date` dates; the rest stand alone.

mod collator;
mod currency;
mod date;
mod digits;
mod list;
mod locale;
mod number;
mod parts;
mod pattern;
mod plural;
mod relative;
mod segmenter;
mod unit;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde::Deserialize;

/// Services that a thread keeps. A cell rarely makes more than a few.
const KEPT: usize = 64;

/// The longest question, in bytes; it bounds the time that an answer takes.
const LONGEST: usize = 64 * 1024;

/// What is asked of, with its options.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Spec {
    Locale {},
    Number(number::Spec),
    DateTime(date::Spec),
    Collator(collator::Spec),
    Plural(plural::Spec),
    List(list::Spec),
    Relative(relative::Spec),
    Segmenter(segmenter::Spec),
}

/// A service of `Intl` with its options resolved.
trait Service {
    /// Answers a question, which is a letter that says what is asked and what it is asked of.
    fn reply(&self, verb: char, operand: &str) -> Result<String, String>;
}

impl Spec {
    fn service(self) -> Result<Rc<dyn Service>, String> {
        Ok(match self {
            Self::Locale {} => Rc::new(locale::Locales),
            Self::Number(spec) => Rc::new(number::Formatter::new(spec)?),
            Self::DateTime(spec) => Rc::new(date::Formatter::new(&spec)?),
            Self::Collator(spec) => Rc::new(collator::Collator::new(&spec)?),
            Self::Plural(spec) => Rc::new(plural::Rules::new(spec)?),
            Self::List(spec) => Rc::new(list::Formatter::new(&spec)?),
            Self::Relative(spec) => Rc::new(relative::Formatter::new(&spec)?),
            Self::Segmenter(spec) => Rc::new(segmenter::Segmenter::new(&spec)),
        })
    }
}

thread_local! {
    static SERVICES: RefCell<HashMap<String, Rc<dyn Service>>> = RefCell::default();
}

/// Answers a question to the service of `spec`.
pub(super) fn answer(spec: &str, question: &str) -> Result<String, String> {
    if spec.len() + question.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes, which is the most that Intl takes at a time"));
    }
    let mut letters = question.chars();
    let verb = letters.next().unwrap_or_default();
    service(spec)?.reply(verb, letters.as_str())
}

fn service(spec: &str) -> Result<Rc<dyn Service>, String> {
    if let Some(kept) = SERVICES.with_borrow(|services| services.get(spec).cloned()) {
        return Ok(kept);
    }
    let parsed: Spec = serde_json::from_str(spec).map_err(|e| format!("unknown options: {e}"))?;
    let made = parsed.service()?;
    SERVICES.with_borrow_mut(|services| {
        if services.len() >= KEPT {
            services.clear();
        }
        services.insert(spec.to_owned(), Rc::clone(&made));
    });
    Ok(made)
}

/// Says that a verb is none: the prelude asked for what there is not.
fn unknown(verb: char) -> String {
    format!("there is no question {verb:?}")
}
