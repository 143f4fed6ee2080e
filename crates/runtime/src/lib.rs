//! The in-process provider (being written).
