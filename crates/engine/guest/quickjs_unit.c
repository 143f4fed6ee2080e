/* QuickJS-NG as one unit, with the doors into its private state that the guest needs.
 *
 * The stack limit is set here because upstream switches it off for WASI builds: without it deep recursion
 * would end as a trap of the whole VM instead of a RangeError that the cell can catch. */
#include "guest.h"

/* What build/patch.rs writes into quickjs.c refers to these. */
static bool carrel_is_prelude(JSContext *ctx, JSAtom file);
static void carrel_refuse_import(JSContext *ctx, JSValueConst specifier);
int carrel_import_line, carrel_import_column;

#include "quickjs.c"

/* Whether a file is one of the prelude's. */
static bool carrel_is_prelude(JSContext *ctx, JSAtom file)
{
    static const char prefix[] = "carrel:";
    if (!file || __JS_AtomIsTaggedInt(file))
        return false;
    JSString *name = ctx->rt->atom_array[file];
    return !name->is_wide_char && name->len >= sizeof(prefix) - 1 && memcmp(str8(name), prefix, sizeof(prefix) - 1) == 0;
}

/* `import()`: it could be loaded no more than `import` could, and here the caller is still known. */
static void carrel_refuse_import(JSContext *ctx, JSValueConst specifier)
{
    const char *name = JS_ToCString(ctx, specifier);
    if (name)
        carrel_throw_import(ctx, name);
    JS_FreeCString(ctx, name);
}

void carrel_limit_stack(JSRuntime *rt, size_t bytes)
{
    rt->stack_size = bytes;
    rt->stack_limit = rt->stack_top - bytes;
}

void carrel_seed(JSContext *ctx, uint64_t seed)
{
    ctx->random_state = seed ? seed : 1;
}

/* Remembers the JavaScript that called the C function which runs now: a function, and the offset of the call
 * in its code. Cheap, as it is done for each tool call; the line is found only when the call has failed. */
JSValue carrel_call_site(JSContext *ctx, uint32_t *offset)
{
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
        if (js_class_has_bytecode(function->class_id) && frame->cur_pc) {
            *offset = frame->cur_pc - function->u.func.function_bytecode->byte_code_buf - 1;
            return js_dup(frame->cur_func);
        }
    }
    return JS_UNDEFINED;
}

/* Writes a call site as a line of a stack trace. */
JSValue carrel_call_site_text(JSContext *ctx, JSValueConst function, uint32_t offset)
{
    if (JS_IsUndefined(function))
        return JS_UNDEFINED;
    JSFunctionBytecode *code = JS_VALUE_GET_OBJ(function)->u.func.function_bytecode;
    int column, line = find_line_num(ctx, code, offset, &column);
    const char *name = get_func_name(ctx, function);
    const char *file = JS_AtomToCString(ctx, code->filename);
    char text[256];
    snprintf(text, sizeof(text), "    at %.100s (%.100s:%d:%d)", name && *name ? name : "<anonymous>", file ? file : "", line, column);
    JS_FreeCString(ctx, name);
    JS_FreeCString(ctx, file);
    return JS_NewString(ctx, text);
}
