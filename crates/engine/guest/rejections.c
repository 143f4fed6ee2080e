/* Rejected promises that nobody handles yet. */
#include "guest.h"

static JSValue *rejected;
static int rejected_len, rejected_cap;
/* How many of them were handed out. Once that has begun they keep their places. */
static int handed_out;
static bool handing_out;

void rejections_track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
    (void)reason;
    (void)opaque;
    if (speaks_codex)
        return; /* where nobody is told of them */
    if (handled) {
        for (int i = 0; i < rejected_len; i++) {
            if (JS_VALUE_GET_PTR(rejected[i]) == JS_VALUE_GET_PTR(promise)) {
                JS_FreeValue(ctx, rejected[i]);
                rejected[i] = handing_out ? JS_UNDEFINED : rejected[--rejected_len];
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

void rejections_clear(JSContext *ctx)
{
    while (rejected_len > 0)
        JS_FreeValue(ctx, rejected[--rejected_len]);
    handed_out = 0;
    handing_out = false;
}

void rejections_each(JSContext *ctx, void (*each)(JSContext *ctx, JSValueConst promise))
{
    handing_out = true;
    for (; handed_out < rejected_len; handed_out++) {
        JSValue promise = JS_DupValue(ctx, rejected[handed_out]);
        if (!JS_IsUndefined(promise))
            each(ctx, promise);
        JS_FreeValue(ctx, promise);
    }
}
