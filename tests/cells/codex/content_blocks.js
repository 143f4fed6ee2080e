// dialect: codex
const values = [
  undefined, null, 1, "s", true, {}, () => 1, { type: "text", text: "t" }, { type: "text" }, { type: "text", text: 5 }, { type: "text", text: "" },
  { type: "image", data: "AA", mimeType: "image/png" }, { type: "image", data: "AA" }, { type: "image" }, { type: "image", data: "", mimeType: "image/png" },
  { type: "image", data: "data:a", mimeType: "image/png" }, { type: "image", data: "AA", mimeType: 5 }, { type: "image", image_url: "data:a" },
  { type: "image", data: "AA", mimeType: "image/png", _meta: { "codex/imageDetail": "low" } },
  { type: "audio", data: "AA", mimeType: "audio/wav" }, { type: "audio" },
  { type: "resource", resource: { uri: "x", text: "y" } }, { type: "resource", resource: { uri: "x" } }, { type: "resource" },
  { type: "resource_link", uri: "u", name: "n", extra: 1 }, { type: "resource_link", uri: "u" }, { type: "weird" }, { toJSON: () => ({ type: "text", text: "from toJSON" }) },
  [{ type: "text", text: "1" }, { type: "text", text: "2" }], [], new Set([{ type: "text", text: "of a set" }]), [[{ type: "text", text: "n" }]],
  { content: [{ type: "text", text: "x" }] }, { type: "text", text: "m", _meta: { a: 1 } },
];
for (const value of values) {
  try {
    content(value);
  } catch (error) {
    text(error);
  }
}
