// Pictures, sounds and other MCP content blocks.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { TEXT, IMAGE, AUDIO, BLOCK } = kit.effects;
  const { stringify } = JSON;
  const { exec } = RegExp.prototype;
  const { indexOf, slice } = String.prototype;

  // What stands before the comma of a data URL: a media type, parameters, and that it is base64.
  const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64$/;
  const LONGEST_HEAD = 256;

  function emitMedia(effect, kind, value) {
    const found = mediaOf(kind, value);
    if (!found)
      throw new TypeError(
        `${kind}(value): value must be a data URL ("data:${kind}/…;base64,…"), an object with \`${kind}_url\`, ` +
          `or an MCP ${kind} block {type: "${kind}", data, mimeType}`,
      );
    emit(effect, 0, 0, found.data, found.mimeType);
  }

  function mediaOf(kind, value) {
    if (typeof value === "string") {
      const comma = kit.apply(indexOf, value, [","]);
      if (comma < 0 || comma > LONGEST_HEAD) return null;
      const parts = kit.apply(exec, DATA_URL, [kit.apply(slice, value, [0, comma])]);
      const data = kit.apply(slice, value, [comma + 1]);
      return parts !== null && host.isBase64(data) ? { mimeType: parts[1], data } : null;
    }
    if (typeof value !== "object" || value === null) return null;
    const url = value[`${kind}_url`];
    if (url !== undefined) return mediaOf(kind, typeof url === "object" && url !== null ? url.url : url);
    const { type, data, mimeType } = value;
    if (typeof mimeType === "string" && mimeType.length > LONGEST_HEAD)
      throw new TypeError(`${kind}(value): mimeType has ${mimeType.length} characters, and may have ${LONGEST_HEAD}`);
    const isBlock = type === kind && typeof data === "string" && typeof mimeType === "string" && host.isBase64(data);
    return isBlock ? { data, mimeType } : null;
  }

  kit.define("image", function image(value) {
    emitMedia(IMAGE, "image", value);
  });
  kit.define("audio", function audio(value) {
    emitMedia(AUDIO, "audio", value);
  });

  kit.define("content", function content(block) {
    const type = block?.type;
    if (type === "text" && typeof block.text === "string") emit(TEXT, 0, 0, block.text);
    else if (type === "image") emitMedia(IMAGE, "image", block);
    else if (type === "audio") emitMedia(AUDIO, "audio", block);
    else if (type === "resource" || type === "resource_link") emit(BLOCK, 0, 0, stringify(block));
    else
      throw new TypeError(
        'content(block): block must be an MCP content block: {type: "text" | "image" | "audio" | "resource" | "resource_link", …}',
      );
  });
});
