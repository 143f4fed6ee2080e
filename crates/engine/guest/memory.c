/* Memory that is out: what a cell is told of it, and how its ending is known to come of it.
 *
 * QuickJS throws an InternalError where it can still make one, and threw `null` where it cannot; build/patch has it
 * throw an error instead that is kept ready from the beginning. All that is remembered lies in the guest, so that a
 * restored VM knows it, too. */
#include "guest.h"

static JSValue spare = JS_UNDEFINED;
static bool ran_out, lost_job;

void memory_prepare(JSContext *ctx)
{
    JS_ThrowInternalError(ctx, "out of memory");
    spare = JS_GetException(ctx);
    carrel_mark_out_of_memory(spare);
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
    carrel_mark_out_of_memory(error);
    JS_Throw(ctx, error);
}

void carrel_job_lost(void)
{
    lost_job = true;
}

bool memory_is_cause(JSValueConst thrown)
{
    return carrel_is_out_of_memory(thrown);
}

void memory_forget(void)
{
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
