/* What the prelude can ask for: the functions of its `host`. None is ever reachable for a cell. */
#include "guest.h"

struct quota quota, stored;
int32_t timers_pending;

static char *tools_text;
static size_t tools_names_len, tools_json_len;
/* How often the tools became others. */
static int32_t tools_made;

char *fetch(JSContext *ctx, int32_t parcel, size_t len)
{
    char *bytes = js_malloc(ctx, len < SIZE_MAX ? len + 1 : len);
    if (!bytes)
        return NULL;
    host_copy_parcel(parcel, bytes);
    bytes[len] = 0;
    return bytes;
}

int bridge_set_tools(JSContext *ctx, size_t names_len, size_t json_len)
{
    size_t len = names_len + json_len;
    char *text = fetch(ctx, PARCEL_EVENT, len);
    if (!text)
        return -1;
    bool same = tools_text && tools_names_len == names_len && tools_json_len == json_len && memcmp(tools_text, text, len) == 0;
    if (same) {
        js_free(ctx, text);
        return 0;
    }
    if (tools_text) {
        js_free(ctx, tools_text);
        tools_made++;
        JSValue done = JS_Call(ctx, prelude_forget_tools, JS_UNDEFINED, 0, NULL);
        if (JS_IsException(done))
            return -1;
    }
    tools_text = text; /* kept: read when it is asked for */
    tools_names_len = names_len;
    tools_json_len = json_len;
    return 0;
}

/* Returns the place of a tool, or -1. */
static int find_tool(const char *name, size_t len)
{
    const char *at = tools_text, *end = tools_text + tools_names_len;
    for (int index = 0; at < end; index++) {
        const char *line_end = memchr(at, '\n', end - at);
        if ((size_t)(line_end - at) == len && memcmp(at, name, len) == 0)
            return index;
        at = line_end + 1;
    }
    return -1;
}

int bridge_tool_of(JSContext *ctx, int tool, JSValueConst *data)
{
    if (JS_VALUE_GET_INT(data[0]) == tools_made)
        return tool;
    /* An earlier cell kept the function, and the tools are others now. */
    size_t len;
    const char *name = JS_ToCStringLen(ctx, &len, data[1]);
    if (!name)
        return -1;
    tool = find_tool(name, len);
    if (tool < 0)
        JS_ThrowTypeError(ctx, "there is no tool \"%s\" any more", name);
    JS_FreeCString(ctx, name);
    return tool;
}

static JSValue bridge_tool_index(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const char *name = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    int index = find_tool(name, len);
    JS_FreeCString(ctx, name);
    return JS_NewInt32(ctx, index);
}

static JSValue bridge_tool_function(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    int32_t index;
    if (JS_ToInt32(ctx, &index, argv[0]))
        return JS_EXCEPTION;
    const char *name = JS_ToCString(ctx, argv[1]);
    if (!name)
        return JS_EXCEPTION;
    JSValueConst data[2] = { JS_NewInt32(ctx, tools_made), argv[1] };
    JSValue function = JS_NewCFunctionData2(ctx, calls_begin, name, 1, index, 2, data);
    JS_FreeCString(ctx, name);
    return function;
}

static JSValue bridge_tools_json(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    if (!tools_json_len)
        return JS_NewArray(ctx);
    return JS_ParseJSON(ctx, tools_text + tools_names_len, tools_json_len, "tools");
}

/* The names of the tools, by their places. */
static JSValue bridge_tool_names(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    JSValue names = JS_NewArray(ctx);
    const char *at = tools_text, *end = tools_text + tools_names_len;
    for (uint32_t index = 0; at < end && !JS_IsException(names); index++) {
        const char *line_end = memchr(at, '\n', end - at);
        if (JS_DefinePropertyValueUint32(ctx, names, index, JS_NewStringLen(ctx, at, line_end - at), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, names);
            names = JS_EXCEPTION;
        }
        at = line_end + 1;
    }
    return names;
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
    case EFFECT_IMAGE_URL:
    case EFFECT_AUDIO_URL:
        return 1;
    default:
        return 0;
    }
}

/* emit(kind, small, number, a, b). Converts nothing: a conversion would run code of the cell's with this function
 * on the stack. */
static JSValue bridge_emit(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
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
    host_effect(kind, small, number, a, a_len, b, b_len);
    JS_FreeCString(ctx, a);
    JS_FreeCString(ctx, b);
    return JS_UNDEFINED;
}

/* search(limit, query): the promise of the tools that answer best. */
static JSValue bridge_search(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    int32_t limit;
    if (JS_ToInt32(ctx, &limit, argv[0]))
        return JS_EXCEPTION;
    return calls_ask(ctx, EFFECT_SEARCH, limit, argv[1]);
}

/* describe(places): the promise of the declarations of tools, by their places, as text separated by commas. */
static JSValue bridge_describe(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    return calls_ask(ctx, EFFECT_DESCRIBE, 0, argv[0]);
}

/* Tells whether a string is base64, by its alphabet and its padding. */
static JSValue bridge_is_base64(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
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
static JSValue bridge_store(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
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
            JS_DefinePropertyValueUint32(ctx, result, 0, JS_NewString(ctx, over), JS_PROP_C_W_E);
            JS_DefinePropertyValueUint32(ctx, result, 1, JS_NewInt64(ctx, maximum), JS_PROP_C_W_E);
        } else {
            stored.bytes += after - before;
            stored.keys += is_new;
            host_effect(EFFECT_STORE, 0, 0, key, key_len, json, len);
        }
    }
    JS_FreeCString(ctx, key);
    JS_FreeCString(ctx, json);
    JS_FreeCString(ctx, previous);
    return result;
}

static JSValue bridge_load(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
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

static JSValue bridge_exit(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    return cell_exit(ctx);
}

/* compute(question, a, b): asks the host for what it can work out from these strings alone. */
static JSValue bridge_compute(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    int32_t question;
    if (JS_ToInt32(ctx, &question, argv[0]))
        return JS_EXCEPTION;
    size_t a_len, b_len;
    const char *a = JS_ToCStringLen(ctx, &a_len, argv[1]);
    const char *b = a ? JS_ToCStringLen(ctx, &b_len, argv[2]) : NULL;
    if (!b) {
        JS_FreeCString(ctx, a);
        return JS_EXCEPTION;
    }
    int32_t len = host_compute(question, a, a_len, b, b_len);
    JS_FreeCString(ctx, a);
    JS_FreeCString(ctx, b);
    bool refused = len < 0;
    char *reply = fetch(ctx, PARCEL_REPLY, refused ? -(len + 1) : len);
    if (!reply)
        return JS_EXCEPTION;
    JSValue result = refused ? JS_ThrowRangeError(ctx, "%s", reply) : JS_NewStringLen(ctx, reply, len);
    js_free(ctx, reply);
    return result;
}

/* now(): milliseconds since the cell began. */
static JSValue bridge_now(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewFloat64(ctx, (carrel_now_us - carrel_began_us) / 1000.0);
}

/* timeOrigin(): when the cell began, in milliseconds since 1970. */
static JSValue bridge_time_origin(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewFloat64(ctx, carrel_began_us / 1000.0);
}

/* classOf(object): what it was made as, such as "Map" or "Proxy", without running any of its code. */
static JSValue bridge_class_of(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    return carrel_class_of(ctx, argv[0]);
}

static JSValue bridge_time_zone(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewString(ctx, zone_name());
}

static const JSCFunctionListEntry host_functions[] = {
    JS_CFUNC_DEF("toolIndex", 1, bridge_tool_index),
    JS_CFUNC_DEF("toolFunction", 2, bridge_tool_function),
    JS_CFUNC_DEF("toolNames", 0, bridge_tool_names),
    JS_CFUNC_DEF("toolsJson", 0, bridge_tools_json),
    JS_CFUNC_DEF("search", 2, bridge_search),
    JS_CFUNC_DEF("describe", 1, bridge_describe),
    JS_CFUNC_DEF("emit", 5, bridge_emit),
    JS_CFUNC_DEF("isBase64", 1, bridge_is_base64),
    JS_CFUNC_DEF("store", 3, bridge_store),
    JS_CFUNC_DEF("load", 1, bridge_load),
    JS_CFUNC_DEF("exit", 0, bridge_exit),
    JS_CFUNC_DEF("compute", 3, bridge_compute),
    JS_CFUNC_DEF("classOf", 1, bridge_class_of),
    JS_CFUNC_DEF("now", 0, bridge_now),
    JS_CFUNC_DEF("timeOrigin", 0, bridge_time_origin),
    JS_CFUNC_DEF("timeZone", 0, bridge_time_zone),
};

JSValue bridge_new(JSContext *ctx)
{
    JSValue host = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, host, host_functions, sizeof(host_functions) / sizeof(host_functions[0]));
    utf8_add(ctx, host);
    random_add(ctx, host);
    return host;
}
