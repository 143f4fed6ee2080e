//! In the dialect of Codex, the errors that models meet most often say what V8 says. One of them is a matter of more than
//! words: which name is no function, QuickJS does not say.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[
    (
        "static JSValue JS_ThrowTypeErrorNotAFunction(JSContext *ctx)\n{\n",
        "static bool carrel_called_name(JSContext *ctx, char *name, size_t size);

static JSValue JS_ThrowTypeErrorNotAFunction(JSContext *ctx)
{
    char name[100];
    if (speaks_codex && carrel_called_name(ctx, name, sizeof(name)))
        return JS_ThrowTypeError(ctx, \"%s is not a function\", name);
",
    ),
    (
        "\"cannot read property '%s' of null\", prop)",
        "speaks_codex ? \"Cannot read properties of null (reading '%s')\" : \"cannot read property '%s' of null\", prop)",
    ),
    (
        "\"cannot read property '%s' of undefined\", prop)",
        "speaks_codex ? \"Cannot read properties of undefined (reading '%s')\" : \"cannot read property '%s' of undefined\", prop)",
    ),
    (
        "\"cannot read property '%s' of null\", atom)",
        "speaks_codex ? \"Cannot read properties of null (reading '%s')\" : \"cannot read property '%s' of null\", atom)",
    ),
    (
        "\"cannot read property '%s' of undefined\", atom)",
        "speaks_codex ? \"Cannot read properties of undefined (reading '%s')\" : \"cannot read property '%s' of undefined\", atom)",
    ),
    (
        "\"cannot set property '%s' of null\", prop)",
        "speaks_codex ? \"Cannot set properties of null (setting '%s')\" : \"cannot set property '%s' of null\", prop)",
    ),
    (
        "\"cannot set property '%s' of undefined\", prop)",
        "speaks_codex ? \"Cannot set properties of undefined (setting '%s')\" : \"cannot set property '%s' of undefined\", prop)",
    ),
    (
        "JS_ThrowReferenceError(ctx, \"%s is not initialized\",",
        "JS_ThrowReferenceError(ctx, speaks_codex ? \"Cannot access '%s' before initialization\" : \"%s is not initialized\",",
    ),
    (
        "            JS_ThrowTypeError(ctx, \"circular reference\");",
        "            JS_ThrowTypeError(ctx, speaks_codex ? \"Converting circular structure to JSON\" : \"circular reference\");",
    ),
    (
        "JS_ThrowTypeError(ctx, \"BigInt are forbidden in JSON.stringify\");",
        "JS_ThrowTypeError(ctx, speaks_codex ? \"Do not know how to serialize a BigInt\" : \"BigInt are forbidden in JSON.stringify\");",
    ),
];
