/* QuickJS-NG as one unit, with the two doors into its private state that the guest needs.
 *
 * The stack limit is set here because upstream switches it off for WASI builds: without it deep recursion
 * would end as a trap of the whole VM instead of a RangeError that the cell can catch. */
#include "quickjs.c"

void carrel_limit_stack(JSRuntime *rt, size_t bytes)
{
    rt->stack_size = bytes;
    rt->stack_limit = rt->stack_top - bytes;
}

void carrel_seed(JSContext *ctx, uint64_t seed)
{
    ctx->random_state = seed ? seed : 1;
}
