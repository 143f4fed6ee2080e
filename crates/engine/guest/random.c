/* The random bytes of `crypto`: splitmix64 from the start's seed, a sequence of its own beside that of Math.random.
 * The same start gives the same bytes, so they are no secrets. */
#include "guest.h"

static uint64_t state;

void random_seed(uint64_t seed)
{
    /* Another sequence than Math.random's, which has the same seed. */
    state = seed ^ 0x63727970746f2e2e;
}

static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void fill(uint8_t *into, size_t len)
{
    for (size_t at = 0; at < len; at += 8) {
        uint64_t eight = next();
        memcpy(into + at, &eight, len - at < 8 ? len - at : 8);
    }
}

/* randomFill(Uint8Array): fills it. */
static JSValue random_fill(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    uint8_t *into = JS_GetUint8Array(ctx, &len, argv[0]);
    if (into)
        fill(into, len);
    else
        JS_FreeValue(ctx, JS_GetException(ctx)); /* an array of no bytes has none to point at */
    return JS_UNDEFINED;
}

/* randomUuid(): of version 4. */
static JSValue random_uuid(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    char text[36];
    size_t at = 0;
    fill(bytes, sizeof(bytes));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
    }
    return JS_NewStringLen(ctx, text, at);
}

static const JSCFunctionListEntry random_functions[] = {
    JS_CFUNC_DEF("randomFill", 1, random_fill),
    JS_CFUNC_DEF("randomUuid", 0, random_uuid),
};

void random_add(JSContext *ctx, JSValueConst host)
{
    JS_SetPropertyFunctionList(ctx, host, random_functions, sizeof(random_functions) / sizeof(random_functions[0]));
}
