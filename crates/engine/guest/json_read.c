/* Reads JSON into values, faster than QuickJS does. Part of quickjs_unit.c.
 *
 * Takes well-formed JSON alone. On anything else, and on what nests deeper than MOST_DEPTH, it gives up without a
 * trace, and QuickJS's own reader, which knows the error messages and the stack's limit, begins anew. Runs no code of
 * the cell's.
 *
 * What makes it fast: strings are looked through eight bytes at a time; whole numbers are not read as floating point,
 * which takes 128-bit arithmetic in wasi-libc; and an object is expected to have the keys of the one that stood at
 * the same place before, so that a list of rows looks its keys up once. */

#define MOST_DEPTH 200

enum json_outcome { JSON_DONE, JSON_GIVEN_UP, JSON_THREW };

/* A member or an element that has been read, and waits for its object or array to be complete. */
struct json_slot {
    JSValue value;
    JSAtom key; /* JS_ATOM_NULL for an element */
};

/* Shapes of objects read before, by a hash of their place. */
#define JSON_SHAPES_BITS 6

struct json_reader {
    JSContext *ctx;
    const uint8_t *at, *end; /* *end is 0 */
    struct json_slot *slots; /* `few` as long as these do */
    size_t slots_len, slots_cap;
    bool has_shapes;
    JSShape *shapes[1 << JSON_SHAPES_BITS];
    struct json_slot few[16];
};

static enum json_outcome json_read_value(struct json_reader *r, uint32_t place, int depth, JSValue *value);

static inline void json_skip_space(struct json_reader *r)
{
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')
        r->at++;
}

#define JSON_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Tells which of eight bytes are a quote, a backslash or a control character, in the highest bit of each. Exact up to
 * the first such byte. */
static inline uint64_t json_special(uint64_t bytes)
{
    uint64_t quote = bytes ^ JSON_EACH_BYTE('"'), backslash = bytes ^ JSON_EACH_BYTE('\\');
    return (((quote - JSON_EACH_BYTE(1)) & ~quote) | ((backslash - JSON_EACH_BYTE(1)) & ~backslash) |
            ((bytes - JSON_EACH_BYTE(0x20)) & ~bytes)) & JSON_EACH_BYTE(0x80);
}

static inline bool json_is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Returns the first byte that is not plain ASCII text of a string. */
static inline const uint8_t *json_skip_plain(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, 8);
        uint64_t special = json_special(bytes) | (bytes & JSON_EACH_BYTE(0x80));
        if (special)
            return at + (ctz64(special) >> 3);
        at += 8;
    }
    while (json_is_plain(*at))
        at++;
    return at;
}

/* Reads the rest of a string that begins with `plain` and goes on with an escape or beyond ASCII. */
static no_inline enum json_outcome json_read_odd_string(struct json_reader *r, const uint8_t *plain, JSValue *value)
{
    StringBuffer buffer, *b = &buffer;
    string_buffer_init(r->ctx, b, r->at - plain + 32);
    for (;;) {
        string_buffer_write8(b, plain, r->at - plain);
        uint32_t c = *r->at;
        if (c == '"')
            break;
        if (c >= 0x80) {
            const uint8_t *next;
            c = utf8_decode(r->at, &next);
            if (next == r->at + 1)
                goto give_up;
            r->at = next;
        } else if (c == '\\') {
            static const char meant[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
            c = r->at[1];
            r->at += 2;
            if (c == 'u') {
                c = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = from_hex(*r->at);
                    if (digit < 0)
                        goto give_up;
                    c = c << 4 | digit;
                    r->at++;
                }
            } else {
                const char *escape = meant;
                while (*escape && (uint8_t)*escape != c)
                    escape += 2;
                if (!*escape)
                    goto give_up;
                c = (uint8_t)escape[1];
            }
        } else {
            goto give_up;
        }
        string_buffer_putc(b, c);
        plain = r->at;
        r->at = json_skip_plain(plain, r->end);
    }
    r->at++;
    *value = string_buffer_end(b);
    return JS_IsException(*value) ? JSON_THREW : JSON_DONE;
give_up:
    if (b->error_status)
        return JSON_THREW;
    string_buffer_free(b);
    return JSON_GIVEN_UP;
}

/* Reads a string after its opening quote. */
static inline enum json_outcome json_read_string(struct json_reader *r, JSValue *value)
{
    const uint8_t *begin = r->at;
    r->at = json_skip_plain(begin, r->end);
    if (*r->at != '"')
        return json_read_odd_string(r, begin, value);
    int len = r->at - begin;
    JSString *text = js_alloc_string(r->ctx, len, 0);
    if (!text)
        return JSON_THREW;
    uint8_t *to = str8(text);
    if (len <= 32 && r->end - begin >= 32) {
        /* By words, of which the last reaches no further than the block does. */
        for (int i = 0; i < len; i += 8)
            memcpy(to + i, begin + i, 8);
    } else {
        memcpy(to, begin, len);
    }
    to[len] = 0;
    r->at++;
    *value = JS_MKPTR(JS_TAG_STRING, text);
    return JSON_DONE;
}

/* Reads a key after its opening quote. `expected` may be JS_ATOM_NULL. */
static inline enum json_outcome json_read_key(struct json_reader *r, JSAtom expected, JSAtom *key)
{
    JSContext *ctx = r->ctx;
    const uint8_t *begin = r->at;
    if (expected != JS_ATOM_NULL && !__JS_AtomIsTaggedInt(expected)) {
        JSString *text = ctx->rt->atom_array[expected];
        size_t len = text->len;
        if (!text->is_wide_char && r->end - begin > len && begin[len] == '"') {
            const uint8_t *chars = str8(text);
            size_t i = 0;
            while (i < len && begin[i] == chars[i] && json_is_plain(chars[i]))
                i++;
            if (i == len) {
                r->at = begin + len + 1;
                *key = JS_DupAtom(ctx, expected);
                return JSON_DONE;
            }
        }
    }
    r->at = json_skip_plain(begin, r->end);
    if (*r->at == '"') {
        *key = JS_NewAtomLen(ctx, (const char *)begin, r->at - begin);
        r->at++;
    } else {
        JSValue text;
        enum json_outcome outcome = json_read_odd_string(r, begin, &text);
        if (outcome != JSON_DONE)
            return outcome;
        *key = JS_NewAtomStr(ctx, JS_VALUE_GET_STRING(text));
    }
    if (*key == JS_ATOM_NULL) {
        JS_ThrowOutOfMemory(ctx);
        return JSON_THREW;
    }
    return JSON_DONE;
}

static inline bool json_is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

/* A number whose digits are an integer below 2^53, times a power of ten up to 10^22, is exact in two doubles, and one
 * operation on them rounds once: as right as can be. All others go to js_atod. */
static inline enum json_outcome json_read_number(struct json_reader *r, JSValue *value)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const uint8_t *begin = r->at, *at = begin;
    bool negative = *at == '-';
    at += negative;
    const uint8_t *digits = at;
    uint64_t whole = 0;
    while (json_is_digit(*at))
        whole = whole * 10 + (*at++ - '0');
    int count = at - digits;
    if (count == 0 || (*digits == '0' && count > 1))
        return JSON_GIVEN_UP;
    if (*at != '.' && (*at | 0x20) != 'e') {
        r->at = at;
        if (count <= 9) {
            *value = whole == 0 && negative ? js_float64(-0.0) : js_int32(negative ? -(int32_t)whole : (int32_t)whole);
            return JSON_DONE;
        }
        if (count <= 15) {
            double magnitude = (double)whole;
            *value = js_number(negative ? -magnitude : magnitude);
            return JSON_DONE;
        }
    } else {
        int exponent = 0;
        if (*at == '.') {
            const uint8_t *point = at++;
            while (json_is_digit(*at))
                whole = whole * 10 + (*at++ - '0');
            exponent = -(int)(at - point - 1);
            if (exponent == 0)
                return JSON_GIVEN_UP;
            count -= exponent;
        }
        if ((*at | 0x20) == 'e') {
            at++;
            bool below = *at == '-';
            at += below || *at == '+';
            if (!json_is_digit(*at))
                return JSON_GIVEN_UP;
            int given = 0;
            while (json_is_digit(*at)) {
                if (given < 10000)
                    given = given * 10 + (*at - '0');
                at++;
            }
            exponent += below ? -given : given;
        }
        r->at = at;
        if (count <= 15 && exponent >= -22 && exponent <= 22) {
            double magnitude = exponent < 0 ? (double)whole / powers[-exponent] : (double)whole * powers[exponent];
            *value = js_number(negative ? -magnitude : magnitude);
            return JSON_DONE;
        }
    }
    JSATODTempMem scratch;
    *value = js_number(js_atod((const char *)begin, NULL, 10, 0, &scratch));
    return JSON_DONE;
}

static inline enum json_outcome json_keep(struct json_reader *r, JSAtom key, JSValue value)
{
    if (unlikely(r->slots_len == r->slots_cap)) {
        size_t cap = r->slots_cap * 2;
        struct json_slot *grown = js_realloc(r->ctx, r->slots == r->few ? NULL : r->slots, cap * sizeof(*grown));
        if (!grown) {
            JS_FreeAtom(r->ctx, key);
            JS_FreeValue(r->ctx, value);
            return JSON_THREW;
        }
        if (r->slots == r->few)
            memcpy(grown, r->few, sizeof(r->few));
        r->slots = grown;
        r->slots_cap = cap;
    }
    r->slots[r->slots_len++] = (struct json_slot){ value, key };
    return JSON_DONE;
}

/* Makes the array of all slots from `first` on. */
static enum json_outcome json_make_array(struct json_reader *r, size_t first, JSValue *value)
{
    JSContext *ctx = r->ctx;
    size_t count = r->slots_len - first;
    JSValue array = JS_NewArray(ctx);
    if (JS_IsException(array))
        return JSON_THREW;
    JSObject *p = JS_VALUE_GET_OBJ(array);
    if (count > 0 && expand_fast_array(ctx, p, count)) {
        JS_FreeValue(ctx, array);
        return JSON_THREW;
    }
    for (size_t i = 0; i < count; i++)
        p->u.array.u.values[i] = r->slots[first + i].value;
    p->u.array.count = count;
    p->prop[0].u.value = js_int32(count);
    r->slots_len = first;
    *value = array;
    return JSON_DONE;
}

/* Makes the object of all slots from `first` on, whose keys are those of `shape` when `as_expected`. */
static enum json_outcome json_make_object(struct json_reader *r, size_t first, bool as_expected, JSShape *shape, JSValue *value)
{
    JSContext *ctx = r->ctx;
    struct json_slot *slots = r->slots + first;
    size_t count = r->slots_len - first;
    JSValue object = as_expected ? JS_NewObjectFromShape(ctx, js_dup_shape(shape), JS_CLASS_OBJECT, NULL) : JS_NewObject(ctx);
    if (JS_IsException(object))
        return JSON_THREW;
    JSObject *p = JS_VALUE_GET_OBJ(object);
    for (size_t i = 0; i < count; i++) {
        JSProperty *property;
        if (as_expected) {
            property = &p->prop[i];
        } else if (find_own_property(&property, p, slots[i].key)) {
            JS_FreeValue(ctx, property->u.value);
        } else if (!(property = add_property(ctx, p, slots[i].key, JS_PROP_C_W_E))) {
            JS_FreeValue(ctx, object);
            return JSON_THREW;
        }
        property->u.value = slots[i].value;
        slots[i].value = JS_UNDEFINED;
    }
    for (size_t i = 0; i < count; i++)
        JS_FreeAtom(ctx, slots[i].key);
    r->slots_len = first;
    *value = object;
    return JSON_DONE;
}

static enum json_outcome json_read_object(struct json_reader *r, uint32_t place, int depth, JSValue *value)
{
    size_t first = r->slots_len;
    uint32_t hash = place * UINT32_C(0x9e3779b1) >> (32 - JSON_SHAPES_BITS);
    JSShape *shape = r->shapes[hash] ? js_dup_shape(r->shapes[hash]) : NULL;
    bool as_expected = shape != NULL;
    enum json_outcome outcome = JSON_DONE;
    json_skip_space(r);
    if (*r->at == '}') {
        r->at++;
    } else {
        for (size_t i = 0;; i++) {
            if (*r->at++ != '"') {
                outcome = JSON_GIVEN_UP;
                goto done;
            }
            JSAtom expected = shape && i < shape->prop_count ? get_shape_prop(shape)[i].atom : JS_ATOM_NULL, key;
            if ((outcome = json_read_key(r, expected, &key)) != JSON_DONE)
                goto done;
            as_expected &= key == expected;
            json_skip_space(r);
            JSValue member;
            outcome = *r->at++ == ':' ? json_read_value(r, key, depth, &member) : JSON_GIVEN_UP;
            if (outcome != JSON_DONE) {
                JS_FreeAtom(r->ctx, key);
                goto done;
            }
            if ((outcome = json_keep(r, key, member)) != JSON_DONE)
                goto done;
            uint8_t c = *r->at++;
            if (c == '}')
                break;
            if (c != ',') {
                outcome = JSON_GIVEN_UP;
                goto done;
            }
            json_skip_space(r);
        }
    }
    as_expected = as_expected && r->slots_len - first == shape->prop_count;
    outcome = json_make_object(r, first, as_expected, shape, value);
    if (outcome == JSON_DONE && !as_expected) {
        js_free_shape_null(r->ctx->rt, r->shapes[hash]);
        r->shapes[hash] = js_dup_shape(JS_VALUE_GET_OBJ(*value)->shape);
        r->has_shapes = true;
    }
done:
    js_free_shape_null(r->ctx->rt, shape);
    return outcome;
}

static enum json_outcome json_read_array(struct json_reader *r, uint32_t place, int depth, JSValue *value)
{
    size_t first = r->slots_len;
    json_skip_space(r);
    if (*r->at == ']') {
        r->at++;
    } else {
        for (;;) {
            JSValue element;
            enum json_outcome outcome = json_read_value(r, place + 1, depth, &element);
            if (outcome == JSON_DONE)
                outcome = json_keep(r, JS_ATOM_NULL, element);
            if (outcome != JSON_DONE)
                return outcome;
            uint8_t c = *r->at++;
            if (c == ']')
                break;
            if (c != ',')
                return JSON_GIVEN_UP;
        }
    }
    return json_make_array(r, first, value);
}

static inline enum json_outcome json_read_word(struct json_reader *r, const char *word, size_t len, JSValue meant, JSValue *value)
{
    if (r->end - r->at < len || memcmp(r->at, word, len) != 0)
        return JSON_GIVEN_UP;
    r->at += len;
    *value = meant;
    return JSON_DONE;
}

/* Reads a value and the space on both sides of it. `place` is the key that it stands under. */
static enum json_outcome json_read_value(struct json_reader *r, uint32_t place, int depth, JSValue *value)
{
    enum json_outcome outcome;
    json_skip_space(r);
    switch (*r->at) {
    case '"':
        r->at++;
        outcome = json_read_string(r, value);
        break;
    case '{':
        r->at++;
        outcome = depth == MOST_DEPTH ? JSON_GIVEN_UP : json_read_object(r, place, depth + 1, value);
        break;
    case '[':
        r->at++;
        outcome = depth == MOST_DEPTH ? JSON_GIVEN_UP : json_read_array(r, place, depth + 1, value);
        break;
    case 't':
        outcome = json_read_word(r, "true", 4, JS_TRUE, value);
        break;
    case 'f':
        outcome = json_read_word(r, "false", 5, JS_FALSE, value);
        break;
    case 'n':
        outcome = json_read_word(r, "null", 4, JS_NULL, value);
        break;
    default:
        outcome = json_read_number(r, value);
        break;
    }
    if (outcome == JSON_DONE)
        json_skip_space(r);
    return outcome;
}

/* Reads the whole of a text, which is followed by a zero. Returns JS_UNINITIALIZED when it gave up. */
static JSValue json_read(JSContext *ctx, const char *text, size_t len)
{
    struct json_reader r;
    r.ctx = ctx;
    r.at = (const uint8_t *)text;
    r.end = r.at + len;
    r.slots = r.few;
    r.slots_len = 0;
    r.slots_cap = countof(r.few);
    r.has_shapes = false;
    memset(r.shapes, 0, sizeof(r.shapes));
    JSValue value = JS_UNDEFINED;
    enum json_outcome outcome = json_read_value(&r, 0, 0, &value);
    if (outcome == JSON_DONE && r.at != r.end) {
        JS_FreeValue(ctx, value);
        outcome = JSON_GIVEN_UP;
    }
    for (size_t i = 0; i < r.slots_len; i++) {
        JS_FreeAtom(ctx, r.slots[i].key);
        JS_FreeValue(ctx, r.slots[i].value);
    }
    if (r.slots != r.few)
        js_free(ctx, r.slots);
    for (size_t i = 0; r.has_shapes && i < countof(r.shapes); i++)
        js_free_shape_null(ctx->rt, r.shapes[i]);
    return outcome == JSON_DONE ? value : outcome == JSON_THREW ? JS_EXCEPTION : JS_UNINITIALIZED;
}
