/* Writes values as JSON, faster than QuickJS does. Part of quickjs_unit.c, after json_read.c.
 *
 * Takes plain data alone: objects and arrays whose members are properties with values, without getters, proxies,
 * `toJSON` and cycles. It runs no code of the cell's and changes nothing, so on anything else it gives up without a
 * trace, and QuickJS's own writer, which knows all of it, begins anew.
 *
 * What makes it fast: text goes straight into the result, keys come from the object's shape, and what there is to
 * check about a shape is checked once. */

/* Shapes of which all is known to be plain, by a hash of their address. Nothing can change one while this runs. */
#define JSON_PLAIN_BITS 5

struct json_writer {
    JSContext *ctx;
    StringBuffer buffer;
    int gap; /* spaces a level is indented by; 0 writes one line */
    JSShape *plain[1 << JSON_PLAIN_BITS];
    JSObject *around[MOST_DEPTH]; /* the objects that are being written */
};

static enum json_outcome json_write_value(struct json_writer *w, JSValueConst value, int depth);

/* Makes room for `len` characters and returns where they go; NULL when the text is of 16-bit characters already, or
 * memory is out. Whoever writes there moves the buffer's end. */
static inline uint8_t *json_room(struct json_writer *w, int len)
{
    StringBuffer *b = &w->buffer;
    if (b->size - b->len < len && string_buffer_realloc(b, b->len + len, 0))
        return NULL;
    return b->is_wide_char ? NULL : str8(b->str) + b->len;
}

static inline void json_put(struct json_writer *w, char c)
{
    string_buffer_putc8(&w->buffer, c);
}

static void json_put_line(struct json_writer *w, int depth)
{
    json_put(w, '\n');
    string_buffer_fill(&w->buffer, ' ', depth * w->gap);
}

static void json_put_escaped(struct json_writer *w, uint32_t c)
{
    static const char escapes[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    char text[8] = { '\\' };
    const char *escape = escapes;
    while (*escape && (uint8_t)*escape != c)
        escape += 2;
    if (*escape) {
        text[1] = escape[1];
        string_buffer_write8(&w->buffer, (const uint8_t *)text, 2);
    } else {
        static const char digits[] = "0123456789abcdef";
        text[1] = 'u';
        for (int i = 0; i < 4; i++)
            text[2 + i] = digits[c >> (12 - 4 * i) & 15];
        string_buffer_write8(&w->buffer, (const uint8_t *)text, 6);
    }
}

/* Writes what is left of a string after its opening quote, one character at a time. */
static no_inline void json_put_odd_string(struct json_writer *w, JSString *p, int from)
{
    for (int i = from; i < p->len;) {
        uint32_t c = string_getc(p, &i);
        if (c < 0x20 || c == '"' || c == '\\' || is_surrogate(c))
            json_put_escaped(w, c);
        else
            string_buffer_putc(&w->buffer, c);
    }
    json_put(w, '"');
}

static inline void json_put_string(struct json_writer *w, JSString *p)
{
    int len = p->len, i = 0;
    /* Whole words are written, so there may have to be room beyond the end. */
    uint8_t *to = p->is_wide_char ? NULL : json_room(w, len + 10);
    if (to) {
        const uint8_t *from = str8(p);
        *to++ = '"';
        for (; len - i >= 8; i += 8) {
            uint64_t bytes;
            memcpy(&bytes, from + i, 8);
            if (json_special(bytes))
                break;
            memcpy(to + i, &bytes, 8);
        }
        for (; i < len; i++) {
            uint8_t c = from[i];
            if (c < 0x20 || c == '"' || c == '\\')
                break;
            to[i] = c;
        }
        if (i == len) {
            to[i] = '"';
            w->buffer.len += len + 2;
            return;
        }
        w->buffer.len += i + 1;
    } else {
        json_put(w, '"');
    }
    json_put_odd_string(w, p, i);
}

/* Tells whether an object has no `toJSON`, itself or inherited, and, for one that is no array, that its own
 * properties are values under keys that are no indices. */
static no_inline bool json_is_plain_shape(struct json_writer *w, JSObject *p)
{
    for (JSObject *holder = p; holder; holder = holder->shape->proto)
        if ((holder->is_exotic && holder->class_id != JS_CLASS_ARRAY) || find_own_property1(holder, JS_ATOM_toJSON))
            return false;
    if (p->class_id == JS_CLASS_ARRAY)
        return true;
    JSShapeProperty *property = get_shape_prop(p->shape);
    for (int i = 0; i < p->shape->prop_count; i++, property++) {
        uint32_t index;
        if (property->atom != JS_ATOM_NULL && ((property->flags & JS_PROP_TMASK) != JS_PROP_NORMAL ||
                                               JS_AtomIsArrayIndex(w->ctx, &index, property->atom)))
            return false;
    }
    return true;
}

static inline bool json_check(struct json_writer *w, JSObject *p)
{
    JSShape **known = &w->plain[(uintptr_t)p->shape * UINT32_C(0x9e3779b1) >> (32 - JSON_PLAIN_BITS)];
    if (*known == p->shape)
        return true;
    if (!json_is_plain_shape(w, p))
        return false;
    *known = p->shape;
    return true;
}

/* JSON has no words for these: a member is left out, an element is null. */
static inline bool json_is_nothing(JSContext *ctx, JSValueConst value)
{
    int tag = JS_VALUE_GET_NORM_TAG(value);
    return tag == JS_TAG_UNDEFINED || tag == JS_TAG_SYMBOL || (tag == JS_TAG_OBJECT && JS_IsFunction(ctx, value));
}

static enum json_outcome json_write_members(struct json_writer *w, JSObject *p, int depth)
{
    JSContext *ctx = w->ctx;
    JSShapeProperty *property = get_shape_prop(p->shape);
    bool has_member = false;
    json_put(w, '{');
    for (int i = 0; i < p->shape->prop_count; i++, property++) {
        if (!(property->flags & JS_PROP_ENUMERABLE) || property->atom == JS_ATOM_NULL)
            continue;
        JSAtomStruct *key = ctx->rt->atom_array[property->atom];
        JSValueConst member = p->prop[i].u.value;
        if (key->atom_type != JS_ATOM_TYPE_STRING || json_is_nothing(ctx, member))
            continue;
        if (has_member)
            json_put(w, ',');
        has_member = true;
        if (w->gap)
            json_put_line(w, depth);
        json_put_string(w, key);
        json_put(w, ':');
        if (w->gap)
            json_put(w, ' ');
        enum json_outcome outcome = json_write_value(w, member, depth);
        if (outcome != JSON_DONE)
            return outcome;
    }
    if (has_member && w->gap)
        json_put_line(w, depth - 1);
    json_put(w, '}');
    return JSON_DONE;
}

static enum json_outcome json_write_elements(struct json_writer *w, JSObject *p, int depth)
{
    json_put(w, '[');
    for (uint32_t i = 0; i < p->u.array.count; i++) {
        JSValueConst element = p->u.array.u.values[i];
        if (i > 0)
            json_put(w, ',');
        if (w->gap)
            json_put_line(w, depth);
        enum json_outcome outcome = json_write_value(w, json_is_nothing(w->ctx, element) ? JS_NULL : element, depth);
        if (outcome != JSON_DONE)
            return outcome;
    }
    if (p->u.array.count && w->gap)
        json_put_line(w, depth - 1);
    json_put(w, ']');
    return JSON_DONE;
}

static enum json_outcome json_write_object(struct json_writer *w, JSObject *p, int depth)
{
    if (depth == MOST_DEPTH)
        return JSON_GIVEN_UP;
    for (int i = 0; i < depth; i++)
        if (w->around[i] == p)
            return JSON_GIVEN_UP;
    w->around[depth] = p;
    if (p->class_id == JS_CLASS_OBJECT && !p->is_exotic && json_check(w, p))
        return json_write_members(w, p, depth + 1);
    /* An array without holes. */
    if (p->class_id == JS_CLASS_ARRAY && p->fast_array && JS_VALUE_GET_TAG(p->prop[0].u.value) == JS_TAG_INT &&
        JS_VALUE_GET_INT(p->prop[0].u.value) == p->u.array.count && json_check(w, p))
        return json_write_elements(w, p, depth + 1);
    return JSON_GIVEN_UP;
}

/* Writes a value that is not one of nothing's. `depth` counts what it lies in. */
static enum json_outcome json_write_value(struct json_writer *w, JSValueConst value, int depth)
{
    StringBuffer *b = &w->buffer;
    if (unlikely(b->error_status))
        return JSON_THREW;
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_STRING:
        json_put_string(w, JS_VALUE_GET_STRING(value));
        return JSON_DONE;
    case JS_TAG_INT: {
        char *to = (char *)json_room(w, 16);
        if (to)
            b->len += i32toa(to, JS_VALUE_GET_INT(value));
        else
            string_buffer_concat_value(b, value);
        return JSON_DONE;
    }
    case JS_TAG_BOOL:
        if (JS_VALUE_GET_BOOL(value))
            string_buffer_write8(b, (const uint8_t *)"true", 4);
        else
            string_buffer_write8(b, (const uint8_t *)"false", 5);
        return JSON_DONE;
    case JS_TAG_NULL:
        string_buffer_write8(b, (const uint8_t *)"null", 4);
        return JSON_DONE;
    case JS_TAG_OBJECT:
        return json_write_object(w, JS_VALUE_GET_OBJ(value), depth);
    case JS_TAG_FLOAT64:
        if (isfinite(JS_VALUE_GET_FLOAT64(value)))
            string_buffer_concat_value(b, value);
        else
            string_buffer_write8(b, (const uint8_t *)"null", 4);
        return JSON_DONE;
    case JS_TAG_STRING_ROPE:
        break; /* is made one string in its place, or throws */
    default:
        return JSON_GIVEN_UP;
    }
    JSValue text = js_linearize_string_rope(w->ctx, js_dup(value));
    if (JS_IsException(text))
        return JSON_THREW;
    json_put_string(w, JS_VALUE_GET_STRING(text));
    JS_FreeValue(w->ctx, text);
    return JSON_DONE;
}

/* Writes a value, indented by `space` as JSON.stringify takes it. Returns JS_UNINITIALIZED when it gave up. */
static JSValue json_write(JSContext *ctx, JSValueConst value, JSValueConst space)
{
    struct json_writer w = { .ctx = ctx };
    if (JS_VALUE_GET_TAG(space) == JS_TAG_INT)
        w.gap = max_int(0, min_int(10, JS_VALUE_GET_INT(space)));
    else if (!JS_IsUndefined(space) && !JS_IsNull(space))
        return JS_UNINITIALIZED;
    if (json_is_nothing(ctx, value))
        return JS_UNINITIALIZED;
    string_buffer_init(ctx, &w.buffer, 64);
    switch (json_write_value(&w, value, 0)) {
    case JSON_DONE:
        return string_buffer_end(&w.buffer);
    case JSON_GIVEN_UP:
        string_buffer_free(&w.buffer);
        return w.buffer.error_status ? JS_EXCEPTION : JS_UNINITIALIZED;
    default:
        string_buffer_free(&w.buffer);
        return JS_EXCEPTION;
    }
}
