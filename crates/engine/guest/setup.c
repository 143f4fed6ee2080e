/* Makes the VM that every cell begins with: run once, when the image is built. */
#include <stdio.h>

#include "guest.h"

/* The image of built-ins alone is a third of a MiB: a first collection below this would only walk it. */
#define GC_THRESHOLD_BYTES (4 * 1024 * 1024)

JSRuntime *runtime;
JSContext *context;
JSValue prelude_tool_error, prelude_describe, prelude_describe_still, prelude_fire, prelude_forget_cell, prelude_forget_tools;
JSValue codex_tool_error, codex_describe, codex_error_text, codex_forget_tools, codex_globals, codex_errors;

/* Every import is asked for under a name that no module has, so that a cell cannot import itself. */
#define IMPORT_PREFIX "import "

/* `import()`. */
void carrel_throw_import(JSContext *ctx, const char *name)
{
    if (speaks_codex)
        JS_Throw(ctx, JS_NewString(ctx, "unsupported import in exec"));
    else
        JS_ThrowTypeError(ctx, "cannot import \"%s\": a cell has no modules; it has the globals and `tools`", name);
}

static JSValue text_with(JSContext *ctx, const char *prefix, const char *rest)
{
    size_t prefix_len = strlen(prefix), len = prefix_len + strlen(rest);
    char *text = js_malloc(ctx, len + 1);
    if (!text)
        return JS_EXCEPTION;
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, rest, len + 1 - prefix_len);
    JSValue string = JS_NewStringLen(ctx, text, len);
    js_free(ctx, text);
    return string;
}

/* A module is linked before any of its code runs, so its error gets the place that a frame would have. */
static JSModuleDef *refuse_import(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    if (speaks_codex) {
        JSValue text = text_with(ctx, "Unsupported import in exec: ", name + strlen(IMPORT_PREFIX));
        if (!JS_IsException(text))
            JS_Throw(ctx, text);
        return NULL;
    }
    char place[64];
    carrel_throw_import(ctx, name + strlen(IMPORT_PREFIX));
    snprintf(place, sizeof(place), "    at " CELL_NAME ":%d:%d", carrel_import_line, carrel_import_column);
    JSValue error = JS_GetException(ctx);
    if (JS_IsObject(error))
        JS_DefinePropertyValueStr(ctx, error, "stack", JS_NewString(ctx, place), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_Throw(ctx, error);
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

/* Each file of the prelude is a function of `host`, which is bridge.c, and of `kit`, where a file leaves what later
 * ones and C are to find. */
static void evaluate_prelude(JSContext *ctx)
{
    JSValue arguments[2] = { bridge_new(ctx), JS_NewObject(ctx) };
    for (int i = 0; i < prelude_files_len; i++) {
        const struct prelude_file *file = &prelude_files[i];
        JSValue function = JS_Eval(ctx, file->source, file->len, file->name, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_STRICT);
        JSValue done = JS_Call(ctx, function, JS_UNDEFINED, 2, arguments);
        if (JS_IsException(done))
            __builtin_trap();
        JS_FreeValue(ctx, done);
        JS_FreeValue(ctx, function);
    }
    prelude_tool_error = JS_GetPropertyStr(ctx, arguments[1], "toolError");
    prelude_describe = JS_GetPropertyStr(ctx, arguments[1], "describe");
    prelude_describe_still = JS_GetPropertyStr(ctx, arguments[1], "describeStill");
    prelude_fire = JS_GetPropertyStr(ctx, arguments[1], "fire");
    prelude_forget_cell = JS_GetPropertyStr(ctx, arguments[1], "forgetCell");
    prelude_forget_tools = JS_GetPropertyStr(ctx, arguments[1], "forgetTools");
    JSValue codex = JS_GetPropertyStr(ctx, arguments[1], "codex");
    codex_tool_error = JS_GetPropertyStr(ctx, codex, "toolError");
    codex_describe = JS_GetPropertyStr(ctx, codex, "describe");
    codex_error_text = JS_GetPropertyStr(ctx, codex, "errorText");
    codex_forget_tools = JS_GetPropertyStr(ctx, codex, "forgetTools");
    codex_globals = JS_GetPropertyStr(ctx, codex, "globals");
    codex_errors = JS_GetPropertyStr(ctx, codex, "errors");
    JS_FreeValue(ctx, codex);
    JS_FreeValue(ctx, arguments[0]);
    JS_FreeValue(ctx, arguments[1]);
}

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
        JS_AddIntrinsicAToB(ctx))
        __builtin_trap();
    JS_SetModuleLoaderFunc(runtime, prefix_name, refuse_import, NULL);
    JS_SetInterruptHandler(runtime, cell_interrupted, NULL);
    JS_SetHostPromiseRejectionTracker(runtime, rejections_track, NULL);

    memory_prepare(ctx);
    evaluate_prelude(ctx);
    warm_up(ctx);
    carrel_forget_sources(runtime);
    JS_RunGC(runtime);
    carrel_make_nursery(runtime);
}
