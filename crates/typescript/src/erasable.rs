//! Which statements and class members are types alone and leave nothing behind.

use oxc_ast::ast::{
    ClassElement, Declaration, ExportDefaultDeclarationKind, FunctionType, ImportDeclaration,
    ImportDeclarationSpecifier, ImportOrExportKind, MethodDefinitionType, PropertyDefinitionType, Statement,
    TSNamespaceDeclaration, TSNamespaceDeclarationBody,
};

/// Tells whether a statement is gone at run time.
pub(crate) fn statement(it: &Statement<'_>) -> bool {
    match it {
        Statement::ImportDeclaration(it) => {
            it.import_kind == ImportOrExportKind::Type || names_types_alone(it)
        }
        Statement::ExportNamedDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportFromDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportAllDeclaration(it) => it.export_kind == ImportOrExportKind::Type,
        Statement::ExportDeclaration(it) => declaration(&it.declaration),
        Statement::ExportDefaultDeclaration(it) => match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => {
                it.r#type == FunctionType::TSDeclareFunction
            }
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
            _ => false,
        },
        Statement::TSNamespaceExportDeclaration(_) => true,
        _ => it.as_declaration().is_some_and(declaration),
    }
}

/// Tells whether an import is one of names, each marked as a type.
fn names_types_alone(it: &ImportDeclaration<'_>) -> bool {
    let is_type = |it: &_| matches!(it, ImportDeclarationSpecifier::ImportSpecifier(it) if it.import_kind == ImportOrExportKind::Type);
    it.specifiers.as_ref().is_some_and(|names| !names.is_empty() && names.iter().all(is_type))
}

pub(crate) fn declaration(it: &Declaration<'_>) -> bool {
    match it {
        Declaration::VariableDeclaration(it) => it.declare,
        Declaration::FunctionDeclaration(it) => it.declare || it.r#type == FunctionType::TSDeclareFunction,
        Declaration::ClassDeclaration(it) => it.declare,
        Declaration::TSEnumDeclaration(it) => it.declare,
        Declaration::TSNamespaceDeclaration(it) => namespace(it),
        Declaration::TSImportEqualsDeclaration(it) => it.import_kind == ImportOrExportKind::Type,
        Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => true,
    }
}

/// Tells whether a namespace holds types alone.
fn namespace(it: &TSNamespaceDeclaration<'_>) -> bool {
    it.declare
        || match &it.body {
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                // An alias that is not exported is one of types, or of nothing that is used.
                let is_type = |it: &Statement<'_>| {
                    statement(it) || matches!(it, Statement::TSImportEqualsDeclaration(_))
                };
                block.directives.is_empty() && block.body.iter().all(is_type)
            }
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => namespace(inner),
        }
}

/// Tells whether a class member is gone at run time.
pub(crate) fn member(it: &ClassElement<'_>) -> bool {
    match it {
        ClassElement::StaticBlock(_) => false,
        ClassElement::MethodDefinition(it) => {
            it.r#type == MethodDefinitionType::TSAbstractMethodDefinition || it.value.body.is_none()
        }
        ClassElement::PropertyDefinition(it) => {
            it.declare || it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition
        }
        ClassElement::AccessorProperty(it) => it.r#type.is_abstract(),
        ClassElement::TSIndexSignature(_) => true,
    }
}
