//! In a persistent VM later cells see what earlier ones declared. These changes have QuickJS call `guest/variables.h` where
//! a module makes its variables and where a name that no scope knows is looked up.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[
    (
        "static JSValue JS_GetGlobalVar(JSContext *ctx, JSAtom prop,\n",
        "#include \"variables.h\"\n\nstatic JSValue JS_GetGlobalVar(JSContext *ctx, JSAtom prop,\n",
    ),
    (
        "        if (unlikely(JS_IsUninitialized(pr->u.value)))\n            return JS_ThrowReferenceErrorUninitialized(ctx, prs->atom);\n        return js_dup(pr->u.value);\n",
        "        return js_dup(*carrel_variable(prs, pr));\n",
    ),
    (
        "    prs = find_own_property(&pr, p, prop);
    if (prs) {
        /* XXX: should handle JS_PROP_TMASK properties */
",
        "    prs = find_own_property(&pr, p, prop);
    if (prs && !JS_IsUninitialized(*carrel_variable(prs, pr))) {
        /* XXX: should handle JS_PROP_TMASK properties */
",
    ),
    (
        "    prs = find_own_property(&pr, p, prop);
    if (prs) {
        /* XXX: should handle JS_PROP_AUTOINIT properties? */
        /* XXX: conformance: do these tests in
           OP_put_var_ref/OP_get_var_ref ? */
        if (unlikely(JS_IsUninitialized(pr->u.value))) {
            JS_ThrowReferenceErrorUninitialized(ctx, prs->atom);
            return -1;
        }
",
        "    prs = find_own_property(&pr, p, prop);
    if (prs && !JS_IsUninitialized(*carrel_variable(prs, pr))) {
",
    ),
    (
        "    prs = find_own_property(&pr, p, prop);
    if (prs) {
        /* XXX: should handle JS_PROP_AUTOINIT properties? */
        if (flag != 1) {
            if (unlikely(JS_IsUninitialized(pr->u.value))) {
                JS_FreeValue(ctx, val);
                JS_ThrowReferenceErrorUninitialized(ctx, prs->atom);
                return -1;
            }
",
        "    prs = find_own_property(&pr, p, prop);
    if (prs && !JS_IsUninitialized(*carrel_variable(prs, pr))) {
        if (flag != 1) {
",
    ),
    (
        "        set_value(ctx, &pr->u.value, val);\n        return 0;\n    }\n\n    p = JS_VALUE_GET_OBJ(ctx->global_obj);\n",
        "        set_value(ctx, carrel_variable(prs, pr), val);\n        return 0;\n    }\n\n    p = JS_VALUE_GET_OBJ(ctx->global_obj);\n",
    ),
    (
        "                var_ref = js_create_module_var(ctx, cv->is_lexical);\n",
        "                var_ref = carrel_module_variable(ctx, cv);\n",
    ),
];
