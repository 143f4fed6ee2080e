//! Parameter properties: `constructor(private x: number)` becomes a field, a parameter and an assignment, on the same
//! lines, as TypeScript itself makes them.

use oxc_ast::ast::{
    BindingPattern, Class, ClassElement, Expression, FormalParameter, Function, MethodDefinitionKind,
    Statement,
};
use oxc_span::GetSpan;

use crate::blank::Blanker;

impl Blanker<'_> {
    /// Adds what the constructor's parameter properties stand for. Their modifiers are blanked where parameters are.
    pub(crate) fn parameter_properties(&mut self, class: &Class<'_>) {
        let constructor = class.body.body.iter().find_map(|member| match member {
            ClassElement::MethodDefinition(it) if it.kind == MethodDefinitionKind::Constructor => {
                it.value.body.is_some().then_some(&it.value)
            }
            _ => None,
        });
        let Some(constructor) = constructor else { return };
        let mut fields = String::new();
        let mut assignments = String::new();
        for parameter in constructor.params.items.iter().filter(|it| is_property(it)) {
            let BindingPattern::BindingIdentifier(id) = &parameter.pattern else {
                return self.refuse(
                    parameter.span.start,
                    "a parameter property cannot be a pattern",
                    "give the parameter a name, and take it apart in the constructor",
                );
            };
            let name = self.text(id.span);
            fields.push_str(&format!("{name};"));
            assignments.push_str(&format!("this.{name}={name};"));
        }
        if fields.is_empty() {
            return;
        }
        let Some(at) = self.assignments_place(class, constructor) else {
            return self.refuse(
                constructor.params.span.start,
                "parameter properties need the call of `super` as a statement of its own",
                "declare the fields, and assign them behind `super(…)`",
            );
        };
        self.edits.insert(class.body.span.start + 1, fields);
        let semicolon = !matches!(self.source.as_bytes().get(at as usize - 1), Some(b';' | b'{'));
        self.edits.insert(at, format!("{}{assignments}", if semicolon { ";" } else { "" }));
    }

    fn assignments_place(&self, class: &Class<'_>, constructor: &Function<'_>) -> Option<u32> {
        let body = constructor.body.as_ref()?;
        if class.heritage.is_some() {
            return body.statements.iter().find_map(|statement| match statement {
                Statement::ExpressionStatement(it) => match &it.expression {
                    Expression::CallExpression(call) if call.callee.is_super() => Some(it.span.end),
                    _ => None,
                },
                _ => None,
            });
        }
        Some(body.directives.last().map_or(body.span.start + 1, |directive| directive.span().end))
    }
}

fn is_property(it: &FormalParameter<'_>) -> bool {
    it.accessibility.is_some() || it.readonly || it.r#override
}
