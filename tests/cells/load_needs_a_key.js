for (const key of [undefined, 1, "", {}, "k".repeat(1025)])
  try { load(key); } catch (error) { text(String(error)); }
