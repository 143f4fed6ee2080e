/* Memory that is out: what a cell is told of it, and how its ending is known to come of it.
 *
 * QuickJS throws an InternalError where it can still make one, and threw `null` where it cannot; build/patch has it
 * throw an error instead that is kept ready from the beginning. All that is remembered lies in the guest, so that a
 * restored VM knows it, too. */
#include "guest.h"

static JSValue spare = JS_UNDEFINED;
static JSValue last = JS_UNDEFINED;
static bool ran_out, lost_job;

void memory_prepare(JSContext *ctx)
{
    JS_ThrowInternalError(ctx, "out of memory");
    spare = JS_GetException(ctx);
}

JSValue carrel_spare_error(JSContext *ctx)
{
    ran_out = true;
    return JS_DupValue(ctx, spare);
}

void carrel_out_of_memory(JSContext *ctx)
{
    ran_out = true;
    JSValue error = JS_GetException(ctx);
    JS_FreeValue(ctx, last);
    last = JS_DupValue(ctx, error);
    JS_Throw(ctx, error);
}

void carrel_job_lost(void)
{
    lost_job = true;
}

static bool is(JSValueConst error, JSValueConst thrown)
{
    return JS_IsObject(thrown) && JS_VALUE_GET_PTR(error) == JS_VALUE_GET_PTR(thrown);
}

bool memory_is_cause(JSValueConst thrown)
{
    return is(spare, thrown) || is(last, thrown);
}

void memory_forget(JSContext *ctx)
{
    JS_FreeValue(ctx, last);
    last = JS_UNDEFINED;
    ran_out = lost_job = false;
}

bool memory_ran_out(void)
{
    return ran_out;
}

bool memory_lost_a_job(void)
{
    return lost_job;
}
