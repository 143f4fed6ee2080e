// The dialect of Codex: `image()`, `audio()` and `generatedImage()`. A picture or a sound is a data URL, into which nobody
// looks.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { codex, apply } = kit;
  const { TEXT, IMAGE_URL, AUDIO_URL } = kit.effects;
  const { indexOf, slice, toLowerCase } = String.prototype;
  const { stringify } = JSON;

  // As host.h numbers them.
  const DETAILS = { __proto__: null, auto: 0, low: 1, high: 2, original: 3 };
  const HIGH = 2;
  const LONGEST_SCHEME = 16;

  const SHAPES = {
    image: "image expects a non-empty image URL string, an object with image_url and optional detail, or a raw MCP image block",
    audio: "audio expects a non-empty audio URL string, an object with audio_url, or a raw MCP audio block",
  };

  const isAbsent = (value) => value === undefined || value === null;

  // The URL of what an MCP block holds.
  function blockUrl({ data, mimeType, mime_type }) {
    if (apply(toLowerCase, apply(slice, data, [0, 5]), []) === "data:") return data;
    const type = typeof mimeType === "string" ? mimeType : typeof mime_type === "string" ? mime_type : "application/octet-stream";
    return `data:${type};base64,${data}`;
  }

  // What a value says: its URL, and the detail that it asks for.
  function read(kind, value) {
    if (typeof value === "function") throw codex.NO_JSON;
    if (typeof value === "string" && value !== "") return { url: value };
    if (typeof value !== "object" || value === null) throw SHAPES[kind];
    const url = value[`${kind}_url`];
    if (url !== undefined) {
      const { detail } = value;
      if (kind === "image") checkDetail(detail);
      if (typeof url !== "string" || url === "") throw SHAPES[kind];
      return { url, detail };
    }
    const { type } = value;
    if (typeof type !== "string") throw SHAPES[kind];
    if (type !== kind) throw `${kind} only accepts MCP ${kind} blocks, got ${stringify(type)}`;
    const { data, mimeType, mime_type, _meta } = value;
    if (typeof data !== "string" || data === "") throw `${kind} expected MCP ${kind} data`;
    return { url: blockUrl({ data, mimeType, mime_type }), detail: hint(_meta) };
  }

  // The detail in a block's `_meta`; one that is none is passed over.
  function hint(meta) {
    const detail = isAbsent(meta) ? undefined : meta["codex/imageDetail"];
    return typeof detail === "string" && DETAILS[detail] !== undefined ? detail : undefined;
  }

  function checkDetail(detail) {
    if (!isAbsent(detail) && typeof detail !== "string") throw "image detail must be a string when provided";
  }

  function checkUrl(kind, url) {
    const colon = apply(indexOf, url, [":"]);
    const scheme = colon < 0 || colon > LONGEST_SCHEME ? "" : apply(toLowerCase, apply(slice, url, [0, colon]), []);
    if (scheme === "data") return;
    const isRemote = kind === "image" && (scheme === "http" || scheme === "https");
    const problem = isRemote ? "remote image URLs are not supported in tool outputs" : `invalid ${kind} output`;
    throw `Tool call failed: ${problem}. Pass a base64 data URI instead`;
  }

  function emitImage(value, asked) {
    checkDetail(asked);
    const { url, detail: own } = codex.orText(() => read("image", value));
    checkUrl("image", url);
    const detail = isAbsent(asked) ? own : asked;
    const number = isAbsent(detail) ? HIGH : DETAILS[apply(toLowerCase, detail, [])];
    if (number === undefined) throw "image detail must be one of: auto, low, high, original";
    emit(IMAGE_URL, number, 0, url);
  }

  codex.emitBlock = function emitBlock(kind, block) {
    const url = blockUrl(block);
    if (kind === "image") emit(IMAGE_URL, DETAILS[hint(block._meta)] ?? HIGH, 0, url);
    else emit(AUDIO_URL, 0, 0, url);
  };

  codex.give("image", (value = undefined, detail = undefined) => {
    emitImage(value, detail);
  });

  codex.give("audio", (value = undefined) => {
    const { url } = codex.orText(() => read("audio", value));
    checkUrl("audio", url);
    emit(AUDIO_URL, 0, 0, url);
  });

  codex.give("generatedImage", (result = undefined) => {
    if (typeof result === "function") throw codex.NO_JSON;
    if (typeof result !== "object" || result === null) throw "generatedImage expects an image generation result object";
    const text = codex.orText(() => result.output_hint);
    if (text !== undefined && typeof text !== "string") throw "generatedImage output_hint must be a string when provided";
    emitImage(result);
    if (text !== undefined) emit(TEXT, 0, 0, text);
  });
});
