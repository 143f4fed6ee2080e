//! The one change to QuickJS-NG's sources that no definition and no wrapper can make.
//!
//! QuickJS limits recursion by the address of what is on the C stack. Compiled to WebAssembly, a function keeps on the
//! stack in memory only what has an address; one without leaves no trace there, and recurses past the limit into the
//! end of wasm's own stack, which is a trap instead of a `RangeError`. The functions below recurse so. Each is given
//! something with an address.

use crate::Outcome;

/// Where a function's body begins, and the bytes that each of its frames is to take of the limit. Sized so that the
/// limit is reached well before wasm's stack ends: a level of JSON takes about 140 bytes of that, a level of an
/// expression, which is some fifteen functions, about 3 KiB.
const RECURSIVE: &[(&str, usize)] = &[
    ("static JSValue json_parse_value(JSParseState *s, JSONParseRecord *pr)\n{\n", 64),
    (
        "static int js_json_to_str(JSContext *ctx, JSONStringifyContext *jsc,\n                          JSValueConst holder, JSValue val,\n                          JSValueConst indent)\n{\n",
        64,
    ),
    ("static __exception int js_parse_unary(JSParseState *s, int parse_flags)\n{\n", 512),
];

/// Returns `quickjs.c` with the change.
pub(crate) fn quickjs(source: &str) -> Outcome<String> {
    let mut patched = source.to_owned();
    for (beginning, bytes) in RECURSIVE {
        if patched.matches(beginning).count() != 1 {
            return Err(format!(
                "quickjs.c has not one function that begins so, as build/patch.rs expects:\n{beginning}"
            ));
        }
        // The empty instruction takes the address, so that the compiler keeps all of it.
        let frame =
            format!("    char on_the_stack[{bytes}];\n    __asm__ volatile(\"\" : : \"r\"(on_the_stack));\n");
        patched = patched.replace(beginning, &format!("{beginning}{frame}"));
    }
    Ok(patched)
}
