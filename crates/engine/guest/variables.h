/* The variables that the cells of a persistent VM share, as the cells of a notebook do.
 *
 * Part of quickjs.c: build/patch has it included there, and called where a module makes its variables and where a
 * name that no scope knows is looked up. What a cell declares at its top level is kept in the scope of the realm,
 * where QuickJS keeps what scripts declare with `let`, as a reference to the cell's own variable. A cell that declares
 * the name again is given that same variable, with the value it has: functions of earlier cells see what later cells
 * make of it. One that was declared and never got a value is not found by its name, so that it is as if it were not
 * declared; the functions of its cell refer to it, and see what a later declaration gives it. */

static JSVarRef *js_create_module_var(JSContext *ctx, bool is_lexical);

static bool carrel_keeps_variables;

/* Returns the value of a property of the realm's scope, wherever it is kept. */
static JSValue *carrel_variable(JSShapeProperty *prs, JSProperty *pr)
{
    return (prs->flags & JS_PROP_TMASK) == JS_PROP_VARREF ? pr->u.var_ref->pvalue : &pr->u.value;
}

/* Makes a variable of a module, or finds the one that an earlier cell declared under this name. */
static JSVarRef *carrel_module_variable(JSContext *ctx, JSClosureVar *declared)
{
    if (!carrel_keeps_variables || declared->var_name == JS_ATOM__default_)
        return js_create_module_var(ctx, declared->is_lexical);

    int flags = JS_PROP_CONFIGURABLE | JS_PROP_ENUMERABLE | JS_PROP_VARREF | (declared->is_const ? 0 : JS_PROP_WRITABLE);
    JSObject *scope = JS_VALUE_GET_OBJ(ctx->global_var_obj);
    JSVarRef *variable = NULL;
    JSProperty *property;
    JSShapeProperty *known = find_own_property(&property, scope, declared->var_name);
    if (known && (known->flags & JS_PROP_TMASK) == JS_PROP_VARREF) {
        variable = property->u.var_ref;
        JS_REF_COUNT(variable)++;
        /* Only what is lexical is asked for a value before it is read. */
        if (!declared->is_lexical && JS_IsUninitialized(*variable->pvalue))
            *variable->pvalue = JS_UNDEFINED;
        if (known->flags == flags)
            return variable;
    } else {
        variable = js_create_module_var(ctx, declared->is_lexical);
        if (!variable)
            return NULL;
    }
    if (known && delete_property(ctx, scope, declared->var_name) < 0)
        goto fail;
    property = add_property(ctx, scope, declared->var_name, flags);
    if (!property)
        goto fail;
    property->u.var_ref = variable;
    JS_REF_COUNT(variable)++;
    return variable;
fail:
    free_var_ref(ctx->rt, variable);
    return NULL;
}
