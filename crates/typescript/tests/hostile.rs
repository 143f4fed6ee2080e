//! Sources that nest as deep as a source can: none overflows a stack, and none takes long.
//!
//! A stack that overflows aborts the process, so what these tests assert is that they end.

use carrel_typescript::{Cause, prepare};

const SOURCE_BYTES: usize = 256 << 10;

/// What is before, nested, in the middle, and behind.
const NESTED: &[(&str, &str, &str, &str)] = &[
    ("", "[", "1", "]"),
    ("", "(", "1", ")"),
    ("", "{", "", "}"),
    ("", "({a:", "1", "})"),
    ("", "!", "1", ""),
    ("", "- ", "1", ""),
    ("", "a=>", "1", ""),
    ("", "(a=", "1", ")=>1"),
    ("", "(a=>", "1", ")"),
    ("", "async(a=", "1", ")=>1"),
    ("", "if(1)", "1", ""),
    ("", "if(1)1;else ", "1", ""),
    ("", "a?", "1", ":1"),
    ("", "a?(b)=>", "1", ":1"),
    ("", "a?(b):", "1", ""),
    ("", "a**", "1", ""),
    ("", "a=", "1", ""),
    ("", "a+", "1", ""),
    ("", "`${", "1", "}`"),
    ("x", "`", "`", ""),
    ("x", "``", "", ""),
    ("", "a[", "1", "]"),
    ("", "a(", "1", ")"),
    ("a", "()", "", ""),
    ("a", "[0]", "", ""),
    ("", "a.", "b", ""),
    ("", "a?.", "b", ""),
    ("", "a<", "b", ""),
    ("", "new ", "a", ""),
    ("", "typeof ", "a", ""),
    ("", "await ", "a", ""),
    ("", "a:", "1", ""),
    ("", "for(;;)", "1", ""),
    ("", "do ", "1", ";while(1)"),
    ("", "function a(){", "", "}"),
    ("", "class A{a(){", "", "}}"),
    ("0,", "class extends ", "a", "{}"),
    ("x=", "function(a=", "1", "){}"),
    ("", "[a]=[", "a", "]"),
    ("(", "[", "a", "]"),
    ("var ", "[", "a", "]"),
    ("var ", "{a:", "a", "}"),
    ("", "a??", "b", ""),
    ("", "a,", "b", ""),
    ("", "import(", "a", ")"),
    ("", "switch(1){case 1:", "", "}"),
    ("", "/", "", ""),
    ("", "a/b;", "", ""),
    ("", "//)\n(", "", ")"),
    ("", "f(/[)]/,", "1", ")"),
    ("", "a\n/)/\n(", "1", ")"),
    ("", "<!--)\n(", "1", ")"),
    ("", "\"", "", ""),
    ("", "\\", "", ""),
    ("", "\u{2028}", "", ""),
    ("let x:1;", "[", "1", "]"),
    ("let x:1;", "(", "1", ")"),
    ("let x:1;", "<a>", "1", ""),
    ("let x:1;", "<T>(a=", "1", ")=>1"),
    ("let x:1;", "a<", "b", ""),
    ("let x:1;", "a<b,", "c", ""),
    ("let x:1;", "a<", "b", ">()"),
    ("let x:1;", "a<b,c;", "", ""),
    ("let x:1;x", " as y", "", ""),
    ("let x:1;x", "!", "", ""),
    ("let x:1;", "a?(b):c=>", "d", ""),
    ("let x:1;", "a?(b)=>", "c", ":d=>e"),
    ("let x:1;", "(a:(b:", "c", ")=>1)=>1"),
    ("let x:1;", "async <", "b", ""),
    ("let a:", "A<", "b", ">"),
    ("type A=", "[", "b", "]"),
    ("type A=b", "[]", "", ""),
    ("type A=", "(", "b", ")"),
    ("type A=", "B extends C?", "b", ":C"),
    ("type A=", "()=>", "b", ""),
    ("type A=", "(a:", "b", ")=>1"),
    ("type A=", "{a:", "b", "}"),
    ("type A=", "keyof ", "b", ""),
    ("type A=", "B&", "C", ""),
    ("type A=", "`${", "b", "}`"),
    ("type A=", "{[K in ", "b", "]:1}"),
    ("", "namespace A{", "", "}"),
    ("", "declare namespace A{", "", "}"),
    ("namespace A", ".A", "{}", ""),
    ("", "enum A{a=(()=>{", "", "})()}"),
    ("", "class A{constructor(public x:1){", "", "}}"),
    ("", "interface A{a:{", "", "}}"),
];

fn nested(part: &(&str, &str, &str, &str), count: usize) -> String {
    let (before, open, middle, close) = part;
    format!("{before}{}{middle}{}", open.repeat(count), close.repeat(count))
}

#[test]
fn a_source_that_is_all_nesting_is_answered() {
    for part in NESTED {
        let count = (SOURCE_BYTES - 16) / (part.1.len() + part.3.len());
        prepare(&nested(part, count)).ok();
        // Without an end, too.
        prepare(&nested(&(part.0, part.1, "", ""), (SOURCE_BYTES - 16) / part.1.len())).ok();
    }
}

/// The deepest that is parsed at all has room on its stack.
#[test]
fn the_deepest_that_is_parsed_fits() {
    for part in NESTED {
        let is_parsed = |count: usize| {
            nested(part, count).len() <= SOURCE_BYTES
                && !prepare(&nested(part, count)).is_err_and(|problem| problem.cause == Cause::TooDeep)
        };
        let (mut most, mut less) = (1, SOURCE_BYTES);
        while less - most > most / 8 + 1 {
            let middle = most + (less - most) / 4;
            if is_parsed(middle) { most = middle } else { less = middle }
        }
        assert!(most >= 16, "{part:?}: {most}");
    }
}

/// Found by fuzzing: without optimisation, the parser's own assertion about such a comment fails here.
#[test]
fn a_parser_that_panics_is_a_problem_of_the_source() {
    let source = "(symbol = /*@__PURE__*/ Symbol!\" ? { [K in keyof M]: $r<MZ$d R<M ";
    assert!(prepare(source).is_err());
}

#[test]
fn what_people_write_is_not_too_deep() {
    let method = "  async method(a: Map<string, number>, b?: string): Promise<void> { if (a.size < 3 && b) { await this.x(`${a}`) } }\n";
    let class = format!("class A {{\n{}}}\n", method.repeat(2000));
    let prepared = prepare(&class).map(|prepared| prepared.was_typescript);
    assert_eq!(prepared, Ok(true));
    let lines = "const a: number = b ? c.d(1) : e / 2 // half\n".repeat(2000);
    assert!(prepare(&lines).is_ok(), "without semicolons");
}
