//! JSON goes through our own reader and writer first (`guest/json_read.c`, `guest/json_write.c`), which leave to
//! QuickJS's what they do not take.

/// Where a function's body begins, and the same with what is tried first.
pub(super) const CHANGES: &[(&str, &str)] = &[
    (
        "                                     const char *filename, JSONParseRecord *pr)\n{\n    JSParseState s1, *s = &s1;\n    JSValue val = JS_UNDEFINED;\n",
        "                                     const char *filename, JSONParseRecord *pr)
{
    JSParseState s1, *s = &s1;
    JSValue val = JS_UNDEFINED;

    if (!pr && !JS_IsUninitialized(val = json_read(ctx, buf, buf_len)))
        return val;
",
    ),
    (
        "    JSValue val, v, space, ret, wrapper;\n    int res;\n    int64_t i, j, n;\n",
        "    JSValue val, v, space, ret, wrapper;
    int res;
    int64_t i, j, n;

    if ((JS_IsUndefined(replacer) || JS_IsNull(replacer)) &&
        !JS_IsUninitialized(ret = json_write(ctx, obj, space0)))
        return ret;
",
    ),
];
