/* A cell: one VM from its first event to its end.
 *
 * The host calls the export named after an event; the guest fetches the event's bytes and runs until nothing
 * is left to do without a further event, emitting effects on the way. */
#include <string.h>

#include "host.h"
#include "quickjs.h"

/* The shadow stack is 1 MiB (see build/guest.rs). What is left below the limit is for C functions that
 * check late; the host gives wasm's own stack room for far more than this much JavaScript recursion. */
#define STACK_BYTES (768 * 1024)
/* The image of built-ins alone is a third of a MiB: a first collection below this would only walk it. */
#define GC_THRESHOLD_BYTES (4 * 1024 * 1024)

#define CELL_NAME "cell.js"
#define PRELUDE_NAME "carrel:prelude"

extern int64_t carrel_now_us;
extern const char carrel_prelude[];
extern const unsigned carrel_prelude_len;
void carrel_limit_stack(JSRuntime *rt, size_t bytes);
void carrel_seed(JSContext *ctx, uint64_t seed);
JSValue carrel_call_site(JSContext *ctx, uint32_t *offset);
JSValue carrel_call_site_text(JSContext *ctx, JSValueConst function, uint32_t offset);

/* A tool call that waits for its answer. A slot is used again under the next number, so that a late or a
 * second answer finds nothing. */
struct call {
    int64_t number;
    int32_t tool;
    int32_t next_free;
    JSValue resolve;
    JSValue reject;
    JSValue site; /* where it was called, by function and offset */
    uint32_t site_offset;
};

static JSRuntime *runtime;
static JSContext *context;

/* Functions of the prelude that C calls. */
static JSValue prelude_tool_error, prelude_describe, prelude_fire;

static char *tools_text;
static size_t tools_names_len, tools_json_len;

static struct call *calls;
static int32_t calls_len, calls_free = -1;
static int64_t calls_made;
static int32_t calls_pending;
static int32_t timers_pending;

/* What the session allows to be stored, and what it had stored and this cell has added to that. */
static struct {
    size_t value_bytes, bytes, keys;
} quota, stored;

static JSModuleDef *module;
static JSValue module_promise = JS_UNDEFINED;

/* Rejected promises that nobody handles yet. */
static JSValue *rejected;
static int rejected_len, rejected_cap;

static void effect(int kind, int32_t small, int64_t number, const char *a, size_t a_len, const char *b, size_t b_len)
{
    host_effect(kind, small, number, a, a_len, b, b_len);
}

/* Fetches a parcel and ends it with a zero, as the parsers want it. NULL when memory is out. */
static char *fetch(JSContext *ctx, int32_t parcel, size_t len)
{
    char *bytes = js_malloc(ctx, len + 1);
    if (!bytes)
        return NULL;
    host_copy_parcel(parcel, bytes);
    bytes[len] = 0;
    return bytes;
}

/* ---- calls ---- */

static JSValue settled_with_exception(JSContext *ctx)
{
    JSValue reason = JS_GetException(ctx);
    JSValue promise = JS_NewSettledPromise(ctx, true, reason);
    JS_FreeValue(ctx, reason);
    return promise;
}

static int32_t take_slot(JSContext *ctx)
{
    if (calls_free < 0) {
        int32_t len = calls_len ? calls_len * 2 : 16;
        struct call *grown = js_realloc(ctx, calls, len * sizeof(*calls));
        if (!grown)
            return -1;
        calls = grown;
        for (int32_t i = len - 1; i >= calls_len; i--) {
            calls[i].number = -1;
            calls[i].next_free = calls_free;
            calls_free = i;
        }
        calls_len = len;
    }
    int32_t slot = calls_free;
    calls_free = calls[slot].next_free;
    return slot;
}

static JSValue call_tool(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int tool, JSValueConst *data)
{
    (void)this_val;
    (void)data;
    const char *json = NULL;
    size_t json_len = 0;
    JSValue text = JS_UNDEFINED;
    if (argc > 0 && !JS_IsUndefined(argv[0])) {
        text = JS_JSONStringify(ctx, argv[0], JS_UNDEFINED, JS_UNDEFINED);
        if (!JS_IsException(text) && JS_IsUndefined(text))
            text = JS_ThrowTypeError(ctx, "the input of a tool must be a JSON value, not a function or a symbol");
        if (JS_IsException(text))
            return settled_with_exception(ctx);
        json = JS_ToCStringLen(ctx, &json_len, text);
        JS_FreeValue(ctx, text);
        if (!json)
            return settled_with_exception(ctx);
    }
    JSValue settle[2];
    JSValue promise = JS_NewPromiseCapability(ctx, settle);
    int32_t slot = JS_IsException(promise) ? -1 : take_slot(ctx);
    if (slot < 0) {
        JS_FreeCString(ctx, json);
        return JS_EXCEPTION;
    }
    struct call *call = &calls[slot];
    *call = (struct call){ .number = ++calls_made, .tool = tool, .resolve = settle[0], .reject = settle[1] };
    call->site = carrel_call_site(ctx, &call->site_offset);
    calls_pending++;
    effect(EFFECT_TOOL_CALL, tool, (calls_made << 24) | slot, json, json_len, NULL, 0);
    JS_FreeCString(ctx, json);
    return promise;
}

/* ---- functions of the prelude's `host` ---- */

static JSValue host_tool_index(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const char *name = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    const char *at = tools_text, *end = tools_text + tools_names_len;
    int index = 0, found = -1;
    while (at < end) {
        const char *line_end = memchr(at, '\n', end - at);
        if ((size_t)(line_end - at) == len && memcmp(at, name, len) == 0) {
            found = index;
            break;
        }
        at = line_end + 1;
        index++;
    }
    JS_FreeCString(ctx, name);
    return JS_NewInt32(ctx, found);
}

static JSValue host_tool_function(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    int32_t index;
    if (JS_ToInt32(ctx, &index, argv[0]))
        return JS_EXCEPTION;
    const char *name = JS_ToCString(ctx, argv[1]);
    if (!name)
        return JS_EXCEPTION;
    JSValue function = JS_NewCFunctionData2(ctx, call_tool, name, 1, index, 0, NULL);
    JS_FreeCString(ctx, name);
    return function;
}

static JSValue host_tools_json(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    if (!tools_json_len)
        return JS_NewArray(ctx);
    return JS_ParseJSON(ctx, tools_text + tools_names_len, tools_json_len, "tools");
}

/* The effects that the prelude may emit by number; the others have functions of their own, which check more. */
static int is_emittable(int32_t kind)
{
    switch (kind) {
    case EFFECT_TEXT:
    case EFFECT_IMAGE:
    case EFFECT_AUDIO:
    case EFFECT_BLOCK:
    case EFFECT_NOTIFY:
    case EFFECT_SET_TIMER:
    case EFFECT_CLEAR_TIMER:
    case EFFECT_YIELD:
        return 1;
    default:
        return 0;
    }
}

/* emit(kind, small, number, a, b). Converts nothing: a conversion would run code of the cell's with this function
 * on the stack. */
static JSValue host_emit(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    int32_t kind, small;
    int64_t number;
    for (int i = 0; i < argc; i++)
        if (i < 3 ? !JS_IsNumber(argv[i]) : !JS_IsString(argv[i]))
            return JS_ThrowTypeError(ctx, "an effect is made of numbers and strings");
    if (argc < 3 || JS_ToInt32(ctx, &kind, argv[0]) || JS_ToInt32(ctx, &small, argv[1]) ||
        JS_ToInt64(ctx, &number, argv[2]) || !is_emittable(kind))
        return JS_ThrowTypeError(ctx, "there is no such effect");
    size_t a_len = 0, b_len = 0;
    const char *a = NULL, *b = NULL;
    if (argc > 3 && !(a = JS_ToCStringLen(ctx, &a_len, argv[3])))
        return JS_EXCEPTION;
    if (argc > 4 && !(b = JS_ToCStringLen(ctx, &b_len, argv[4]))) {
        JS_FreeCString(ctx, a);
        return JS_EXCEPTION;
    }
    if (kind == EFFECT_SET_TIMER)
        timers_pending++;
    else if (kind == EFFECT_CLEAR_TIMER)
        timers_pending--;
    effect(kind, small, number, a, a_len, b, b_len);
    JS_FreeCString(ctx, a);
    JS_FreeCString(ctx, b);
    return JS_UNDEFINED;
}

/* Tells whether a string is base64, by its alphabet and its padding. */
static JSValue host_is_base64(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const char *text = JS_IsString(argv[0]) ? JS_ToCStringLen(ctx, &len, argv[0]) : NULL;
    if (!text)
        return JS_IsString(argv[0]) ? JS_EXCEPTION : JS_FALSE;
    size_t end = len;
    while (end > 0 && len - end < 2 && text[end - 1] == '=')
        end--;
    int valid = 1;
    for (size_t i = 0; i < end && valid; i++) {
        char c = text[i];
        valid = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    }
    JS_FreeCString(ctx, text);
    return JS_NewBool(ctx, valid);
}

/* Stores a value unless that would go over a quota: store(key, json, the JSON this cell stored there before).
 * Returns nothing, or the name of the quota and its value. */
static JSValue host_store(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t key_len, len, before = 0;
    const char *key = JS_ToCStringLen(ctx, &key_len, argv[0]);
    const char *json = JS_ToCStringLen(ctx, &len, argv[1]);
    const char *previous = JS_IsUndefined(argv[2]) ? NULL : JS_ToCStringLen(ctx, &before, argv[2]);
    JSValue result = JS_UNDEFINED;
    if (!key || !json || (!previous && !JS_IsUndefined(argv[2]))) {
        result = JS_EXCEPTION;
    } else {
        int32_t committed = previous ? -1 : host_find_stored(key, key_len);
        int is_new = !previous && committed < 0;
        if (committed > 0)
            before = committed;
        /* Keys count, too. */
        size_t after = is_new ? len + key_len : len;
        const char *over = NULL;
        size_t maximum = 0;
        if (len > quota.value_bytes)
            over = "stored_value_bytes", maximum = quota.value_bytes;
        else if (stored.bytes - before + after > quota.bytes)
            over = "stored_bytes", maximum = quota.bytes;
        else if (is_new && stored.keys + 1 > quota.keys)
            over = "stored_keys", maximum = quota.keys;
        if (over) {
            result = JS_NewArray(ctx);
            JS_SetPropertyUint32(ctx, result, 0, JS_NewString(ctx, over));
            JS_SetPropertyUint32(ctx, result, 1, JS_NewInt64(ctx, maximum));
        } else {
            stored.bytes += after - before;
            stored.keys += is_new;
            effect(EFFECT_STORE, 0, 0, key, key_len, json, len);
        }
    }
    JS_FreeCString(ctx, key);
    JS_FreeCString(ctx, json);
    JS_FreeCString(ctx, previous);
    return result;
}

static JSValue host_load(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t key_len;
    const char *key = JS_ToCStringLen(ctx, &key_len, argv[0]);
    if (!key)
        return JS_EXCEPTION;
    int32_t len = host_find_stored(key, key_len);
    JS_FreeCString(ctx, key);
    if (len < 0)
        return JS_UNDEFINED;
    char *json = fetch(ctx, PARCEL_STORED, len);
    if (!json)
        return JS_EXCEPTION;
    JSValue value = JS_ParseJSON(ctx, json, len, "stored value");
    js_free(ctx, json);
    return value;
}

/* Leaves the cell for good. A trap is the one way out that neither `catch`, `finally` nor a promise job sees. */
static JSValue host_exit(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)ctx;
    (void)this_val;
    (void)argc;
    (void)argv;
    effect(EFFECT_END, ENDING_EXITED, 0, NULL, 0, NULL, 0);
    __builtin_trap();
}

static const JSCFunctionListEntry host_functions[] = {
    JS_CFUNC_DEF("toolIndex", 1, host_tool_index),
    JS_CFUNC_DEF("toolFunction", 2, host_tool_function),
    JS_CFUNC_DEF("toolsJson", 0, host_tools_json),
    JS_CFUNC_DEF("emit", 5, host_emit),
    JS_CFUNC_DEF("isBase64", 1, host_is_base64),
    JS_CFUNC_DEF("store", 3, host_store),
    JS_CFUNC_DEF("load", 1, host_load),
    JS_CFUNC_DEF("exit", 0, host_exit),
};

/* ---- the engine's hooks ---- */

/* Every import is asked for under a name that no module has, so that a cell cannot import itself. */
#define IMPORT_PREFIX "import "

static JSModuleDef *refuse_import(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    JS_ThrowTypeError(ctx, "cannot import \"%s\": a cell has no modules; it has the globals and `tools`",
                      name + strlen(IMPORT_PREFIX));
    return NULL;
}

static char *prefix_name(JSContext *ctx, const char *base, const char *name, void *opaque)
{
    (void)base;
    (void)opaque;
    size_t len = strlen(name);
    char *prefixed = js_malloc(ctx, strlen(IMPORT_PREFIX) + len + 1);
    if (!prefixed)
        return NULL;
    memcpy(prefixed, IMPORT_PREFIX, strlen(IMPORT_PREFIX));
    memcpy(prefixed + strlen(IMPORT_PREFIX), name, len + 1);
    return prefixed;
}

static void track_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
    (void)reason;
    (void)opaque;
    if (handled) {
        for (int i = 0; i < rejected_len; i++) {
            if (JS_VALUE_GET_PTR(rejected[i]) == JS_VALUE_GET_PTR(promise)) {
                JS_FreeValue(ctx, rejected[i]);
                rejected[i] = rejected[--rejected_len];
                return;
            }
        }
        return;
    }
    if (rejected_len == rejected_cap) {
        int cap = rejected_cap ? rejected_cap * 2 : 8;
        JSValue *grown = js_realloc_rt(runtime, rejected, cap * sizeof(*rejected));
        if (!grown)
            return; /* the cell is out of memory and will hear of it elsewhere */
        rejected = grown;
        rejected_cap = cap;
    }
    rejected[rejected_len++] = JS_DupValue(ctx, promise);
}

/* ---- ending ---- */

/* Describes a thrown value as JSON by the prelude; undefined where the value's own code, or memory that is out,
 * gets in the way. */
static JSValue describe(JSContext *ctx, JSValueConst reason)
{
    JSValue text = JS_Call(ctx, prelude_describe, JS_UNDEFINED, 1, &reason);
    if (JS_IsException(text)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return JS_UNDEFINED;
    }
    return text;
}

static void end_with(JSContext *ctx, int32_t ending, JSValue text)
{
    size_t len = 0;
    const char *a = JS_IsUndefined(text) ? NULL : JS_ToCStringLen(ctx, &len, text);
    effect(EFFECT_END, ending, 0, a, len, NULL, 0);
    JS_FreeCString(ctx, a);
    JS_FreeValue(ctx, text);
}

static int32_t end_with_reason(JSContext *ctx, int32_t ending, JSValue reason)
{
    JSValue text = describe(ctx, reason);
    JS_FreeValue(ctx, reason);
    end_with(ctx, ending, text);
    return TURN_ENDED;
}

static int32_t end_with_exception(JSContext *ctx, int32_t ending)
{
    return end_with_reason(ctx, ending, JS_GetException(ctx));
}

static void warn_of_rejections(JSContext *ctx)
{
    for (int i = 0; i < rejected_len; i++) {
        if (JS_VALUE_GET_PTR(rejected[i]) == JS_VALUE_GET_PTR(module_promise))
            continue;
        JSValue reason = JS_PromiseResult(ctx, rejected[i]);
        JSValue text = describe(ctx, reason);
        JS_FreeValue(ctx, reason);
        size_t len = 0;
        const char *a = JS_ToCStringLen(ctx, &len, text);
        effect(EFFECT_WARNING, 0, 0, a, len, NULL, 0);
        JS_FreeCString(ctx, a);
        JS_FreeValue(ctx, text);
    }
}

static int32_t end_completed(JSContext *ctx)
{
    JSValue namespace = JS_GetModuleNamespace(ctx, module);
    JSValue value = JS_GetPropertyStr(ctx, namespace, "default");
    JS_FreeValue(ctx, namespace);
    JSValue text = JS_IsException(value) ? JS_EXCEPTION : JS_JSONStringify(ctx, value, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, value);
    if (JS_IsException(text))
        return end_with_exception(ctx, ENDING_THROWN);
    warn_of_rejections(ctx);
    size_t len = 0;
    const char *json = JS_IsUndefined(text) ? NULL : JS_ToCStringLen(ctx, &len, text);
    if (!json && !JS_IsUndefined(text))
        return end_with_exception(ctx, ENDING_THROWN);
    effect(EFFECT_END, ENDING_COMPLETED, 0, json, len, NULL, 0);
    JS_FreeCString(ctx, json);
    JS_FreeValue(ctx, text);
    return TURN_ENDED;
}

/* Runs what can run, then sees whether the module has settled. */
static int32_t run(JSContext *ctx)
{
    JSContext *job_context;
    int done;
    while ((done = JS_ExecutePendingJob(runtime, &job_context)) > 0)
        continue;
    if (done < 0)
        return end_with_exception(job_context, ENDING_THROWN);
    switch (JS_PromiseState(ctx, module_promise)) {
    case JS_PROMISE_FULFILLED:
        return end_completed(ctx);
    case JS_PROMISE_REJECTED:
        warn_of_rejections(ctx);
        return end_with_reason(ctx, ENDING_THROWN, JS_PromiseResult(ctx, module_promise));
    default:
        if (calls_pending == 0 && timers_pending == 0) {
            end_with(ctx, ENDING_UNSETTLED, JS_UNDEFINED);
            return TURN_ENDED;
        }
        return TURN_IDLE;
    }
}

/* ---- exports ---- */

/* Runs a cell that does a little of what most do. What the engine makes, or lets go, at a first use is then done in
 * the image, and not by every cell again in pages of its own. */
static void warm_up(JSContext *ctx)
{
    static const char source[] = "const f = async () => JSON.parse(JSON.stringify([1, { a: 1 }])); String((await f()).length); await Promise.all([]);";
    JSContext *job_context;
    JSValue compiled = JS_Eval(ctx, source, sizeof(source) - 1, "carrel:warm-up", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    JSValue promise = JS_EvalFunction(ctx, compiled);
    while (JS_ExecutePendingJob(runtime, &job_context) > 0)
        continue;
    if (JS_PromiseState(ctx, promise) != JS_PROMISE_FULFILLED)
        __builtin_trap();
    JS_FreeValue(ctx, promise);
}

/* Sets everything up that all cells share. Runs once, when the image is built. */
EXPORT("initialize")
void initialize(void)
{
    runtime = JS_NewRuntime();
    carrel_limit_stack(runtime, STACK_BYTES);
    JS_SetGCThreshold(runtime, GC_THRESHOLD_BYTES);
    JSContext *ctx = context = JS_NewContextRaw(runtime);
    /* All but WeakRef and FinalizationRegistry, through which garbage collection could be observed. */
    if (JS_AddIntrinsicBaseObjects(ctx) || JS_AddIntrinsicDate(ctx) || JS_AddIntrinsicEval(ctx) ||
        JS_AddIntrinsicRegExp(ctx) || JS_AddIntrinsicJSON(ctx) || JS_AddIntrinsicProxy(ctx) ||
        JS_AddIntrinsicMapSet(ctx) || JS_AddIntrinsicTypedArrays(ctx) || JS_AddIntrinsicPromise(ctx) ||
        JS_AddIntrinsicAToB(ctx) || JS_AddPerformance(ctx))
        __builtin_trap();
    JS_SetModuleLoaderFunc(runtime, prefix_name, refuse_import, NULL);
    JS_SetHostPromiseRejectionTracker(runtime, track_rejection, NULL);

    JSValue host = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, host, host_functions, sizeof(host_functions) / sizeof(host_functions[0]));
    JSValue prelude = JS_Eval(ctx, carrel_prelude, carrel_prelude_len, PRELUDE_NAME, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT);
    JSValue for_guest = JS_Call(ctx, prelude, JS_UNDEFINED, 1, &host);
    if (JS_IsException(for_guest))
        __builtin_trap();
    prelude_tool_error = JS_GetPropertyStr(ctx, for_guest, "toolError");
    prelude_describe = JS_GetPropertyStr(ctx, for_guest, "describe");
    prelude_fire = JS_GetPropertyStr(ctx, for_guest, "fire");
    JS_FreeValue(ctx, for_guest);
    JS_FreeValue(ctx, prelude);
    JS_FreeValue(ctx, host);
    warm_up(ctx);
    JS_RunGC(runtime);
}

/* The cell begins. The event's parcel holds the tools' names, each ended by a newline, then the tools as a
 * JSON array. */
EXPORT("start")
int32_t start(size_t names_len, size_t json_len, size_t source_len, int64_t seed, int64_t now_us,
              size_t quota_value_bytes, size_t quota_bytes, size_t quota_keys, size_t stored_bytes, size_t stored_keys)
{
    JSContext *ctx = context;
    carrel_now_us = now_us;
    quota.value_bytes = quota_value_bytes;
    quota.bytes = quota_bytes;
    quota.keys = quota_keys;
    stored.bytes = stored_bytes;
    stored.keys = stored_keys;
    carrel_seed(ctx, (uint64_t)seed);
    tools_text = fetch(ctx, PARCEL_EVENT, names_len + json_len); /* kept: read when it is asked for */
    char *source = tools_text ? fetch(ctx, PARCEL_SOURCE, source_len) : NULL;
    if (!source)
        return end_with_exception(ctx, ENDING_THROWN);
    tools_names_len = names_len;
    tools_json_len = json_len;
    JSValue compiled = JS_Eval(ctx, source, source_len, CELL_NAME, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    js_free(ctx, source);
    if (JS_IsException(compiled))
        return end_with_exception(ctx, ENDING_SYNTAX);
    module = JS_VALUE_GET_PTR(compiled);
    module_promise = JS_EvalFunction(ctx, compiled);
    if (JS_IsException(module_promise))
        return end_with_exception(ctx, ENDING_THROWN);
    return run(ctx);
}

/* A tool call is answered, with a value or with an error, as JSON. */
EXPORT("answer")
int32_t answer(int64_t handle, int32_t ok, size_t len, int64_t now_us)
{
    JSContext *ctx = context;
    carrel_now_us = now_us;
    int32_t slot = handle & 0xffffff;
    if (slot >= calls_len || calls[slot].number != handle >> 24)
        return TURN_IDLE;
    struct call call = calls[slot];
    calls[slot].number = -1;
    calls[slot].next_free = calls_free;
    calls_free = slot;
    calls_pending--;

    char *json = fetch(ctx, PARCEL_EVENT, len);
    JSValue value = json ? JS_ParseJSON(ctx, json, len, "answer") : JS_EXCEPTION;
    js_free(ctx, json);
    if (!JS_IsException(value) && !ok) {
        JSValue site = carrel_call_site_text(ctx, call.site, call.site_offset);
        JSValue args[3] = { value, JS_NewInt32(ctx, call.tool), site };
        JSValue error = JS_Call(ctx, prelude_tool_error, JS_UNDEFINED, 3, args);
        JS_FreeValue(ctx, site);
        JS_FreeValue(ctx, value);
        value = error;
    }
    if (JS_IsException(value)) {
        ok = 0;
        value = JS_GetException(ctx);
    }
    JSValue settled = JS_Call(ctx, ok ? call.resolve : call.reject, JS_UNDEFINED, 1, &value);
    JS_FreeValue(ctx, value);
    JS_FreeValue(ctx, call.resolve);
    JS_FreeValue(ctx, call.reject);
    JS_FreeValue(ctx, call.site);
    if (JS_IsException(settled))
        return end_with_exception(ctx, ENDING_THROWN);
    JS_FreeValue(ctx, settled);
    return run(ctx);
}

/* A timer fires. One that was cleared before the event came is ignored. */
EXPORT("timer")
int32_t timer(int64_t id, int64_t now_us)
{
    JSContext *ctx = context;
    carrel_now_us = now_us;
    JSValue arg = JS_NewInt64(ctx, id);
    JSValue callback = JS_Call(ctx, prelude_fire, JS_UNDEFINED, 1, &arg);
    if (JS_IsUndefined(callback)) /* cleared in the meantime */
        return TURN_IDLE;
    timers_pending--;
    JSValue done = JS_IsException(callback) ? callback : JS_Call(ctx, callback, JS_UNDEFINED, 0, NULL);
    if (JS_IsException(done))
        return end_with_exception(ctx, ENDING_THROWN);
    JS_FreeValue(ctx, callback);
    JS_FreeValue(ctx, done);
    return run(ctx);
}
