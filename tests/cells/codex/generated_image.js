// dialect: codex
const values = [
  undefined, null, 1, "data:a", {}, [], () => 1, { image_url: "data:a" }, { image_url: "data:a", output_hint: "hint" }, { image_url: "data:a", output_hint: "" },
  { image_url: "data:a", output_hint: null }, { image_url: "data:a", output_hint: 1 }, { image_url: "data:a", output_hint: undefined },
  { image_url: "http://x" }, { image_url: "" }, { image_url: "data:a", detail: "low" }, { type: "image", data: "AA", mimeType: "image/png" }, { output_hint: "x" },
];
for (const value of values) {
  try {
    generatedImage(value);
  } catch (error) {
    text(error);
  }
}
