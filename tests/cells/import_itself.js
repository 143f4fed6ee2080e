for (const name of ["cell.js", "./cell.js", "import cell.js", "carrel:prelude"])
  try { await import(name); } catch (e) { text(e.message); }
