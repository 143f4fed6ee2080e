//! Whether what is left without its types is the program that was written.
//!
//! Spaces for types can change how the rest is grouped: `1 + 1 as number / 2` is `(1 + 1) / 2`, without its type it would
//! be `1 + 1 / 2`; `() => <T>{}` would return nothing. Rather than to know each such place, what is to run is parsed
//! again, as JavaScript, and its tree compared with that of the TypeScript, types left out.

use oxc_allocator::ArenaVec;
use oxc_ast::AstKind;
use oxc_ast::ast::{
    ClassElement, Declaration, ExportSpecifier, ImportDeclaration, ImportDeclarationSpecifier,
    ImportOrExportKind, Program, Statement, TSClassImplements, TSEnumDeclaration, TSThisParameter, TSType,
    TSTypeAnnotation, TSTypeParameterDeclaration, TSTypeParameterInstantiation,
};
use oxc_ast_visit::{Visit, walk};
use oxc_diagnostics::LabeledSpan;
use oxc_parser::ParserReturn;
use oxc_span::{GetSpan, Span};

use crate::erasable;

/// Returns where in the TypeScript the two begin to differ. `made` are the ranges of the JavaScript that have no
/// counterpart.
pub(crate) fn difference(
    typescript: &Program<'_>,
    javascript: &ParserReturn<'_>,
    made: &[(u32, u32)],
) -> Option<u32> {
    let mut written = Shape::default();
    written.visit_program(typescript);
    if let Some(error) = javascript.diagnostics.errors().next() {
        let offset = error.labels.first().map_or(0, LabeledSpan::offset);
        // Columns are the same in both but for bytes; the node before is near enough.
        let near = written.nodes.iter().rfind(|node| node.start <= offset);
        return Some(near.map_or(0, |node| node.start));
    }
    let mut left = Shape { made, ..Shape::default() };
    left.visit_program(&javascript.program);
    let mut pairs = written.nodes.iter().zip(&left.nodes);
    match pairs.find(|(a, b)| (a.kind, a.depth) != (b.kind, b.depth)) {
        Some((node, _)) => Some(node.start),
        None if written.nodes.len() == left.nodes.len() => None,
        None => written.nodes.last().map(|node| node.start),
    }
}

/// The nodes of a tree in order, types left out.
#[derive(Default)]
struct Shape<'m> {
    nodes: Vec<Node>,
    depth: u32,
    made: &'m [(u32, u32)],
}

struct Node {
    kind: u8,
    depth: u32,
    start: u32,
}

impl Shape<'_> {
    fn is_made(&self, span: Span) -> bool {
        let after = self.made.partition_point(|(start, _)| *start <= span.start);
        after.checked_sub(1).and_then(|at| self.made.get(at)).is_some_and(|(_, end)| span.start < *end)
    }
}

/// Tells whether a node only wraps another one.
fn is_wrapper(kind: &AstKind<'_>) -> bool {
    matches!(
        kind,
        AstKind::ParenthesizedExpression(_)
            | AstKind::TSAsExpression(_)
            | AstKind::TSSatisfiesExpression(_)
            | AstKind::TSNonNullExpression(_)
            | AstKind::TSTypeAssertion(_)
            | AstKind::TSInstantiationExpression(_)
    )
}

impl<'a> Visit<'a> for Shape<'_> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        if !is_wrapper(&kind) {
            self.nodes.push(Node { kind: kind.ty() as u8, depth: self.depth, start: kind.span().start });
            self.depth += 1;
        }
    }

    fn leave_node(&mut self, kind: AstKind<'a>) {
        if !is_wrapper(&kind) {
            self.depth -= 1;
        }
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        let is_enum = match it {
            Statement::ExportDeclaration(it) => matches!(it.declaration, Declaration::TSEnumDeclaration(_)),
            _ => false,
        };
        let is_empty = matches!(it, Statement::EmptyStatement(_));
        if !(is_enum || is_empty || erasable::statement(it) || self.is_made(it.span())) {
            walk::walk_statement(self, it);
        }
    }

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        if !(erasable::member(it) || self.is_made(it.span())) {
            walk::walk_class_element(self, it);
        }
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.enter_node(AstKind::StringLiteral(&it.source));
        for specifier in it.specifiers.iter().flatten() {
            let is_type = matches!(specifier, ImportDeclarationSpecifier::ImportSpecifier(it) if it.import_kind == ImportOrExportKind::Type);
            if !is_type {
                walk::walk_import_declaration_specifier(self, specifier);
            }
        }
        self.leave_node(AstKind::StringLiteral(&it.source));
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind != ImportOrExportKind::Type {
            walk::walk_export_specifier(self, it);
        }
    }

    fn visit_ts_enum_declaration(&mut self, _: &TSEnumDeclaration<'a>) {}
    fn visit_ts_this_parameter(&mut self, _: &TSThisParameter<'a>) {}
    fn visit_ts_class_implements_list(&mut self, _: &ArenaVec<'a, TSClassImplements<'a>>) {}
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}
    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}
}
