/* The tool calls, and the questions about tools, that wait for their answers.
 *
 * A slot is used again under the next number, so that a late or a second answer finds nothing. */
#include "guest.h"

int32_t calls_pending;

static struct call *calls;
static int32_t calls_len, calls_free = -1;
static int64_t calls_made;

/* What a call of a tool is that cannot be made: a promise that is rejected, or, in the dialect of Codex, a throw. */
static JSValue settled_with_exception(JSContext *ctx)
{
    if (speaks_codex)
        return cell_throw_text(ctx);
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

/* Makes the promise of an answer, and the handle that the answer names. */
static JSValue wait_for_answer(JSContext *ctx, int32_t tool, int64_t *handle)
{
    JSValue promise = carrel_promise(ctx);
    int32_t slot = JS_IsException(promise) ? -1 : take_slot(ctx);
    if (slot < 0) {
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    struct call *call = &calls[slot];
    *call = (struct call){ .number = ++calls_made, .tool = tool, .promise = JS_DupValue(ctx, promise) };
    call->site = carrel_call_site(ctx, &call->site_offset);
    calls_pending++;
    *handle = (calls_made << 24) | slot;
    return promise;
}

JSValue calls_begin(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int tool, JSValueConst *data)
{
    (void)this_val;
    tool = bridge_tool_of(ctx, tool, data);
    if (tool < 0)
        return settled_with_exception(ctx);
    const char *json = NULL;
    size_t json_len = 0;
    JSValue text = JS_UNDEFINED;
    if (argc > 0 && !JS_IsUndefined(argv[0])) {
        text = JS_JSONStringify(ctx, argv[0], JS_UNDEFINED, JS_UNDEFINED);
        if (!JS_IsException(text) && JS_IsUndefined(text))
            text = speaks_codex ? JS_Throw(ctx, JS_NewString(ctx, "failed to serialize JavaScript value: expected value at line 1 column 1"))
                                : JS_ThrowTypeError(ctx, "the input of a tool must be a JSON value, not a function or a symbol");
        if (JS_IsException(text))
            return settled_with_exception(ctx);
        json = JS_ToCStringLen(ctx, &json_len, text);
        JS_FreeValue(ctx, text);
        if (!json)
            return settled_with_exception(ctx);
    }
    int64_t handle;
    JSValue promise = wait_for_answer(ctx, tool, &handle);
    if (!JS_IsException(promise)) {
        int line, column;
        carrel_place(ctx, &line, &column);
        host_effect(EFFECT_TOOL_CALL, tool, handle, json, json_len, (const char *)(uintptr_t)line, column);
    }
    JS_FreeCString(ctx, json);
    return promise;
}

JSValue calls_ask(JSContext *ctx, int32_t effect, int32_t small, JSValueConst text)
{
    size_t len;
    const char *bytes = JS_ToCStringLen(ctx, &len, text);
    if (!bytes)
        return JS_EXCEPTION;
    int64_t handle;
    JSValue promise = wait_for_answer(ctx, NO_TOOL, &handle);
    if (!JS_IsException(promise))
        host_effect(effect, small, handle, bytes, len, NULL, 0);
    JS_FreeCString(ctx, bytes);
    return promise;
}

void calls_clear(JSContext *ctx)
{
    calls_free = -1;
    calls_pending = 0;
    carrel_forget_places(ctx);
    for (int32_t i = calls_len - 1; i >= 0; i--) {
        struct call *call = &calls[i];
        if (call->number >= 0) {
            JS_FreeValue(ctx, call->promise);
            JS_FreeValue(ctx, call->site);
        }
        call->number = -1;
        call->next_free = calls_free;
        calls_free = i;
    }
}

bool calls_take(int64_t handle, struct call *call)
{
    int32_t slot = handle & 0xffffff;
    if (slot >= calls_len || calls[slot].number != handle >> 24)
        return false;
    *call = calls[slot];
    calls[slot].number = -1;
    calls[slot].next_free = calls_free;
    calls_free = slot;
    calls_pending--;
    return true;
}
