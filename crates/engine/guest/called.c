/* The name of what a cell called that is no function. Part of quickjs_unit.c.
 *
 * It is read off the cell's source, which is kept for that: at the place of the call, and back over the names and dots
 * before it. */

static char *called_source;

/* Keeps the source of the cell that begins, or none. */
void carrel_keep_source(JSContext *ctx, char *source)
{
    js_free(ctx, called_source);
    called_source = source;
}

static bool is_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '#' || (uint8_t)c >= 0x80;
}

/* Finds a place in the source; NULL when it is not in it. Columns count UTF-16 code units from 1. */
static const char *source_at(int line, int column)
{
    const char *at = called_source;
    for (; line > 1; line--) {
        at = strchr(at, '\n');
        if (!at)
            return NULL;
        at++;
    }
    for (int passed = 1; passed < column; at++) {
        if (!*at || *at == '\n')
            return NULL;
        uint8_t byte = *at;
        passed += (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
    }
    while ((*at & 0xC0) == 0x80)
        at++;
    return at;
}

/* Writes the name, as in `tools.x`; false where it has none, or one that is too long. */
static bool carrel_called_name(JSContext *ctx, char *name, size_t size)
{
    JSStackFrame *frame = ctx->rt->current_stack_frame;
    if (!called_source || !frame || !frame->cur_pc || !JS_IsObject(frame->cur_func))
        return false;
    JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
    if (!js_class_has_bytecode(function->class_id))
        return false;
    JSFunctionBytecode *code = function->u.func.function_bytecode;
    if (code->filename != cell_file)
        return false;
    int column, line = find_line_num(ctx, code, frame->cur_pc - code->byte_code_buf - 1, &column);
    const char *at = source_at(line, column);
    if (!at || !is_in_name(*at))
        return false;
    const char *begin = at, *end = at;
    while (is_in_name(*end))
        end++;
    const char *prefix = "";
    while (begin > called_source && begin[-1] == '.') {
        const char *dot = begin - 1;
        if (dot > called_source && dot[-1] == '?')
            dot--;
        if (dot == called_source || !is_in_name(dot[-1])) {
            prefix = "(intermediate value)";
            begin = dot;
            break;
        }
        for (begin = dot; begin > called_source && is_in_name(begin[-1]); )
            begin--;
    }
    size_t prefix_len = strlen(prefix), len = end - begin;
    if (prefix_len + len >= size)
        return false;
    memcpy(name, prefix, prefix_len);
    memcpy(name + prefix_len, begin, len);
    name[prefix_len + len] = 0;
    return true;
}
