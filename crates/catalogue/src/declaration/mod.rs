//! JSON Schema to TypeScript.
