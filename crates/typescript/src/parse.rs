//! From a source to what it is made of: which language it is, and on which stack to find out.

use std::borrow::Cow;
use std::panic::catch_unwind;

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_diagnostics::{LabeledSpan, OxcDiagnostic};
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;

use crate::edits::Edited;
use crate::nesting::{Nesting, bound};
use crate::{Cause, Prepared, Problem, blank, shape, survey};

/// The most levels that are parsed. A source of 100 KB that a person would write has some hundreds.
const MAX_LEVELS: u32 = 32 * 1024;
/// The most guesses within each other that TypeScript is parsed with: nested that deep, 256 KiB of them take the parser
/// about a second.
const MAX_GUESSES: u32 = 128;
/// The stack that a level needs at most, and what a flat source needs. Measured (`tests/hostile.rs` holds them): 1.6 KB
/// a level with optimisation, 9.4 KB without. Pages of a stack that are not touched cost nothing.
const LEVEL_BYTES: usize = if cfg!(debug_assertions) { 20 * 1024 } else { 4 * 1024 };
const FLAT_BYTES: usize = if cfg!(debug_assertions) { 256 * 1024 } else { 96 * 1024 };

pub(crate) fn prepare(source: &str) -> Result<Prepared<'_>, Problem> {
    let nesting = bound(source);
    if nesting.levels > MAX_LEVELS {
        return Err(Problem::too_deep());
    }
    let stack = FLAT_BYTES + nesting.levels as usize * LEVEL_BYTES;
    // The parser asserts what it believes of itself, and fuzzing found it wrong about that.
    catch_unwind(|| stacker::maybe_grow(stack, stack + FLAT_BYTES, || read(source, nesting)))
        .unwrap_or_else(|_| Err(Problem::fault()))
}

fn read(source: &str, nesting: Nesting) -> Result<Prepared<'_>, Problem> {
    let allocator = Allocator::default();
    let javascript = parse(&allocator, source, SourceType::mjs());
    let error = first_error(source, &javascript);
    let may_be_typescript = match &error {
        None => survey::names_types(&javascript.program),
        Some(_) => true,
    };
    if !may_be_typescript {
        return Ok(prepared(source, &javascript.program, Cow::Borrowed(source), false));
    }
    if nesting.guesses > MAX_GUESSES {
        return match error {
            None => Ok(prepared(source, &javascript.program, Cow::Borrowed(source), false)),
            Some(_) => Err(Problem::too_deep()),
        };
    }
    let typescript = parse(&allocator, source, SourceType::ts());
    match (error, first_error(source, &typescript)) {
        (_, None) => typescript_of(source, &typescript.program),
        (None, Some(_)) => Ok(prepared(source, &javascript.program, Cow::Borrowed(source), false)),
        // Whichever language it is, the parser of the right one gets further.
        (Some(first), Some(second)) => Err(if second.place > first.place { second } else { first }),
    }
}

fn typescript_of<'s>(source: &'s str, program: &Program<'_>) -> Result<Prepared<'s>, Problem> {
    let Some(Edited { code, made }) = blank::blank(source, program)? else {
        return Ok(prepared(source, program, Cow::Borrowed(source), false));
    };
    {
        let allocator = Allocator::default();
        let javascript = parse(&allocator, &code, SourceType::mjs());
        if let Some(offset) = shape::difference(program, &javascript, &made) {
            return Err(Problem::unsupported(
                source,
                offset,
                "without its types this would mean something else",
                "put parentheses around the expression that has the type, as in `(a as T)`",
            ));
        }
    }
    Ok(prepared(source, program, Cow::Owned(code), true))
}

fn prepared<'s>(
    source: &'s str,
    program: &Program<'_>,
    code: Cow<'s, str>,
    was_typescript: bool,
) -> Prepared<'s> {
    let (imports, declarations) = survey::survey(source, program);
    Prepared { code, was_typescript, imports, declarations }
}

fn parse<'a>(allocator: &'a Allocator, source: &'a str, language: SourceType) -> ParserReturn<'a> {
    let options = ParseOptions { enable_ident_hashes: false, ..ParseOptions::default() };
    Parser::new(allocator, source, language).with_options(options).parse()
}

fn first_error(source: &str, parsed: &ParserReturn<'_>) -> Option<Problem> {
    let offset =
        |error: &OxcDiagnostic| error.labels.first().map_or(source.len() as u32, LabeledSpan::offset);
    let first = parsed.diagnostics.errors().min_by_key(|error| offset(error))?;
    let help = first.help.as_ref().map(ToString::to_string);
    Some(Problem::at(source, offset(first), Cause::Syntax, first.message.to_string(), help))
}
