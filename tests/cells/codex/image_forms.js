// dialect: codex
const values = [
  undefined, null, 1, true, 10n, "", "foo", "http://x/y.png", "HTTPS://x", "ftp://x", "data:", "data:x", "DATA:image/png;base64,AA", " data:image/png,A", "\t",
  {}, { image_url: 1 }, { image_url: "" }, { image_url: "data:a" }, { image_url: null }, { image_url: { url: "data:z" } }, [], () => 1,
  { type: "text" }, { type: 5 }, { type: "audio", data: "x" }, { type: "image" }, { type: "image", data: 1 }, { type: "image", data: "" },
  { type: "image", data: "AA" }, { type: "image", data: "AA", mimeType: "image/png" }, { type: "image", data: "AA", mime_type: "image/gif" },
  { type: "image", data: "data:image/png;base64,QQ" }, { type: "image", data: "DATA:x" }, { type: "image", data: "http://x" }, { type: "image", data: "AA", mimeType: 5 },
  { type: "text", image_url: "data:q" }, { image_url: null, type: "image", data: "AA" }, { content: [{ type: "image" }] },
  { toJSON: () => ({ image_url: "data:tj" }) }, new (class { get image_url() { return "data:proto"; } })(), new String("data:a"),
];
for (const value of values) {
  try {
    image(value);
  } catch (error) {
    text(`${typeof error} ${error}`);
  }
}
