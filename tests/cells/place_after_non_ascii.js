// Columns count UTF-16 code units, as JavaScript counts a string: a character of two, three or four bytes before is one or two.
const places = {
  two_bytes: () => { const s = "äöü"; missing(s); },
  three_bytes: () => { const s = "日本語"; missing(s); },
  four_bytes: () => { const s = "😀👍🏽"; missing(s); },
  of_a_name: () => { const größe = null; größe.x; },
  in_a_comment: () => { /* — */ missing(); /* — */ },
  in_a_template: () => `ä€😀${missing()}`,
  after_a_template: () => { `ä
  €😀${1}😀`; missing(); },
  after_look_ahead: () => { "😀"; ((ä, ö) => missing(ä))("€"); },
  after_a_line: () => { const { ä = 1,
    ö = "€" } = {}; missing(ä, ö); },
  in_evaluated_code: () => (0, eval)("'ä€😀'; missing()"),
};
for (const name in places) {
  try {
    places[name]();
  } catch (error) {
    text(`${name} ${error.message} ${/(?:cell\.js|<.*>):(\d+:\d+)/.exec(error.stack)[1]}`);
  }
}
for (const json of ['["ä€😀", -x]', '{\n\n"ä": "€"\r\n, "😀": [-]}', '{"ä😀": 01}'])
  try {
    JSON.parse(json);
  } catch (error) {
    text(error.message);
  }
// ---- next cell ----
function later() { /* ä€😀 */ throw new Error("later"); }
try { "😀"; later(); } catch (error) { text(error.stack); }
// ---- next cell ----
const s = "äöü😀"; const = 1;
