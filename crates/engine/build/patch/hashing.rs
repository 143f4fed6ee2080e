//! The hash of the keys of `Map` and `Set`. QuickJS takes a key's place in the table from the lowest bits of its hash, and
//! computes that by multiplications with odd numbers, which leave low bits that are zero as they are: eight and more
//! of a small integer, which is hashed as a double, and three of an object's address. So a map of 5,000 integers has
//! one place in 256 in use, and looks through hundreds of keys for one. The high bits, which are all different, are
//! brought down.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[(
    "    return h ^ ctx->hash_seed ^ hash32(tag);\n",
    "    h = hash32(h);\n    return h ^ (h >> 16) ^ ctx->hash_seed ^ hash32(tag);\n",
)];
