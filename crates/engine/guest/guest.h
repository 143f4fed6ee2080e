/* What the parts of the guest share: the one VM that there is, and the doors between its files.
 *
 * Read in this order: `setup.c` makes the VM once, when the image is built; `cell.c` runs a cell in it; `calls.c`
 * keeps the tool calls that wait; `rejections.c` the promises nobody handled; `memory.c` what is to be said when memory is out; `bridge.c` is what the prelude can ask
 * for, with `utf8.c` and `random.c`; `quickjs_unit.c` is QuickJS-NG, with doors into its private state; `libc.c` stands in for an operating system. */
#ifndef CARREL_GUEST_H
#define CARREL_GUEST_H

#include <string.h>

#include "host.h"
#include "quickjs.h"

/* The shadow stack is 1 MiB (see build/guest.rs). What is left below the limit is for C functions that
 * check late; the host gives wasm's own stack room for far more than this much JavaScript recursion. */
#define STACK_BYTES (768 * 1024)

/* The name of every cell's source in stack traces. */
#define CELL_NAME "cell.js"

/* ---- setup.c ---- */

extern JSRuntime *runtime;
extern JSContext *context;

/* Functions of the prelude that C calls. */
extern JSValue prelude_tool_error, prelude_describe, prelude_describe_still, prelude_fire, prelude_forget_cell, prelude_forget_tools;

/* What a VM has in the dialect of Codex: in place of some of those, and of what two objects have. */
extern JSValue codex_tool_error, codex_describe, codex_error_text, codex_forget_tools, codex_globals, codex_errors;

/* ---- cell.c ---- */

/* Whether the VM speaks the dialect of Codex. */
extern bool speaks_codex;

/* Throws, in that dialect, what is being thrown as a text. */
JSValue cell_throw_text(JSContext *ctx);

/* Leaves the cell for good, so that no code of its own runs any more. */
JSValue cell_exit(JSContext *ctx);

/* Asked every so often while JavaScript runs. */
int cell_interrupted(JSRuntime *rt, void *opaque);

/* Throws what every import ends with. */
void carrel_throw_import(JSContext *ctx, const char *name);

/* ---- bridge.c ---- */

/* The functions of the prelude's `host`. */
JSValue bridge_new(JSContext *ctx);

/* Takes the tools of a start: names, each ended by a newline, then the tools as a JSON array. -1 when memory is out. */
int bridge_set_tools(JSContext *ctx, size_t names_len, size_t json_len);

/* Returns the place of the tool that a function was made for, by that place and the function's data; -1 and throws
 * when the tool is gone. */
int bridge_tool_of(JSContext *ctx, int tool, JSValueConst *data);

/* What the session allows to be stored; and what it had stored, with what this cell has added to that. */
struct quota {
    size_t value_bytes, bytes, keys;
};
extern struct quota quota, stored;

/* Timers that are set and have not fired. */
extern int32_t timers_pending;

/* Fetches a parcel and ends it with a zero, as the parsers want it. NULL when memory is out. */
char *fetch(JSContext *ctx, int32_t parcel, size_t len);

/* ---- utf8.c, random.c ---- */

/* Add their functions to the prelude's `host`. */
void utf8_add(JSContext *ctx, JSValueConst host);
void random_add(JSContext *ctx, JSValueConst host);

void random_seed(uint64_t seed);

/* ---- zone.c ---- */

/* Takes the zone of a start: the length of its name, 0 for UTC. */
void zone_set(size_t len);

const char *zone_name(void);

/* ---- calls.c ---- */

/* In place of a tool, where a question about the tools waits for its answer. */
#define NO_TOOL (-1)

/* A tool call that waits for its answer. */
struct call {
    int64_t number;
    int32_t tool; /* or NO_TOOL */
    int32_t next_free;
    JSValue promise;
    JSValue site; /* where it was called, by function and offset */
    uint32_t site_offset;
};

/* Calls that wait for their answer. */
extern int32_t calls_pending;

/* Asks a question about the tools, as an effect of its own kind; returns the promise of its answer. */
JSValue calls_ask(JSContext *ctx, int32_t effect, int32_t small, JSValueConst text);

/* Calls the tool `tool` with argv[0]; returns the promise of its answer. */
JSValue calls_begin(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int tool, JSValueConst *data);

/* Forgets all that wait. */
void calls_clear(JSContext *ctx);

/* Takes the call of a handle out of those that wait; false when there is none. */
bool calls_take(int64_t handle, struct call *call);

/* ---- rejections.c ---- */

void rejections_track(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque);

/* Forgets them all. */
void rejections_clear(JSContext *ctx);

/* Hands each promise that was rejected and not handled to `each`. What `each` runs may have those handed to another,
 * from the one that it was given on; that one then gets the rest. */
void rejections_each(JSContext *ctx, void (*each)(JSContext *ctx, JSValueConst promise));

/* ---- memory.c ---- */

/* Makes the error that is thrown when there is no memory for one. */
void memory_prepare(JSContext *ctx);

/* Tells whether a thrown value is an error of QuickJS's that says that memory is out. */
bool memory_is_cause(JSValueConst thrown);

/* Begins anew, with the next cell. */
void memory_forget(void);

/* Tells whether memory was out in this cell. */
bool memory_ran_out(void);

/* Tells whether a promise job was lost because memory was out: what the cell does from there on is not what it says. */
bool memory_lost_a_job(void);

/* What build/patch has QuickJS call: for an error to throw when there is no memory for one; when it has thrown that
 * memory is out; and when it could not enqueue a promise job. */
JSValue carrel_spare_error(JSContext *ctx);
void carrel_out_of_memory(JSContext *ctx);
void carrel_job_lost(void);

/* ---- quickjs_unit.c ---- */

void carrel_limit_stack(JSRuntime *rt, size_t bytes);
void carrel_seed(JSContext *ctx, uint64_t seed);

/* Whether the variables of the modules made from now on are shared with later ones (see variables.h). */
void carrel_keep_variables(bool keep);

/* Exchanges the properties of the global object, and those of the prototype of errors, with those of two plain objects, each with
 * the same prototype. No property is copied, and no count of references changes. */
void carrel_exchange_globals(JSContext *ctx, JSValueConst globals, JSValueConst errors);

/* Forgets all of a cell that has ended, wherever it was, but what its variables hold. */
void carrel_end_cell(JSContext *ctx, JSModuleDef *module);

/* Throws what neither `catch` nor `finally` sees. The interrupt handler is asked before any further call. */
JSValue carrel_throw_uncatchable(JSContext *ctx);

/* The errors by which QuickJS says that memory is out. */
void carrel_mark_out_of_memory(JSValueConst error);
bool carrel_is_out_of_memory(JSValueConst thrown);

/* A pending promise, which one of these settles. */
JSValue carrel_promise(JSContext *ctx);
void carrel_resolve(JSContext *ctx, JSValueConst promise, JSValueConst value);
void carrel_reject(JSContext *ctx, JSValueConst promise, JSValueConst reason);

/* Names the cell that begins: the file of its code. */
void carrel_name_cell(JSContext *ctx, const char *name);

/* Finds the line and the column, from 1, of the cell's code that called what runs now; line 0 when none did. */
void carrel_place(JSContext *ctx, int *line, int *column);

/* Lets go what the search for places keeps. */
void carrel_forget_places(JSContext *ctx);

/* Takes the source of the cell that begins, for the names of what it calls, or NULL. */
void carrel_keep_source(JSContext *ctx, char *source);

JSValue carrel_call_site(JSContext *ctx, uint32_t *offset);
JSValue carrel_class_of(JSContext *ctx, JSValueConst value);
JSValue carrel_call_site_text(JSContext *ctx, JSValueConst function, uint32_t offset);

/* Where the first `import` of the module that was compiled last stands. */
extern int carrel_import_line, carrel_import_column;

/* Forgets the sources of the functions there are: to a cell they are native code. */
void carrel_forget_sources(JSRuntime *rt);

/* Makes room in one place for what a small cell allocates, so that it changes few pages of the image. The last thing
 * to do when the image is built. */
void carrel_make_nursery(JSRuntime *rt);

/* ---- libc.c ---- */

/* Microseconds since 1970, set by each event. */
extern int64_t carrel_now_us;

/* The time of the first event. */
extern int64_t carrel_began_us;

/* ---- prelude.c, which the build writes ---- */

/* A file of the prelude, ended by the zero that `JS_Eval` wants. */
struct prelude_file {
    const char *name;
    const char *source;
    size_t len;
};
extern const struct prelude_file prelude_files[];
extern const int prelude_files_len;

#endif
