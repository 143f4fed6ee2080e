//! Enums, rewritten in place: an object that is filled by a function, on the lines of the declaration.
//!
//! What TypeScript computes when it compiles is computed when the cell runs, and comes out the same. `const enum` is an
//! enum like any other, as where files are compiled one by one.

use oxc_ast::ast::{
    BinaryOperator, Expression, IdentifierReference, TSEnumDeclaration, TSEnumMember, TSEnumMemberName,
    UnaryOperator,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use crate::blank::Blanker;
use crate::edits::line_breaks;
use crate::text::skip_trivia;

/// The enums in sight, in blocks within each other.
#[derive(Debug, Default)]
pub(crate) struct Enums<'s> {
    blocks: Vec<Vec<Enum<'s>>>,
    /// The enum whose initializers are being visited.
    current: Option<Enum<'s>>,
}

#[derive(Clone, Debug, Default)]
struct Enum<'s> {
    name: &'s str,
    members: Vec<(String, Kind)>,
}

/// What a member's value is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A number that is known.
    Known(f64),
    /// A number, or what is taken for one.
    Number,
    /// A string, which has no way back to its member.
    String,
}

impl<'s> Enums<'s> {
    pub(crate) fn enter_block(&mut self) {
        self.blocks.push(Vec::new());
    }

    pub(crate) fn leave_block(&mut self) {
        self.blocks.pop();
    }

    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.current.as_ref().is_some_and(|current| current.kind(name).is_some())
    }

    /// Returns the enum of a name that this block declared before.
    fn earlier(&self, name: &str) -> Option<&Enum<'s>> {
        self.blocks.last()?.iter().rfind(|known| known.name == name)
    }

    fn find(&self, name: &str) -> Option<&Enum<'s>> {
        let current = self.current.as_ref().filter(|current| current.name == name);
        current.or_else(|| {
            self.blocks.iter().rev().flat_map(|block| block.iter().rev()).find(|it| it.name == name)
        })
    }
}

impl Enum<'_> {
    fn kind(&self, member: &str) -> Option<Kind> {
        self.members.iter().rfind(|(name, _)| name == member).map(|(_, kind)| *kind)
    }
}

impl<'s> Blanker<'s> {
    /// Writes an enum as JavaScript. `export` is where the word stands, if it does.
    pub(crate) fn rewrite_enum(&mut self, it: &TSEnumDeclaration<'_>, export: Option<u32>) {
        let name = self.text(it.id.span);
        let start = export.unwrap_or(it.span.start);
        let earlier = self.enums.earlier(name).cloned();
        let head = match (&earlier, export) {
            // The second declaration of an enum adds to the first.
            (Some(_), _) => format!(";(({name})=>{{"),
            (None, Some(_)) => format!("export const {name}=(({name})=>{{"),
            (None, None) => format!("const {name}=(({name})=>{{"),
        };
        let again = earlier.is_some();
        self.enums.current = Some(Enum { name, members: earlier.map(|it| it.members).unwrap_or_default() });
        let open = it.body.span.start + 1;
        self.replace(start, open, head);
        let mut before = None;
        for member in &it.body.members {
            before = self.rewrite_member(name, member, before);
            let comma = skip_trivia(self.source, member.span.end);
            if self.source.as_bytes().get(comma as usize) == Some(&b',') {
                self.edits.blank(comma, comma + 1);
            }
        }
        let tail = if again { format!("}})({name});") } else { format!("return {name};}})({{}});") };
        self.edits.replace(it.body.span.end - 1, it.span.end, tail);
        self.edits.rewritten.push((start, it.span.end));
        if let (Some(current), Some(block)) = (self.enums.current.take(), self.enums.blocks.last_mut()) {
            block.push(current);
        }
    }

    /// Writes a member, and returns its key and what it is for the one behind it.
    fn rewrite_member(
        &mut self,
        name: &str,
        member: &TSEnumMember<'_>,
        before: Option<(String, Kind)>,
    ) -> Option<(String, Kind)> {
        let key = self.key(&member.id);
        let (kind, value) = match (&member.initializer, &before) {
            (Some(initializer), _) => (self.kind(initializer), None),
            (None, None) => (Kind::Known(0.0), Some("0".to_owned())),
            (None, Some((_, Kind::Known(last)))) if last.fract() == 0.0 && last.abs() < 1e15 => {
                (Kind::Known(last + 1.0), Some(format!("{}", last + 1.0)))
            }
            (None, Some((last, Kind::Known(_) | Kind::Number))) => {
                (Kind::Number, Some(format!("{name}[{last}]+1")))
            }
            (None, Some((_, Kind::String))) => {
                self.refuse(
                    member.span.start,
                    "an enum member behind a string needs a value",
                    "write the value, as in `B = \"b\"`",
                );
                return before;
            }
        };
        let (head, tail) = match kind {
            Kind::String => (format!("{name}[{key}]="), ";".to_owned()),
            Kind::Known(_) | Kind::Number => (format!("{name}[{name}[{key}]="), format!("]={key};")),
        };
        match (&member.initializer, value) {
            (Some(initializer), _) => {
                self.replace(member.span.start, initializer.span().start, head);
                self.visit_expression(initializer);
                self.edits.insert(initializer.span().end, tail);
            }
            (None, value) => {
                self.replace(
                    member.span.start,
                    member.span.end,
                    format!("{head}{}{tail}", value.unwrap_or_default()),
                );
            }
        }
        if let Some(current) = &mut self.enums.current {
            current.members.push((member.id.static_name().to_string(), kind));
        }
        Some((key, kind))
    }

    /// Replaces a range that may span lines, and keeps them.
    fn replace(&mut self, start: u32, end: u32, mut text: String) {
        text.push_str(&line_breaks(self.text(Span::new(start, end))));
        self.edits.replace(start, end, text);
    }

    /// Returns a member's name as an expression.
    fn key(&self, name: &TSEnumMemberName<'_>) -> String {
        match name {
            TSEnumMemberName::Identifier(it) => format!("\"{}\"", self.text(it.span)),
            TSEnumMemberName::String(it) | TSEnumMemberName::ComputedString(it) => {
                self.text(it.span).to_owned()
            }
            TSEnumMemberName::ComputedTemplateString(it) => self.text(it.span).to_owned(),
        }
    }

    fn kind(&self, value: &Expression<'_>) -> Kind {
        match value {
            Expression::NumericLiteral(it) => Kind::Known(it.value),
            Expression::StringLiteral(_) | Expression::TemplateLiteral(_) => Kind::String,
            Expression::ParenthesizedExpression(it) => self.kind(&it.expression),
            Expression::TSAsExpression(it) => self.kind(&it.expression),
            Expression::TSSatisfiesExpression(it) => self.kind(&it.expression),
            Expression::TSNonNullExpression(it) => self.kind(&it.expression),
            Expression::TSTypeAssertion(it) => self.kind(&it.expression),
            Expression::UnaryExpression(it) if it.operator == UnaryOperator::UnaryNegation => {
                match self.kind(&it.argument) {
                    Kind::Known(value) => Kind::Known(-value),
                    Kind::Number | Kind::String => Kind::Number,
                }
            }
            Expression::BinaryExpression(it) if it.operator == BinaryOperator::Addition => {
                let either = [self.kind(&it.left), self.kind(&it.right)].contains(&Kind::String);
                if either { Kind::String } else { Kind::Number }
            }
            Expression::Identifier(it) => self.member_kind(None, &it.name),
            Expression::StaticMemberExpression(it) => match &it.object {
                Expression::Identifier(object) => self.member_kind(Some(&object.name), &it.property.name),
                _ => Kind::Number,
            },
            Expression::ComputedMemberExpression(it) => match (&it.object, &it.expression) {
                (Expression::Identifier(object), Expression::StringLiteral(key)) => {
                    self.member_kind(Some(&object.name), &key.value)
                }
                _ => Kind::Number,
            },
            _ => Kind::Number,
        }
    }

    fn member_kind(&self, name: Option<&str>, member: &str) -> Kind {
        let known = match name {
            Some(name) => self.enums.find(name),
            None => self.enums.current.as_ref(),
        };
        known.and_then(|known| known.kind(member)).unwrap_or(Kind::Number)
    }

    /// In an initializer the members of the enum go by their bare names.
    pub(crate) fn qualify(&mut self, it: &IdentifierReference<'_>) {
        if self.enums.has_member(&it.name)
            && let Some(current) = &self.enums.current
        {
            self.edits.insert(it.span.start, format!("{}.", current.name));
        }
    }
}
