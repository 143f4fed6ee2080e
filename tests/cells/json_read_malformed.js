// What the guest's own JSON reader gives up on fails with the messages of QuickJS's.
for (const json of ["", " ", "01", "-", "1.", "1e", "+1", ".5", "[1,]", "[1 2]", '{"a":1,}', '{"a" 1}', "{a:1}", "{1:1}", "tru", "truely", "nul", "[1]]", '"abc', '"a\nb"', '"\\x"', '"\\u12g4"', "'a'", "[1,\0]", "NaN", "\u00a01", '{"a":1', "["]) {
  try {
    text(`${JSON.stringify(json)} parses as ${JSON.stringify(JSON.parse(json))}`);
  } catch (error) {
    text(`${JSON.stringify(json)} ${error.name}: ${error.message}`);
  }
}
