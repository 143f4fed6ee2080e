globalThis.tools = 1; globalThis.text = text; delete globalThis.console;
text(typeof tools + typeof console);
