for (const key of ["\ud800", "a\udc00", "\ud83d\ude00"]) {
  try { store(key, 1); text(load(key)); } catch (error) { text(String(error)); }
  try { load(key); } catch (error) { text(String(error)); }
}
