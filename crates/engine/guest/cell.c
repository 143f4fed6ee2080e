/* A cell, from its first event to its end.
 *
 * In a persistent VM one cell follows another, which sees the variables of those before it. The host calls the export named after an event; the guest fetches the event's bytes and runs until nothing
 * is left to do without a further event, emitting effects on the way. */
#include "guest.h"

static JSModuleDef *module;
static JSValue module_promise = JS_UNDEFINED;

/* Whether the VM is to outlive the cell, and how many cells it has had. */
static bool persistent;
static int cells;
/* Whether the cell called `exit()`, and is on its way out. */
static bool exiting;
/* The name of the cell in stack traces. */
static char cell_name[32] = CELL_NAME;

bool speaks_codex;
/* What describes a source that does not parse, or does not link, in any dialect. */
static JSValue describe_plainly = JS_UNDEFINED;

/* ---- ending ---- */

static int32_t end_with_exception(JSContext *ctx, int32_t ending);

static int32_t ended(JSContext *ctx, int32_t ending, JSValue text)
{
    size_t len = 0;
    const char *a = JS_IsUndefined(text) ? NULL : JS_ToCStringLen(ctx, &len, text);
    if (!a && !JS_IsUndefined(text)) {
        if (ending == ENDING_COMPLETED)
            return end_with_exception(ctx, ENDING_THROWN);
        ending = ENDING_OUT_OF_MEMORY;
    }
    host_effect(EFFECT_END, ending, persistent, a, len, NULL, 0);
    JS_FreeCString(ctx, a);
    JS_FreeValue(ctx, text);
    return TURN_ENDED;
}

static int32_t ended_by_exit(JSContext *ctx)
{
    return ended(ctx, ENDING_EXITED, JS_UNDEFINED);
}

/* Describes a thrown value as JSON by a function of the prelude; undefined where the value's own code, or memory that is out,
 * gets in the way. The latter is noted. */
static JSValue describe(JSContext *ctx, JSValueConst by, JSValueConst reason, bool *out_of_memory)
{
    JSValue args[2] = { JS_DupValue(ctx, reason), JS_NewString(ctx, cell_name) };
    JSValue text = JS_IsException(args[1]) ? args[1] : JS_Call(ctx, by, JS_UNDEFINED, 2, args);
    JS_FreeValue(ctx, args[0]);
    JS_FreeValue(ctx, args[1]);
    if (JS_IsException(text)) {
        JSValue other = JS_GetException(ctx);
        *out_of_memory |= memory_is_cause(other);
        JS_FreeValue(ctx, other);
        return JS_UNDEFINED;
    }
    return text;
}

static void warn_of_rejection_by(JSContext *ctx, JSValueConst by, JSValueConst promise)
{
    if (JS_VALUE_GET_PTR(promise) == JS_VALUE_GET_PTR(module_promise))
        return;
    JSValue reason = JS_PromiseResult(ctx, promise);
    bool out_of_memory = false;
    JSValue text = describe(ctx, by, reason, &out_of_memory);
    JS_FreeValue(ctx, reason);
    size_t len = 0;
    const char *a = JS_ToCStringLen(ctx, &len, text);
    /* Where the reason's own code called `exit()`, that has warned of it. */
    if (!exiting)
        host_effect(EFFECT_WARNING, 0, 0, a, len, NULL, 0);
    JS_FreeCString(ctx, a);
    JS_FreeValue(ctx, text);
}

static void warn_of_rejection(JSContext *ctx, JSValueConst promise)
{
    warn_of_rejection_by(ctx, prelude_describe, promise);
}

/* As `exit()` does, after which no code of the cell's may run. */
static void warn_of_rejection_still(JSContext *ctx, JSValueConst promise)
{
    warn_of_rejection_by(ctx, prelude_describe_still, promise);
}

JSValue cell_exit(JSContext *ctx)
{
    rejections_each(ctx, warn_of_rejection_still);
    if (persistent) {
        /* What is on the stack has to be freed properly, as the VM goes on. */
        JSValue exception = carrel_throw_uncatchable(ctx);
        exiting = true;
        return exception;
    }
    /* A trap is the one way out that neither `catch`, `finally` nor a promise job sees. */
    ended_by_exit(ctx);
    __builtin_trap();
}

/* An exit can end up in a function of QuickJS's that makes a value of any exception: the next call then leaves by a
 * trap. What is on the stack at that time is lost to the VM, but no code runs that should not. */
int cell_interrupted(JSRuntime *rt, void *opaque)
{
    (void)rt;
    (void)opaque;
    if (exiting) {
        ended_by_exit(context);
        __builtin_trap();
    }
    return 0;
}

static int32_t end_with_reason(JSContext *ctx, int32_t ending, JSValue reason)
{
    bool out_of_memory = memory_is_cause(reason);
    JSValueConst by = speaks_codex && ending == ENDING_SYNTAX ? describe_plainly : prelude_describe;
    JSValue text = exiting ? JS_UNDEFINED : describe(ctx, by, reason, &out_of_memory);
    JS_FreeValue(ctx, reason);
    return exiting ? ended_by_exit(ctx) : ended(ctx, out_of_memory ? ENDING_OUT_OF_MEMORY : ending, text);
}

static int32_t end_with_exception(JSContext *ctx, int32_t ending)
{
    return end_with_reason(ctx, ending, JS_GetException(ctx));
}

static int32_t end_completed(JSContext *ctx)
{
    if (speaks_codex)
        return ended(ctx, ENDING_COMPLETED, JS_UNDEFINED);
    JSValue namespace = JS_GetModuleNamespace(ctx, module);
    JSValue value = JS_GetPropertyStr(ctx, namespace, "default");
    JS_FreeValue(ctx, namespace);
    JSValue text = JS_IsException(value) ? JS_EXCEPTION : JS_JSONStringify(ctx, value, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, value);
    if (JS_IsException(text))
        return end_with_exception(ctx, ENDING_THROWN);
    rejections_each(ctx, warn_of_rejection);
    return exiting ? ended_by_exit(ctx) : ended(ctx, ENDING_COMPLETED, text);
}

/* Runs what can run, then sees whether the module has settled. */
static int32_t run(JSContext *ctx)
{
    JSContext *job_context;
    int done;
    do
        done = exiting || memory_lost_a_job() ? 0 : JS_ExecutePendingJob(runtime, &job_context);
    while (done > 0);
    if (exiting)
        return ended_by_exit(ctx);
    if (memory_lost_a_job())
        return ended(ctx, ENDING_OUT_OF_MEMORY, JS_UNDEFINED);
    if (done < 0)
        return end_with_exception(job_context, ENDING_THROWN);
    switch (JS_PromiseState(ctx, module_promise)) {
    case JS_PROMISE_FULFILLED:
        return end_completed(ctx);
    case JS_PROMISE_REJECTED:
        rejections_each(ctx, warn_of_rejection);
        return end_with_reason(ctx, ENDING_THROWN, JS_PromiseResult(ctx, module_promise));
    default:
        if (calls_pending > 0 || timers_pending > 0)
            return TURN_IDLE;
        /* Codex leaves it to others to give up. */
        if (speaks_codex && !memory_ran_out())
            return TURN_IDLE;
        /* What would have settled it may be what memory was out for. */
        return ended(ctx, memory_ran_out() ? ENDING_OUT_OF_MEMORY : ENDING_UNSETTLED, JS_UNDEFINED);
    }
}

/* ---- exports ---- */

JSValue cell_throw_text(JSContext *ctx)
{
    JSValue reason = JS_GetException(ctx);
    if (exiting)
        return JS_Throw(ctx, reason);
    JSValue text = memory_is_cause(reason) ? JS_DupValue(ctx, reason) : JS_Call(ctx, codex_error_text, JS_UNDEFINED, 1, &reason);
    JS_FreeValue(ctx, reason);
    return JS_IsException(text) ? text : JS_Throw(ctx, text);
}

/* Makes the VM speak the dialect of Codex, for good. What it had before stays where it is: to let go of it would write to
 * many a page of the image. */
static void speak_codex(JSContext *ctx)
{
    carrel_exchange_globals(ctx, codex_globals, codex_errors);
    describe_plainly = prelude_describe;
    prelude_describe = codex_describe;
    prelude_tool_error = codex_tool_error;
    prelude_forget_tools = codex_forget_tools;
    speaks_codex = true;
}

static void name_cell(void)
{
    char number[12] = "";
    if (cells > 1)
        snprintf(number, sizeof(number), "%d", cells);
    snprintf(cell_name, sizeof(cell_name), speaks_codex ? "exec_main%s.mjs" : "cell%s.js", number);
}

/* Clears up after the cell before, of which its variables are kept. */
static int forget_last_cell(JSContext *ctx)
{
    exiting = false;
    carrel_end_cell(ctx, module);
    calls_clear(ctx);
    rejections_clear(ctx);
    memory_forget();
    timers_pending = 0;
    JS_FreeValue(ctx, module_promise);
    module = NULL;
    module_promise = JS_UNDEFINED;
    JSValue done = JS_Call(ctx, prelude_forget_cell, JS_UNDEFINED, 0, NULL);
    return JS_IsException(done) ? -1 : 0;
}

/* A cell begins. The event's parcel holds the tools' names, each ended by a newline, then the tools as a
 * JSON array. */
EXPORT("start")
int32_t start(size_t names_len, size_t json_len, size_t source_len, int64_t seed, int64_t now_us, int32_t keep_vm,
              size_t quota_value_bytes, size_t quota_bytes, size_t quota_keys, size_t stored_bytes, size_t stored_keys,
              size_t zone_len, int32_t dialect)
{
    JSContext *ctx = context;
    carrel_now_us = carrel_began_us = now_us;
    zone_set(zone_len);
    quota = (struct quota){ .value_bytes = quota_value_bytes, .bytes = quota_bytes, .keys = quota_keys };
    stored = (struct quota){ .bytes = stored_bytes, .keys = stored_keys };
    persistent = keep_vm;
    if (++cells > 1 && forget_last_cell(ctx))
        return end_with_exception(ctx, ENDING_THROWN);
    if (dialect == DIALECT_CODEX && !speaks_codex)
        speak_codex(ctx);
    name_cell();
    carrel_keep_variables(persistent);
    carrel_seed(ctx, (uint64_t)seed);
    random_seed((uint64_t)seed);
    carrel_name_cell(ctx, cell_name);
    char *source = bridge_set_tools(ctx, names_len, json_len) ? NULL : fetch(ctx, PARCEL_SOURCE, source_len);
    if (!source)
        return end_with_exception(ctx, ENDING_THROWN);
    JSValue compiled = JS_Eval(ctx, source, source_len, cell_name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (speaks_codex)
        carrel_keep_source(ctx, source);
    else
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
    struct call call;
    if (!calls_take(handle, &call))
        return TURN_IDLE;

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
    if (ok)
        carrel_resolve(ctx, call.promise, value);
    else
        carrel_reject(ctx, call.promise, value);
    JS_FreeValue(ctx, value);
    JS_FreeValue(ctx, call.promise);
    JS_FreeValue(ctx, call.site);
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
