// dialect: codex
const block = (detail) => ({ type: "image", data: "AA", mimeType: "image/png", _meta: { "codex/imageDetail": detail } });
const values = [
  ["data:a"], ["data:a", null], ["data:a", "low"], ["data:a", "LOW"], ["data:a", "auto"], ["data:a", "original"],
  ["data:a", " low"], ["data:a", ""], ["data:a", 1], ["data:a", "bad"], ["data:a", new String("low")],
  [{ image_url: "data:a", detail: "low" }], [{ image_url: "data:a", detail: "low" }, "high"], [{ image_url: "data:a", detail: null }],
  [{ image_url: "data:a", detail: 3 }], [{ image_url: "data:a", detail: "x" }], [{ image_url: "data:a", detail: "x" }, "low"], [{ image_url: "", detail: 5 }],
  [block("original")], [block("bad")], [block(1)], [block("LOW")], [block("original"), "low"],
  ["foo", 1], ["foo", "bad"], [5, 5],
];
for (const [value, detail] of values) {
  try {
    image(value, detail);
  } catch (error) {
    text(error);
  }
}
