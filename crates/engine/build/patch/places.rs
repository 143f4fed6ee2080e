//! A model finds its mistake by line and column. These changes give a call the place of what is called, where QuickJS has
//! that of the last argument; a property the place of its name; an import, which always fails, a place at all; and leave
//! the prelude out of stack traces.

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
    // The first line has its first column at 1, as the others have.
    (
        "    s->mark = s->buf_ptr + min_int(1, input_len);\n    s->eol = s->buf_ptr;\n",
        "    s->mark = s->buf_ptr;\n    s->eol = s->buf_ptr - 1;\n",
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
    // A frame of the prelude is not the cell's business.
    (
        "            backtrace_barrier = b->backtrace_barrier;\n        }\n",
        "            backtrace_barrier = b->backtrace_barrier;
            if (carrel_is_prelude(ctx, b->filename))
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
