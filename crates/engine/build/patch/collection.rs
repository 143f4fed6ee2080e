//! When garbage is collected. Counting references frees most of it at once; a collection walks the whole heap for the
//! cycles that are left. QuickJS walks it each time it has grown by half, which took 16 % of building and reading
//! 50,000 objects. A small heap may double.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[(
    "        rt->malloc_gc_threshold = rt->malloc_state.malloc_size +\n            (rt->malloc_state.malloc_size >> 1);\n",
    "        size_t live = rt->malloc_state.malloc_size;
        /* No more than the default limit on memory, or cycles would end a cell that has room. */
        rt->malloc_gc_threshold = live < (32 << 20) ? 2 * live : live + (live >> 1);
",
)];
