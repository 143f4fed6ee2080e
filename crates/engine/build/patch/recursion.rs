//! QuickJS limits recursion by the address of what is on the C stack. Compiled to WebAssembly, a function keeps on the
//! stack in memory only what has an address; one without leaves no trace there, and recurses past the limit into the
//! end of wasm's own stack, which is a trap instead of a `RangeError`. The functions here recurse so. Each is given
//! something with an address.

/// Where a function's body begins, and the bytes that each of its frames is to take of the limit. Sized so that the
/// limit is reached well before wasm's stack ends: a level of JSON takes about 140 bytes of that, a level of an
/// expression, which is some fifteen functions, about 3 KiB.
const FUNCTIONS: &[(&str, usize)] = &[
    ("static JSValue json_parse_value(JSParseState *s, JSONParseRecord *pr)\n{\n", 64),
    (
        "static int js_json_to_str(JSContext *ctx, JSONStringifyContext *jsc,\n                          JSValueConst holder, JSValue val,\n                          JSValueConst indent)\n{\n",
        64,
    ),
    ("static __exception int js_parse_unary(JSParseState *s, int parse_flags)\n{\n", 512),
    ("static int js_proxy_has(JSContext *ctx, JSValueConst obj, JSAtom atom)\n{\n", 64),
    (
        "static int js_proxy_delete_property(JSContext *ctx, JSValueConst obj,\n                                    JSAtom atom)\n{\n",
        64,
    ),
];

/// Returns each beginning, and what is to stand there.
pub(super) fn changes() -> impl Iterator<Item = (String, String)> {
    FUNCTIONS.iter().map(|(beginning, bytes)| {
        // The empty instruction takes the address, so that the compiler keeps all of it.
        let frame =
            format!("    char on_the_stack[{bytes}];\n    __asm__ volatile(\"\" : : \"r\"(on_the_stack));\n");
        ((*beginning).to_owned(), format!("{beginning}{frame}"))
    })
}
