// dialect: codex
const values = [
  undefined, null, 1, "", "foo", "http://x/y.wav", "file:///x", "data:x", {}, { audio_url: 1 }, { audio_url: "" }, { audio_url: "data:a" }, { audio_url: null }, [],
  { type: "text" }, { type: "audio" }, { type: "audio", data: 1 }, { type: "audio", data: "" }, { type: "audio", data: "AA" },
  { type: "audio", data: "AA", mimeType: "audio/wav" }, { type: "audio", data: "AA", mime_type: "audio/mp3" }, { type: "audio", data: "data:audio/wav;base64,QQ" },
  { type: "image", data: "x" }, { content: [] }, true,
];
for (const value of values) {
  try {
    audio(value);
  } catch (error) {
    text(error);
  }
}
