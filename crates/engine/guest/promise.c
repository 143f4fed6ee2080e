/* Promises that C settles by itself. Part of quickjs_unit.c.
 *
 * JS_NewPromiseCapability makes two function objects for each promise, through which alone it can be settled. A tool
 * call needs neither: nobody but this guest settles its promise, and only once. */

/* Returns a promise that is pending. */
JSValue carrel_promise(JSContext *ctx)
{
    JSValue promise = JS_NewObjectProtoClass(ctx, ctx->class_proto[JS_CLASS_PROMISE], JS_CLASS_PROMISE);
    if (JS_IsException(promise))
        return promise;
    JSPromiseData *data = js_mallocz(ctx, sizeof(*data));
    if (!data) {
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    data->promise_state = JS_PROMISE_PENDING;
    data->promise_result = JS_UNDEFINED;
    init_list_head(&data->promise_reactions[0]);
    init_list_head(&data->promise_reactions[1]);
    JS_SetOpaqueInternal(promise, data);
    return promise;
}

/* Resolves a pending promise as its `resolve` function would: an object may have a `then`, as the cell can give one to
 * all objects. */
void carrel_resolve(JSContext *ctx, JSValueConst promise, JSValueConst value)
{
    JSValue then = JS_IsObject(value) ? JS_GetProperty(ctx, value, JS_ATOM_then) : JS_UNDEFINED;
    if (JS_IsException(then)) {
        JSValue error = JS_GetException(ctx);
        fulfill_or_reject_promise(ctx, promise, error, true);
        JS_FreeValue(ctx, error);
    } else if (JS_IsFunction(ctx, then)) {
        JSValueConst args[3] = { promise, value, then };
        JS_EnqueueJob(ctx, js_promise_resolve_thenable_job, 3, args);
    } else {
        fulfill_or_reject_promise(ctx, promise, value, false);
    }
    JS_FreeValue(ctx, then);
}

/* Rejects a pending promise. */
void carrel_reject(JSContext *ctx, JSValueConst promise, JSValueConst reason)
{
    fulfill_or_reject_promise(ctx, promise, reason, true);
}
