//! Puts spaces for types, by a walk over the tree that TypeScript's parser made.
//!
//! Where spaces alone would change what the rest means, a character helps: a `;` where a statement or a class member
//! began or ended, and the parentheses of an arrow function moved over a line break. What no character can save is
//! found by [`crate::shape`].

use oxc_allocator::ArenaVec;
use oxc_ast::ast::{
    AccessorProperty, ArrowFunctionExpression, BindingIdentifier, Class, ClassElement, Decorator,
    ExportSpecifier, FormalParameter, Function, FunctionType, IdentifierReference, ImportDeclaration,
    ImportDeclarationSpecifier, ImportOrExportKind, MethodDefinition, ObjectProperty, Program,
    PropertyDefinition, Statement, TSAsExpression, TSClassImplements, TSEnumDeclaration, TSExportAssignment,
    TSImportEqualsDeclaration, TSNamespaceDeclaration, TSNonNullExpression, TSSatisfiesExpression,
    TSThisParameter, TSTypeAnnotation, TSTypeAssertion, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use crate::Problem;
use crate::edits::{Edited, Edits};
use crate::enums::Enums;
use crate::erasable;
use crate::text::{ends_line, skip_trivia, word_at};

/// Blanks the types of a program; `None` when there is nothing to change.
pub(crate) fn blank(source: &str, program: &Program<'_>) -> Result<Option<Edited>, Problem> {
    let mut blanker = Blanker { source, edits: Edits::default(), enums: Enums::default(), problem: None };
    blanker.visit_program(program);
    match blanker.problem {
        Some(problem) => Err(problem),
        None if blanker.edits.is_empty() => Ok(None),
        None => Ok(Some(blanker.edits.apply(source))),
    }
}

pub(crate) struct Blanker<'s> {
    pub(crate) source: &'s str,
    pub(crate) edits: Edits,
    pub(crate) enums: Enums<'s>,
    /// The first thing that cannot be blanked.
    problem: Option<Problem>,
}

/// The words before a class member or a parameter that only TypeScript knows.
const MODIFIERS: [&str; 7] =
    ["public", "private", "protected", "readonly", "override", "abstract", "declare"];

impl<'s> Blanker<'s> {
    pub(crate) fn text(&self, span: Span) -> &'s str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    pub(crate) fn refuse(&mut self, at: u32, message: &str, help: &str) {
        if self.problem.is_none() {
            self.problem = Some(Problem::unsupported(self.source, at, message, help));
        }
    }

    fn starts_with(&self, at: u32, text: &str) -> bool {
        self.source.get(at as usize..).is_some_and(|rest| rest.starts_with(text))
    }

    fn has_line_break(&self, start: u32, end: u32) -> bool {
        self.text(Span::new(start, end)).contains(ends_line)
    }

    fn blank(&mut self, span: Span) {
        self.edits.blank(span.start, span.end);
    }

    /// Blanks a whole statement or class member. The `;` keeps what is before it from going on behind it.
    fn erase(&mut self, span: Span) {
        self.blank(span);
        self.edits.put(span.start, ';');
    }

    /// Blanks a sign that follows something, white space between.
    fn blank_sign(&mut self, from: u32, sign: &str) {
        let at = skip_trivia(self.source, from);
        if self.starts_with(at, sign) {
            self.edits.blank(at, at + sign.len() as u32);
        }
    }

    /// Blanks from the next token on.
    fn blank_from(&mut self, from: u32, end: u32) {
        let at = skip_trivia(self.source, from);
        self.edits.blank(at, end);
    }

    /// Blanks the words that TypeScript alone knows in front of a name, and tells whether the first is one of them.
    fn blank_modifiers(&mut self, from: u32, to: u32) -> Option<u32> {
        let start = skip_trivia(self.source, from);
        let mut at = start;
        let mut first = None;
        while at < to {
            let word = word_at(self.source, at);
            let end = at + (word.len() as u32).max(1);
            if MODIFIERS.contains(&word) {
                self.edits.blank(at, end);
                first = first.or((at == start).then_some(at));
            }
            at = skip_trivia(self.source, end);
        }
        first
    }

    /// A statement that ended by a line break still has to, when what stood before the break is blank.
    fn end_statement(&mut self, span: Span) {
        let last = self.source.as_bytes().get((span.end as usize).wrapping_sub(1));
        if last != Some(&b';')
            && let Some(start) = self.edits.blank_before(span.end)
        {
            self.edits.put(start, ';');
        }
    }

    fn decorators(&mut self, decorators: &[Decorator<'_>]) {
        if let Some(decorator) = decorators.first() {
            self.refuse(
                decorator.span.start,
                "decorators are not supported",
                "call the function yourself, as in `C = decorate(C)` behind the class",
            );
        }
    }

    fn member_modifiers(&mut self, decorators: &[Decorator<'_>], span: Span, key: Span) {
        self.decorators(decorators);
        if let Some(first) = self.blank_modifiers(span.start, key.start) {
            self.edits.put(first, ';');
        }
    }

    /// Blanks the `?` or `!` behind a member's name.
    fn blank_mark(&mut self, key: Span, computed: bool) {
        let mut at = skip_trivia(self.source, key.end);
        if computed && self.starts_with(at, "]") {
            at = skip_trivia(self.source, at + 1);
        }
        if self.starts_with(at, "?") || self.starts_with(at, "!") {
            self.edits.blank(at, at + 1);
        }
    }

    /// Blanks the elements of a list that are types, with the comma behind each.
    fn blank_element(&mut self, span: Span) {
        self.blank(span);
        self.blank_sign(span.end, ",");
    }
}

impl<'a> Visit<'a> for Blanker<'_> {
    fn visit_statements(&mut self, it: &ArenaVec<'a, Statement<'a>>) {
        self.enums.enter_block();
        walk::walk_statements(self, it);
        self.enums.leave_block();
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        let span = it.span();
        if erasable::statement(it) {
            return self.erase(span);
        }
        if let Statement::ExportDeclaration(export) = it
            && let oxc_ast::ast::Declaration::TSEnumDeclaration(declaration) = &export.declaration
        {
            return self.rewrite_enum(declaration, Some(span.start));
        }
        walk::walk_statement(self, it);
        self.end_statement(span);
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        for specifier in it.specifiers.iter().flatten() {
            if let ImportDeclarationSpecifier::ImportSpecifier(specifier) = specifier
                && specifier.import_kind == ImportOrExportKind::Type
            {
                self.blank_element(specifier.span);
            }
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind == ImportOrExportKind::Type {
            self.blank_element(it.span);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            self.blank_sign(it.id.span().end, "!");
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.r#type == FunctionType::TSDeclareFunction {
            return self.erase(it.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.decorators(&it.decorators);
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.blank_modifiers(it.span.start, it.pattern.span().start);
        }
        if it.optional {
            self.blank_sign(it.pattern.span().end, "?");
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.blank_element(it.span);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        if let Some(types) = &it.type_parameters {
            let open = it.params.span.start;
            if self.has_line_break(types.span.start, open) {
                // `async <T\n>(x)` and `return <T\n>(x)`: the parenthesis moves up to where the types began.
                self.edits.blank(open, open + 1);
                self.edits.put(types.span.start, '(');
            }
        }
        if let Some(types) = &it.return_type {
            let close = it.params.span.end.saturating_sub(1);
            if self.has_line_break(close, types.span.end) {
                // `(x):\nT => x`: it moves down to where the types end.
                self.edits.blank(close, close + 1);
                let text = self.text(types.span);
                let last = text.chars().next_back().map_or(0, char::len_utf8) as u32;
                self.edits.put(types.span.end - last, ')');
            }
        }
        walk::walk_arrow_function_expression(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.decorators(&it.decorators);
        if it.r#abstract {
            let at = skip_trivia(self.source, it.span.start);
            if word_at(self.source, at) == "abstract" {
                self.edits.blank(at, at + 8);
            }
        }
        if let Some(last) = it.implements.last() {
            let before = match (&it.heritage, &it.type_parameters, &it.id) {
                (Some(heritage), ..) => heritage
                    .type_arguments
                    .as_ref()
                    .map_or(heritage.expression.span().end, |types| types.span.end),
                (None, Some(types), _) => types.span.end,
                (None, None, Some(id)) => id.span.end,
                (None, None, None) => {
                    let class = if it.r#abstract {
                        skip_trivia(self.source, it.span.start) + 8
                    } else {
                        it.span.start
                    };
                    skip_trivia(self.source, class) + 5
                }
            };
            self.blank_from(before, last.span.end);
        }
        self.parameter_properties(it);
        walk::walk_class(self, it);
    }

    fn visit_ts_class_implements_list(&mut self, _: &ArenaVec<'a, TSClassImplements<'a>>) {}

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        if erasable::member(it) {
            if let ClassElement::MethodDefinition(it) = it {
                self.decorators(&it.decorators);
            }
            return self.erase(it.span());
        }
        walk::walk_class_element(self, it);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        self.member_modifiers(&it.decorators, it.span, it.key.span());
        if it.optional {
            self.blank_mark(it.key.span(), it.computed);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.member_modifiers(&it.decorators, it.span, it.key.span());
        if it.optional || it.definite {
            self.blank_mark(it.key.span(), it.computed);
        }
        walk::walk_property_definition(self, it);
        self.end_statement(it.span);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        self.member_modifiers(&it.decorators, it.span, it.key.span());
        if it.definite {
            self.blank_mark(it.key.span(), it.computed);
        }
        walk::walk_accessor_property(self, it);
        self.end_statement(it.span);
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.blank(it.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.blank(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.blank(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_from(it.expression.span().end, it.span.end);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_from(it.expression.span().end, it.span.end);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.edits.blank(it.span.end - 1, it.span.end);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        // From `<` to `>`.
        let close = skip_trivia(self.source, it.type_annotation.span().end);
        self.edits.blank(it.span.start, close + 1);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.rewrite_enum(it, None);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.qualify(it);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        if self.enums.has_member(&it.name) {
            self.refuse(it.span.start, "this name hides a member of its enum", "give it another name");
        }
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if it.shorthand && self.enums.has_member(&it.key.name().unwrap_or_default()) {
            let name = self.text(it.key.span());
            self.edits.insert(it.span.start, format!("{name}: "));
            return self.visit_expression(&it.value);
        }
        walk::walk_object_property(self, it);
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        self.refuse(
            it.span.start,
            "namespaces that hold values are not supported",
            "write what is in it at the top level, or put it into an object: `const N = { … }`",
        );
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.refuse(
            it.span.start,
            "`import … =` is not supported",
            "a cell has no modules to import; name a value with `const x = N.x`, a type with `type X = N.X`",
        );
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.refuse(
            it.span.start,
            "`export =` is not supported",
            "write `export default` with the value behind it",
        );
    }
}
