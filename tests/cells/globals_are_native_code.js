// A program that prints a global, or compares it, sees what it sees of the language's own.
text(text.toString());
text(String(setTimeout));
text(String(URL));
text(String(tools.echo));
text(`${console.log}`.includes("[native code]"));
text(String((a, b) => a + b));
