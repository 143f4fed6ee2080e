// dialect: codex
const x = ;
