//! How much a declaration says, and in which order it says less.

/// What is written of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail {
    pub(super) examples: bool,
    /// Formats, patterns, lengths and the like.
    pub(super) limits: bool,
    /// What is written of a property's description; with none go its default and other notes.
    pub(super) description_bytes: usize,
    /// What is written of the tool's description.
    pub(super) tool_bytes: usize,
    /// How many objects stand within each other before one is only called `object`.
    pub(super) depth: usize,
    /// How many members of a union are written.
    pub(super) members: usize,
    pub(super) result: bool,
    pub(super) optional: bool,
    /// Whether properties have types.
    pub(super) types: bool,
}

const ALL: Detail = Detail {
    examples: true,
    limits: true,
    description_bytes: usize::MAX,
    tool_bytes: usize::MAX,
    depth: usize::MAX,
    members: usize::MAX,
    result: true,
    optional: true,
    types: true,
};
const NO_EXAMPLES: Detail = Detail { examples: false, ..ALL };
const NO_LIMITS: Detail = Detail { limits: false, ..NO_EXAMPLES };
const SHORT: Detail = Detail { description_bytes: 120, tool_bytes: 2000, ..NO_LIMITS };
const NO_DESCRIPTIONS: Detail = Detail { description_bytes: 0, tool_bytes: 1000, ..SHORT };
const SHALLOW: Detail = Detail { depth: 3, members: 30, tool_bytes: 500, ..NO_DESCRIPTIONS };
const FLAT: Detail = Detail { depth: 1, members: 10, tool_bytes: 300, ..SHALLOW };
const NO_RESULT: Detail = Detail { members: 4, result: false, tool_bytes: 200, ..FLAT };
const REQUIRED: Detail = Detail { optional: false, tool_bytes: 100, ..NO_RESULT };
const BARE: Detail = Detail { tool_bytes: 0, ..REQUIRED };
const NAMES: Detail = Detail { types: false, ..BARE };

/// From everything to the names of what is required. Each says less than the one before.
pub(super) const STEPS: [Detail; 12] = [
    ALL,
    NO_EXAMPLES,
    NO_LIMITS,
    SHORT,
    NO_DESCRIPTIONS,
    SHALLOW,
    Detail { depth: 2, members: 20, tool_bytes: 400, ..SHALLOW },
    FLAT,
    NO_RESULT,
    REQUIRED,
    BARE,
    NAMES,
];
