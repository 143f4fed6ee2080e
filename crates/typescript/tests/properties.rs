//! What holds for any TypeScript: the lines and columns stay, what comes out is JavaScript, and nothing is left to blank.
//!
//! The programs are put together from pieces that lie badly beside each other: with and without semicolons, on one line
//! and on several.
#![expect(clippy::indexing_slicing, reason = "a test")]

use carrel_typescript::prepare;

const STATEMENTS: &[&str] = &[
    "let a: number",
    "x as string",
    "x!",
    "f<T>(x)",
    "(x as any).y = 1",
    "[1].map(z => z as any)",
    "`t${x as T}`",
    "interface I { a: 1 }",
    "type T = { a: 1 }",
    "declare const d: 1",
    "function f(): void {}",
    "x satisfies T",
    "const g = (a: T):\n T => a",
    "const h = async <\nT>(a) => a",
    "class C { f = 1 as T\n ['m'](): T { return 1 }\n private x = 1 }",
    "if (x) y as T\nelse z!",
    "for (const a of x as T[]) a!",
    "+x as T",
    "-1",
    "(function (this: T) {})",
    "{ x as T }",
    "const [p, q]: T = x, { r }: T = y",
    "new Map<K, V>()",
    "x < y",
    "(<T>x)",
    "let é: '😀' = 1",
    "return_: x as T",
    "export type { T }",
    "try { x } catch (e: unknown) {}",
    "do x as T\nwhile (y)",
    "namespace N { type T = 1 }",
    "abstract class A { abstract m(): void\n abstract p: T\n ['q']: T }",
    "x ? (y): T => y : z",
    "void <T>(y: T) => y",
    "import type I from 'i'",
    "function f(x: T): void",
    "/re/.test(x as string)",
    "x / (y as T) / z",
    "++x",
    "x!\n++y",
];
const BETWEEN: &[&str] = &[";\n", "\n", "; ", "\n\n", "; // c\n", "\n/* c\n */ "];

struct Random(u64);

impl Random {
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[(self.0 >> 33) as usize % of.len()]
    }
}

fn lines(text: &str) -> Vec<usize> {
    text.split(['\n', '\u{2028}', '\u{2029}']).map(|line| line.encode_utf16().count()).collect()
}

#[test]
fn lines_and_columns_stay_and_what_is_left_is_javascript() {
    let mut blanked = 0;
    for seed in 0..5_000 {
        let mut random = Random(seed);
        let mut source = String::new();
        for _ in 0..3 {
            source.push_str(random.pick(STATEMENTS));
            source.push_str(random.pick(BETWEEN));
        }
        let Ok(prepared) = prepare(&source) else { continue };
        if !prepared.was_typescript {
            assert_eq!(prepared.code, source);
            continue;
        }
        blanked += 1;
        assert_eq!(lines(&prepared.code), lines(&source), "{source}\n---\n{}", prepared.code);
        let again = prepare(&prepared.code)
            .unwrap_or_else(|problem| panic!("{source}\n---\n{}: {problem:?}", prepared.code));
        assert!(!again.was_typescript, "{source}\n---\n{}", prepared.code);
        assert_eq!(again.code, prepared.code);
    }
    assert!(blanked > 3_000, "{blanked}");
}

#[test]
fn the_survey_names_imports_and_declarations() {
    let source = "import a, { type T, b } from 'm';\nimport type U from 'u';\nexport * from \"n\";\nconst { c, d: [e] }: V = x;\n\
        enum F {}\nexport class G {}\ninterface H {}\ntype I = 1; function j(): void {}\nvar k: 1; let l!: 1";
    let prepared = prepare(source).unwrap();
    let imports: Vec<_> = prepared
        .imports
        .iter()
        .map(|import| (import.specifier.as_str(), import.place.line, import.place.column))
        .collect();
    assert_eq!(imports, [("m", 1, 30), ("n", 3, 15)]);
    let names: Vec<_> = prepared.declarations.iter().map(|it| format!("{} {:?}", it.name, it.kind)).collect();
    assert_eq!(
        names,
        [
            "a Import",
            "T Import",
            "b Import",
            "U Import",
            "c Const",
            "e Const",
            "F Enum",
            "G Class",
            "H Interface",
            "I Type",
            "j Function",
            "k Var",
            "l Let"
        ]
    );
    let class = prepared.declarations.iter().find(|it| it.name == "G").unwrap();
    assert_eq!(&source[class.span.start as usize..class.span.end as usize], "export class G {}");
}
