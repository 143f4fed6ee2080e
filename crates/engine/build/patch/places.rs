//! A model finds its mistake by line and column. These changes count columns by UTF-16 code units, where QuickJS counts
//! bytes, and from each token, where it often has the one before; give a call the place of what is called, where it has that
//! of the last argument; a property the place of its name; an import, which always fails, a place at all; and leave the
//! prelude out of stack traces.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[
    // A call is at the name that is called, `new` at itself, any other call at its parenthesis: as in V8.
    (
        "    bool accept_lparen = (parse_flags & PF_POSTFIX_CALL) != 0;\n\n    call_type = FUNC_CALL_NORMAL;\n",
        "    bool accept_lparen = (parse_flags & PF_POSTFIX_CALL) != 0;
    int call_line = s->token.line_num, call_col = s->token.col_num;
    bool is_named = s->token.val == TOK_IDENT || s->token.val == TOK_NEW || s->token.val == TOK_SUPER;

    call_type = FUNC_CALL_NORMAL;
",
    ),
    (
        "                /* new operator on an object */\n                emit_op(s, OP_dup);\n",
        "                /* new operator on an object */
                emit_op(s, OP_dup);
                emit_source_loc_at(s, call_line, call_col);
",
    ),
    (
        "            call_type = FUNC_CALL_TEMPLATE;\n            goto parse_func_call2;\n",
        "            call_type = FUNC_CALL_TEMPLATE;
            if (!is_named)
                call_line = s->token.line_num, call_col = s->token.col_num;
            is_named = false;
            goto parse_func_call2;
",
    ),
    (
        "        parse_func_call:\n            if (next_token(s))\n",
        "        parse_func_call:
            if (!is_named)
                call_line = s->token.line_num, call_col = s->token.col_num;
            is_named = false;
            if (next_token(s))
",
    ),
    (
        "                /* drop the index */\n                emit_op(s, OP_drop);\n\n                /* apply function call */\n",
        "                /* drop the index */
                emit_op(s, OP_drop);

                /* apply function call */
                emit_source_loc_at(s, call_line, call_col);
",
    ),
    (
        "            emit_func_call:\n",
        "            emit_func_call:\n                emit_source_loc_at(s, call_line, call_col);\n",
    ),
    // A token is where it begins, by UTF-16 code units. What comes before it on its line is counted once: from the token
    // that was counted last, back or forth.
    (
        "    const uint8_t *mark; // first token character, invariant: eol < mark\n",
        "    const uint8_t *mark; // first token character, invariant: eol < mark
    const uint8_t *counted_line, *counted; // the line and the place in it up to which `surplus` holds
    int surplus; // bytes that are no code units
",
    ),
    (
        "int JS_PRINTF_FORMAT_ATTR(2, 3) js_parse_error(JSParseState *s,",
        "static int carrel_surplus(const uint8_t *from, const uint8_t *to)
{
    int surplus = 0;
    for (; from < to; from++)
        surplus += (*from & 0xC0) == 0x80 ? 1 : *from >= 0xF0 ? -1 : 0;
    return surplus;
}

static int carrel_token_column(JSParseState *s)
{
    const uint8_t *line = s->token.line_start, *at = s->token.ptr;
    if (s->counted_line != line) {
        s->counted_line = s->counted = line;
        s->surplus = 0;
    }
    s->surplus += carrel_surplus(s->counted, at) - carrel_surplus(at, s->counted);
    s->counted = at;
    return (int)(at - line) - s->surplus + 1;
}

int JS_PRINTF_FORMAT_ATTR(2, 3) js_parse_error(JSParseState *s,",
    ),
    (
        "        err_col_num = (int)(s->token.ptr - s->token.line_start) + 1;\n",
        "        err_col_num = carrel_token_column(s);\n",
    ),
    (
        "    s->token.col_num = max_int(1, s->mark - s->eol);\n    s->buf_ptr = p;\n",
        "    s->token.col_num = carrel_token_column(s);\n    s->buf_ptr = p;\n",
    ),
    (
        "                (int)(s->token.ptr - s->line_start) + 1;\n",
        "                s->token.col_num;\n",
    ),
    (
        "    sp->line_start = s->line_start;\n",
        "    sp->line_start = s->token.line_start;\n",
    ),
    // So is what is wrong in JSON. Upstream takes empty lines for one.
    (
        "    int position = curp - s->buf_start;\n    int line = 1;\n",
        "    int position = curp - s->buf_start - carrel_surplus(s->buf_start, curp);\n    int line = 1;\n",
    ),
    (
        "        if (*p == '\\r' || *p == '\\n') {
            p += 1 + (p[0] == '\\r' && p[1] == '\\n');
            line++;
            line_start = p;
        }
",
        "        if (*p == '\\n' || (*p == '\\r' && p[1] != '\\n')) {
            line++;
            line_start = p + 1;
        }
",
    ),
    (
        "msg, position, line, (int)(p - line_start) + 1);",
        "msg, position, line, (int)(curp - line_start) - carrel_surplus(line_start, curp) + 1);",
    ),
    // A function in which nothing has a place is where it begins.
    (
        "    *col = 1;\n    p = b->pc2line_buf;\n",
        "    *col = b->col_num;\n    p = b->pc2line_buf;\n",
    ),
    // A property is at its name or its bracket.
    (
        "        parse_property:\n",
        "        parse_property:\n            call_line = s->token.line_num, call_col = s->token.col_num;\n            is_named = true;\n",
    ),
    (
        "                    emit_op(s, OP_get_field);\n                    emit_atom(s, s->token.u.ident.atom);\n",
        "                    emit_source_loc(s);
                    emit_op(s, OP_get_field);
                    emit_atom(s, s->token.u.ident.atom);
",
    ),
    (
        "        parse_array_access:\n            prev_op = get_prev_opcode(fd);\n",
        "        parse_array_access:
            prev_op = get_prev_opcode(fd);
            call_line = s->token.line_num, call_col = s->token.col_num;
            is_named = false;
",
    ),
    (
        "            } else {\n                emit_op(s, OP_get_array_el);\n            }\n        } else {\n            break;\n",
        "            } else {
                emit_source_loc_at(s, call_line, call_col);
                emit_op(s, OP_get_array_el);
            }
        } else {
            break;
",
    ),
    // A frame of the prelude is not the cell's business, and a constructor that nobody wrote has no place.
    (
        "            backtrace_barrier = b->backtrace_barrier;\n        }\n",
        "            backtrace_barrier = b->backtrace_barrier;
            if (carrel_is_prelude(ctx, b->filename) || (b->is_derived_class_constructor && b->pc2line_len == 0))
                continue;
        }
",
    ),
    // The first `import` of a module is the one that fails; `import()` fails where it stands.
    (
        "JS_ValueToAtom(s->ctx, s->token.u.str.str);\n    if (module_name == JS_ATOM_NULL)\n        return -1;\n    if (next_token(s)) {\n        JS_FreeAtom(s->ctx, module_name);\n        return -1;\n    }\n\n    if (js_parse_with_clause(s, &attributes)) {",
        "JS_ValueToAtom(s->ctx, s->token.u.str.str);
    if (module_name == JS_ATOM_NULL)
        return -1;
    if (m->req_module_entries_count == 0)
        carrel_import_line = s->token.line_num, carrel_import_column = s->token.col_num;
    if (next_token(s)) {
        JS_FreeAtom(s->ctx, module_name);
        return -1;
    }

    if (js_parse_with_clause(s, &attributes)) {",
    ),
    (
        "        module_name = JS_ValueToAtom(ctx, s->token.u.str.str);\n        if (module_name == JS_ATOM_NULL)\n            return -1;\n        if (next_token(s)) {\n            JS_FreeAtom(ctx, module_name);\n            return -1;\n        }\n        if (js_parse_with_clause",
        "        module_name = JS_ValueToAtom(ctx, s->token.u.str.str);
        if (module_name == JS_ATOM_NULL)
            return -1;
        if (m->req_module_entries_count == 0)
            carrel_import_line = s->token.line_num, carrel_import_column = s->token.col_num;
        if (next_token(s)) {
            JS_FreeAtom(ctx, module_name);
            return -1;
        }
        if (js_parse_with_clause",
    ),
    (
        "    JS_EnqueueJob(ctx, js_dynamic_import_job, 5, vc(args));\n",
        "    (void)args;
    carrel_refuse_import(ctx, specifier_str);
    goto exception;
",
    ),
];
