//! Limits that QuickJS does not keep by itself: a check of the stack where a call makes none; and what is to happen when
//! memory is out, see `guest/memory.c`.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[
    // Fails without saying why.
    (
        "    if (out_len < 0)\n        return JS_EXCEPTION;\n    val = JS_NewUTF32String(ctx, out_buf, out_len);\n",
        "    if (out_len < 0)\n        return JS_ThrowOutOfMemory(ctx);\n    val = JS_NewUTF32String(ctx, out_buf, out_len);\n",
    ),
    // Calls what it could not make, which is "not a function" then.
    (
        "        fun_obj = js_closure(ctx, fun_obj, var_refs, sf);\n        ret_val = JS_CallFree(",
        "        fun_obj = js_closure(ctx, fun_obj, var_refs, sf);\n        if (JS_IsException(fun_obj))\n            return JS_EXCEPTION;\n        ret_val = JS_CallFree(",
    ),
    // A chain of built-in iterators calls from one to the next without the check that a call makes.
    (
        "            func = p->u.cfunc.c_function;\n            return func.iterator_next(",
        "            if (js_check_stack_overflow(ctx->rt, 0)) {\n                *pdone = false;\n                return JS_ThrowStackOverflow(ctx);\n            }\n            func = p->u.cfunc.c_function;\n            return func.iterator_next(",
    ),
    // An error that says so is known by a mark, whatever becomes of it.
    (
        "    uint8_t is_HTMLDDA : 1; /* specific annex B IsHtmlDDA behavior */\n",
        "    uint8_t is_HTMLDDA : 1; /* specific annex B IsHtmlDDA behavior */\n    uint8_t is_out_of_memory : 1;\n",
    ),
    (
        "    p->is_uncatchable_error = 0;\n",
        "    p->is_uncatchable_error = 0;\n    p->is_out_of_memory = 0;\n",
    ),
    (
        "        /* out of memory: throw JS_NULL to avoid recursing */\n        obj = JS_NULL;\n",
        "        obj = carrel_spare_error(ctx);\n",
    ),
    (
        "        JS_ThrowInternalError(ctx, \"out of memory\");\n        rt->in_out_of_memory = false;\n",
        "        JS_ThrowInternalError(ctx, \"out of memory\");\n        rt->in_out_of_memory = false;\n        carrel_out_of_memory(ctx);\n",
    ),
    (
        "    e = js_malloc(ctx, sizeof(*e) + argc * sizeof(JSValue));\n    if (!e)\n        return -1;\n",
        "    e = js_malloc(ctx, sizeof(*e) + argc * sizeof(JSValue));\n    if (!e) {\n        carrel_job_lost();\n        return -1;\n    }\n",
    ),
];
