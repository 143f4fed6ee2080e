//! What a parse finds besides: the modules that a source imports, and what it declares at its top level.

use std::ops::Range;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    BinaryExpression, BinaryOperator, BindingPattern, Declaration as Declared, ExportDefaultDeclarationKind,
    Expression, IdentifierReference, ImportDeclarationSpecifier, ImportOrExportKind, Program, Statement,
    VariableDeclaration, VariableDeclarationKind,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use crate::erasable;
use crate::text::{Place, place};

/// A module that a source imports, or exports from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it names.
    pub specifier: String,
    /// Where the name stands.
    pub place: Place,
}

/// Something that a source declares at its top level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Its name; `default` for a default export that has none.
    pub name: String,
    /// What it is.
    pub kind: DeclarationKind,
    /// The statement that declares it, in bytes of the source.
    pub span: Range<u32>,
}

/// The kinds of declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeclarationKind {
    /// `const`, `using` and `await using`.
    Const,
    /// `let`.
    Let,
    /// `var`.
    Var,
    /// A function, overload signatures included.
    Function,
    /// A class.
    Class,
    /// An enum: a value and a type.
    Enum,
    /// An interface.
    Interface,
    /// A type alias.
    Type,
    /// A namespace or a module.
    Namespace,
    /// An imported name.
    Import,
}

pub(crate) fn survey(source: &str, program: &Program<'_>) -> (Vec<Import>, Vec<Declaration>) {
    let mut survey = Survey { source, imports: Vec::new(), declarations: Vec::new() };
    for statement in &program.body {
        survey.statement(statement);
    }
    (survey.imports, survey.declarations)
}

struct Survey<'s> {
    source: &'s str,
    imports: Vec<Import>,
    declarations: Vec<Declaration>,
}

impl Survey<'_> {
    fn statement(&mut self, statement: &Statement<'_>) {
        let span = statement.span();
        match statement {
            Statement::ImportDeclaration(import) => {
                if !erasable::statement(statement) {
                    self.import(&import.source.value, import.source.span);
                }
                for specifier in import.specifiers.iter().flatten() {
                    let local = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(it) => &it.local,
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => &it.local,
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => &it.local,
                    };
                    self.declare(&local.name, DeclarationKind::Import, span);
                }
            }
            Statement::ExportAllDeclaration(export) if export.export_kind == ImportOrExportKind::Value => {
                self.import(&export.source.value, export.source.span);
            }
            Statement::ExportFromDeclaration(export) if export.export_kind == ImportOrExportKind::Value => {
                self.import(&export.source.value, export.source.span);
            }
            Statement::ExportDeclaration(export) => self.declaration(&export.declaration, span),
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(it) => {
                    self.declare(
                        it.id.as_ref().map_or("default", |id| &id.name),
                        DeclarationKind::Function,
                        span,
                    );
                }
                ExportDefaultDeclarationKind::ClassDeclaration(it) => {
                    self.declare(
                        it.id.as_ref().map_or("default", |id| &id.name),
                        DeclarationKind::Class,
                        span,
                    );
                }
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(it) => {
                    self.declare(&it.id.name, DeclarationKind::Interface, span);
                }
                _ => {}
            },
            _ => {
                if let Some(declaration) = statement.as_declaration() {
                    self.declaration(declaration, span);
                }
            }
        }
    }

    fn declaration(&mut self, declaration: &Declared<'_>, span: Span) {
        match declaration {
            Declared::VariableDeclaration(it) => self.variables(it, span),
            Declared::FunctionDeclaration(it) => {
                if let Some(id) = &it.id {
                    self.declare(&id.name, DeclarationKind::Function, span);
                }
            }
            Declared::ClassDeclaration(it) => {
                if let Some(id) = &it.id {
                    self.declare(&id.name, DeclarationKind::Class, span);
                }
            }
            Declared::TSTypeAliasDeclaration(it) => self.declare(&it.id.name, DeclarationKind::Type, span),
            Declared::TSInterfaceDeclaration(it) => {
                self.declare(&it.id.name, DeclarationKind::Interface, span);
            }
            Declared::TSEnumDeclaration(it) => self.declare(&it.id.name, DeclarationKind::Enum, span),
            Declared::TSExternalModuleDeclaration(it) => {
                self.declare(&it.id.value, DeclarationKind::Namespace, span);
            }
            Declared::TSNamespaceDeclaration(it) => {
                self.declare(&it.id.name, DeclarationKind::Namespace, span);
            }
            Declared::TSGlobalDeclaration(_) => self.declare("global", DeclarationKind::Namespace, span),
            Declared::TSImportEqualsDeclaration(it) => {
                self.declare(&it.id.name, DeclarationKind::Import, span);
            }
        }
    }

    fn variables(&mut self, it: &VariableDeclaration<'_>, span: Span) {
        let kind = match it.kind {
            VariableDeclarationKind::Var => DeclarationKind::Var,
            VariableDeclarationKind::Let => DeclarationKind::Let,
            _ => DeclarationKind::Const,
        };
        for declarator in &it.declarations {
            self.pattern(&declarator.id, kind, span);
        }
    }

    fn pattern(&mut self, pattern: &BindingPattern<'_>, kind: DeclarationKind, span: Span) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => self.declare(&id.name, kind, span),
            BindingPattern::ObjectPattern(it) => {
                it.properties.iter().for_each(|property| self.pattern(&property.value, kind, span));
                it.rest.iter().for_each(|rest| self.pattern(&rest.argument, kind, span));
            }
            BindingPattern::ArrayPattern(it) => {
                it.elements.iter().flatten().for_each(|element| self.pattern(element, kind, span));
                it.rest.iter().for_each(|rest| self.pattern(&rest.argument, kind, span));
            }
            BindingPattern::AssignmentPattern(it) => self.pattern(&it.left, kind, span),
        }
    }

    fn import(&mut self, specifier: &str, span: Span) {
        let place = place(self.source, span.start as usize);
        self.imports.push(Import { specifier: specifier.to_owned(), place });
    }

    fn declare(&mut self, name: &str, kind: DeclarationKind, span: Span) {
        self.declarations.push(Declaration { name: name.to_owned(), kind, span: span.start..span.end });
    }
}

/// What types are called that nothing in JavaScript is.
const TYPE_NAMES: [&str; 9] =
    ["string", "number", "boolean", "any", "unknown", "never", "object", "symbol", "bigint"];

/// Tells whether valid JavaScript has comparisons, as in `f<string>(x)`, that can but throw because they name a type
/// which nothing declares.
pub(crate) fn names_types(program: &Program<'_>) -> bool {
    let source = program.source_text;
    if !(source.contains('<') && TYPE_NAMES.iter().any(|name| source.contains(name))) {
        return false;
    }
    let mut search = TypeNames::default();
    search.visit_program(program);
    search.compared.iter().any(|name| !search.bound.contains(name))
}

#[derive(Default)]
struct TypeNames {
    /// Type names that are compared with, in a chain of comparisons.
    compared: Vec<&'static str>,
    /// Type names that something declares.
    bound: Vec<&'static str>,
    in_chain: u32,
}

fn type_name(name: &str) -> Option<&'static str> {
    TYPE_NAMES.iter().find(|known| **known == name).copied()
}

impl<'a> Visit<'a> for TypeNames {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        if let AstKind::BindingIdentifier(id) = kind {
            self.bound.extend(type_name(&id.name));
        }
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        use BinaryOperator::{GreaterThan, ShiftRight, ShiftRightZeroFill};
        let ends_arguments = matches!(it.operator, GreaterThan | ShiftRight | ShiftRightZeroFill);
        let is_called = matches!(&it.right, Expression::ParenthesizedExpression(_));
        let chain = ends_arguments && is_called;
        self.in_chain += u32::from(chain);
        self.visit_expression(&it.left);
        self.in_chain -= u32::from(chain);
        self.visit_expression(&it.right);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if self.in_chain > 0 {
            self.compared.extend(type_name(&it.name));
        }
        walk::walk_identifier_reference(self, it);
    }
}
