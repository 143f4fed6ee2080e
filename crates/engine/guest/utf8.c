/* Text as bytes: UTF-8 to and from strings, and what a query string does to it.
 *
 * For `TextEncoder`, `TextDecoder` and `URLSearchParams`; here because a loop over bytes is some thirty times faster
 * than in JavaScript. A half of a surrogate pair becomes U+FFFD, as does each longest beginning of a sequence that is
 * none, by the WHATWG's Encoding Standard. */
#include "guest.h"

static const char replacement[] = "\xef\xbf\xbd";

/* QuickJS writes half a surrogate pair as if it were a character, in three bytes, as many as U+FFFD has. */
static void replace_surrogates(char *bytes, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++)
        if ((uint8_t)bytes[i] == 0xed && (uint8_t)bytes[i + 1] >= 0xa0)
            memcpy(bytes + i, replacement, 3);
}

/* The length of the sequence that begins at `at`. Of one that is wrong, minus the length of what is to be replaced;
 * 0 where the text ends before the sequence does. */
static int sequence(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    int len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4)
        return -1;
    for (int i = 1; i < len; i++) {
        if (at + i == end)
            return 0;
        uint8_t least = 0x80, most = 0xbf;
        if (i == 1) {
            if (first == 0xe0)
                least = 0xa0;
            else if (first == 0xed)
                most = 0x9f;
            else if (first == 0xf0)
                least = 0x90;
            else if (first == 0xf4)
                most = 0x8f;
        }
        if (at[i] < least || at[i] > most)
            return -i;
    }
    return len;
}

/* The length of what is valid at the start of the bytes. */
static size_t valid_prefix(const uint8_t *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = bytes + len;
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080) == 0))
            at += 8;
        if (at == end)
            break;
        int step = sequence(at, end);
        if (step <= 0)
            break;
        at += step;
    }
    return at - bytes;
}

/* Makes a string of bytes, replacing what is no UTF-8. */
static JSValue string_of(JSContext *ctx, const uint8_t *bytes, size_t len)
{
    size_t valid = valid_prefix(bytes, len);
    if (valid == len)
        return JS_NewStringLen(ctx, (const char *)bytes, len);
    if (len > SIZE_MAX / 4)
        return JS_ThrowOutOfMemory(ctx);
    char *fixed = js_malloc(ctx, valid + (len - valid) * 3);
    if (!fixed)
        return JS_EXCEPTION;
    memcpy(fixed, bytes, valid);
    char *to = fixed + valid;
    const uint8_t *at = bytes + valid, *end = bytes + len;
    while (at < end) {
        int step = sequence(at, end);
        if (step > 0) {
            memcpy(to, at, step);
            to += step;
            at += step;
        } else {
            memcpy(to, replacement, 3);
            to += 3;
            at = step ? at - step : end;
        }
    }
    JSValue text = JS_NewStringLen(ctx, fixed, to - fixed);
    js_free(ctx, fixed);
    return text;
}

/* encode(string): an ArrayBuffer. */
static JSValue utf8_encode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const char *text = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, len);
    JS_FreeCString(ctx, text);
    if (!JS_IsException(buffer))
        replace_surrogates((char *)JS_GetArrayBuffer(ctx, &len, buffer), len);
    return buffer;
}

/* encodeInto(string, Uint8Array): [code units read, bytes written]. */
static JSValue utf8_encode_into(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len, room, read = 0, written = 0;
    const char *text = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    uint8_t *into = JS_GetUint8Array(ctx, &room, argv[1]);
    if (!into) {
        /* An array of no bytes has none to point at, and one that was detached is such an array. */
        JS_FreeValue(ctx, JS_GetException(ctx));
        room = 0;
    }
    while (written < len) {
        uint8_t first = text[written];
        size_t step = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (written + step > room)
            break;
        written += step;
        read += step == 4 ? 2 : 1;
    }
    if (written) {
        memcpy(into, text, written);
        replace_surrogates((char *)into, written);
    }
    JS_FreeCString(ctx, text);
    JSValue result = JS_NewArray(ctx);
    JS_DefinePropertyValueUint32(ctx, result, 0, JS_NewInt64(ctx, read), JS_PROP_C_W_E);
    JS_DefinePropertyValueUint32(ctx, result, 1, JS_NewInt64(ctx, written), JS_PROP_C_W_E);
    return result;
}

/* decode(Uint8Array, fatal, last): [string, bytes at the end that may become a character]. The string is null when
 * `fatal` and the bytes are no UTF-8. */
static JSValue utf8_decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len, rest = 0;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[0]);
    if (!bytes) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        len = 0;
    }
    if (!JS_ToBool(ctx, argv[2])) {
        for (size_t back = 1; back <= 3 && back <= len; back++) {
            if ((bytes[len - back] & 0xc0) == 0x80)
                continue;
            if (sequence(bytes + len - back, bytes + len) == 0)
                rest = back;
            break;
        }
    }
    len -= rest;
    bool refused = JS_ToBool(ctx, argv[1]) && valid_prefix(bytes, len) != len;
    JSValue text = refused ? JS_NULL : string_of(ctx, bytes, len);
    if (JS_IsException(text))
        return text;
    JSValue result = JS_NewArray(ctx);
    JS_DefinePropertyValueUint32(ctx, result, 0, text, JS_PROP_C_W_E);
    JS_DefinePropertyValueUint32(ctx, result, 1, JS_NewInt64(ctx, rest), JS_PROP_C_W_E);
    return result;
}

/* decode16(Uint8Array of an even length, big endian): a string. */
static JSValue utf16_decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[0]);
    if (!bytes) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return JS_NewString(ctx, "");
    }
    bool big = JS_ToBool(ctx, argv[1]);
    uint16_t *units = js_malloc(ctx, len + 2);
    if (!units)
        return JS_EXCEPTION;
    for (size_t i = 0; i < len / 2; i++)
        units[i] = big ? bytes[2 * i] << 8 | bytes[2 * i + 1] : bytes[2 * i + 1] << 8 | bytes[2 * i];
    JSValue text = JS_NewStringUTF16(ctx, units, len / 2);
    js_free(ctx, units);
    return text;
}

/* latin1(Uint8Array): a string with a character for each byte. */
static JSValue latin1_decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[0]);
    if (!bytes) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return JS_NewString(ctx, "");
    }
    uint16_t *units = js_malloc(ctx, 2 * len + 2);
    if (!units)
        return JS_EXCEPTION;
    for (size_t i = 0; i < len; i++)
        units[i] = bytes[i];
    JSValue text = JS_NewStringUTF16(ctx, units, len);
    js_free(ctx, units);
    return text;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* formDecode(string): a part of a query string as the text it stands for. */
static JSValue form_decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    size_t len, to = 0;
    const char *text = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    char *bytes = js_malloc(ctx, len + 1);
    if (!bytes) {
        JS_FreeCString(ctx, text);
        return JS_EXCEPTION;
    }
    for (size_t i = 0; i < len; i++) {
        int high, low;
        if (text[i] == '%' && i + 2 < len && (high = hex(text[i + 1])) >= 0 && (low = hex(text[i + 2])) >= 0) {
            bytes[to++] = high << 4 | low;
            i += 2;
        } else {
            bytes[to++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    JS_FreeCString(ctx, text);
    JSValue result = string_of(ctx, (uint8_t *)bytes, to);
    js_free(ctx, bytes);
    return result;
}

/* formEncode(string): text as it stands in a query string. */
static JSValue form_encode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    (void)this_val;
    (void)argc;
    static const char digits[] = "0123456789ABCDEF";
    size_t len, to = 0;
    const char *text = JS_ToCStringLen(ctx, &len, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    char *bytes = len < SIZE_MAX / 4 ? js_malloc(ctx, 3 * len + 1) : NULL;
    if (!bytes) {
        JS_FreeCString(ctx, text);
        return JS_ThrowOutOfMemory(ctx);
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text[i];
        if (c == 0xed && i + 2 < len && (uint8_t)text[i + 1] >= 0xa0) {
            memcpy(bytes + to, "%EF%BF%BD", 9);
            to += 9;
            i += 2;
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
                   c == '.' || c == '_') {
            bytes[to++] = c;
        } else if (c == ' ') {
            bytes[to++] = '+';
        } else {
            bytes[to++] = '%';
            bytes[to++] = digits[c >> 4];
            bytes[to++] = digits[c & 15];
        }
    }
    JS_FreeCString(ctx, text);
    JSValue result = JS_NewStringLen(ctx, bytes, to);
    js_free(ctx, bytes);
    return result;
}

static const JSCFunctionListEntry utf8_functions[] = {
    JS_CFUNC_DEF("encode", 1, utf8_encode),
    JS_CFUNC_DEF("encodeInto", 2, utf8_encode_into),
    JS_CFUNC_DEF("decode", 3, utf8_decode),
    JS_CFUNC_DEF("decode16", 2, utf16_decode),
    JS_CFUNC_DEF("latin1", 1, latin1_decode),
    JS_CFUNC_DEF("formDecode", 1, form_decode),
    JS_CFUNC_DEF("formEncode", 1, form_encode),
};

void utf8_add(JSContext *ctx, JSValueConst host)
{
    JS_SetPropertyFunctionList(ctx, host, utf8_functions, sizeof(utf8_functions) / sizeof(utf8_functions[0]));
}
