/* QuickJS-NG as one unit, with the doors into its private state that the guest needs.
 *
 * The stack limit is set here because upstream switches it off for WASI builds: without it deep recursion
 * would end as a trap of the whole VM instead of a RangeError that the cell can catch. */
#include "guest.h"

/* What build/patch writes into quickjs.c refers to these. */
static bool carrel_is_prelude(JSContext *ctx, JSAtom file);
static void carrel_refuse_import(JSContext *ctx, JSValueConst specifier);
int carrel_import_line, carrel_import_column;
static JSValue json_read(JSContext *ctx, const char *text, size_t len);
static JSValue json_write(JSContext *ctx, JSValueConst value, JSValueConst space);

#include "quickjs.c"

#include "json_read.c"
#include "json_write.c"
#include "promise.c"

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

void carrel_keep_variables(bool keep)
{
    carrel_keeps_variables = keep;
}

static void exchange_properties(JSObject *one, JSValueConst with)
{
    JSObject *other = JS_VALUE_GET_OBJ(with);
    JSShape *shape = one->shape;
    JSProperty *prop = one->prop;
    one->shape = other->shape;
    one->prop = other->prop;
    other->shape = shape;
    other->prop = prop;
}

void carrel_exchange_globals(JSContext *ctx, JSValueConst globals, JSValueConst errors)
{
    exchange_properties(JS_VALUE_GET_OBJ(ctx->global_obj), globals);
    exchange_properties(JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ERROR]), errors);
}

void carrel_end_cell(JSContext *ctx, JSModuleDef *module)
{
    JSRuntime *rt = ctx->rt;
    /* Where `exit()` left by a trap, C was in the middle of these. */
    rt->current_stack_frame = NULL;
    rt->parent_promise = NULL;
    rt->in_out_of_memory = false;
    rt->in_build_stack_trace = false;
    JS_FreeValue(ctx, JS_GetException(ctx));

    struct list_head *at, *next;
    list_for_each_safe(at, next, &rt->job_list) {
        JSJobEntry *job = list_entry(at, JSJobEntry, link);
        list_del(&job->link);
        for (int i = 0; i < job->argc; i++)
            JS_FreeValue(ctx, job->argv[i]);
        js_free(ctx, job);
    }
    /* A promise that will never settle may still hold the module. */
    if (module && JS_REF_COUNT(module) == 1)
        js_free_module_def(ctx, module);
}

JSValue carrel_throw_uncatchable(JSContext *ctx)
{
    JSValue error = JS_NewError(ctx);
    JS_SetUncatchableError(ctx, error);
    ctx->interrupt_counter = 0;
    return JS_Throw(ctx, error);
}

void carrel_mark_out_of_memory(JSValueConst error)
{
    if (JS_IsObject(error))
        JS_VALUE_GET_OBJ(error)->is_out_of_memory = true;
}

bool carrel_is_out_of_memory(JSValueConst thrown)
{
    return JS_IsObject(thrown) && JS_VALUE_GET_OBJ(thrown)->is_out_of_memory;
}

/* The class that an object was made as. */
JSValue carrel_class_of(JSContext *ctx, JSValueConst value)
{
    if (!JS_IsObject(value))
        return JS_UNDEFINED;
    if (JS_IsProxy(value))
        return JS_NewString(ctx, "Proxy");
    return JS_AtomToString(ctx, ctx->rt->class_array[JS_VALUE_GET_OBJ(value)->class_id].class_name);
}

/* Remembers the JavaScript that called the C function which runs now: a function, and the offset of the call
 * in its code. Cheap, as it is done for each tool call; the line is found only when the call has failed. */
JSValue carrel_call_site(JSContext *ctx, uint32_t *offset)
{
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
        if (!js_class_has_bytecode(function->class_id) || !frame->cur_pc)
            continue;
        JSFunctionBytecode *code = function->u.func.function_bytecode;
        if (carrel_is_prelude(ctx, code->filename))
            continue;
        *offset = frame->cur_pc - code->byte_code_buf - 1;
        return js_dup(frame->cur_func);
    }
    return JS_UNDEFINED;
}

/* The file of the running cell's code. */
static JSAtom cell_file;

void carrel_name_cell(JSContext *ctx, const char *name)
{
    JS_FreeAtom(ctx, cell_file);
    cell_file = JS_NewAtom(ctx, name);
}

#include "called.c"

/* The table that gives code its places, read so far: a call that stands behind the last one, as most do, is found from
 * there. The table is `find_line_num`'s. */
static struct {
    JSValue function;
    const uint8_t *next;
    uint32_t offset;
    int line, column;
} places = { .function = JS_UNDEFINED };

void carrel_forget_places(JSContext *ctx)
{
    JS_FreeValue(ctx, places.function);
    places.function = JS_UNDEFINED;
}

static void read_places(JSContext *ctx, JSValueConst function, uint32_t offset)
{
    JSFunctionBytecode *code = JS_VALUE_GET_OBJ(function)->u.func.function_bytecode;
    bool is_same = JS_IsObject(places.function) && JS_VALUE_GET_OBJ(places.function)->u.func.function_bytecode == code;
    if (!is_same || offset < places.offset) {
        carrel_forget_places(ctx);
        places.function = js_dup(function);
        places.next = code->pc2line_buf;
        places.offset = 0;
        places.line = code->line_num;
        places.column = code->col_num;
    }
    const uint8_t *at = places.next, *end = code->pc2line_buf + code->pc2line_len;
    while (at && at < end) {
        uint32_t next_offset = places.offset;
        int32_t lines, columns;
        unsigned op = *at++;
        int len = 0;
        if (op == 0) {
            uint32_t bytes;
            if ((len = get_leb128(&bytes, at, end)) < 0)
                return;
            at += len;
            next_offset += bytes;
            if ((len = get_sleb128(&lines, at, end)) < 0)
                return;
            at += len;
        } else {
            op -= PC2LINE_OP_FIRST;
            next_offset += op / PC2LINE_RANGE;
            lines = op % PC2LINE_RANGE + PC2LINE_BASE;
        }
        if ((len = get_sleb128(&columns, at, end)) < 0 || offset < next_offset)
            return;
        at += len;
        places.next = at;
        places.offset = next_offset;
        places.line += lines;
        places.column += columns;
    }
}

void carrel_place(JSContext *ctx, int *line, int *column)
{
    *line = *column = 0;
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
        if (!js_class_has_bytecode(function->class_id) || !frame->cur_pc)
            continue;
        JSFunctionBytecode *code = function->u.func.function_bytecode;
        if (code->filename != cell_file)
            continue;
        read_places(ctx, frame->cur_func, frame->cur_pc - code->byte_code_buf - 1);
        *line = places.line;
        *column = places.column;
        return;
    }
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

void carrel_forget_sources(JSRuntime *rt)
{
    struct list_head *at;
    list_for_each(at, &rt->gc_obj_list) {
        JSGCObjectHeader *object = list_entry(at, JSGCObjectHeader, link);
        if (JS_GC_TYPE(object) != JS_GC_OBJ_TYPE_FUNCTION_BYTECODE)
            continue;
        JSFunctionBytecode *code = (JSFunctionBytecode *)object;
        js_free_rt(rt, code->source);
        code->source = NULL;
    }
}

/* What a small cell allocates of each size, at most, in bytes. */
#define NURSERY_BYTES 640

void carrel_make_nursery(JSRuntime *rt)
{
    size_t bytes = 0;
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++)
        bytes += sizeof(JSArena) + (2 + NURSERY_BYTES / arena_block_sizes[i]) * arena_block_sizes[i];
    uint8_t *at = rt->mf.js_malloc(rt->malloc_state.opaque, bytes);
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        unsigned size = arena_block_sizes[i], blocks = 2 + NURSERY_BYTES / size;
        JSArena *arena = (JSArena *)at;
        *arena = (JSArena){ .block_size_idx = i, .n_blocks = blocks, .n_used_blocks = 1, .first_free_block = 1 };
        for (unsigned block = 0; block < blocks; block++) {
            JSMallocBlockHeader *header = arena_get_block(arena, block, size);
            header->u.free_next = block + 1 < blocks ? block + 1 : JS_ARENA_FREE_NIL;
            header->block_size_idx = i;
        }
        list_add(&arena->link, &rt->arena_state.arena_list[i]);
        list_add(&arena->free_link, &rt->arena_state.free_arena_list[i]);
        at += sizeof(JSArena) + blocks * size;
    }
}
