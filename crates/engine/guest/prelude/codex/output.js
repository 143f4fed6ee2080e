// The dialect of Codex: `text()`, `notify()` and `content()`.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { codex, apply } = kit;
  const { TEXT, NOTIFY } = kit.effects;
  const { stringify, parse } = JSON;
  const { trim } = String.prototype;
  const { iterator } = Symbol;
  const toText = String;

  function textOf(value) {
    switch (typeof value) {
      case "string":
        return value;
      case "object":
        return value === null ? "null" : toText(codex.orText(() => stringify(value)));
      case "function":
        return toText(codex.orText(() => stringify(value)));
      case "symbol":
        return "undefined";
      default:
        return toText(value);
    }
  }

  codex.give("text", (value = undefined) => {
    emit(TEXT, 0, 0, textOf(value));
  });

  codex.give("notify", (value = undefined) => {
    const text = textOf(value);
    if (apply(trim, text, []) === "") throw "notify expects non-empty text";
    emit(NOTIFY, 0, 0, text);
  });

  const isText = (value) => typeof value === "string";
  const isTextOrAbsent = (value) => value === undefined || value === null || typeof value === "string";

  // Whether a block of some type has what it must have.
  const BLOCKS = {
    __proto__: null,
    text: ({ text }) => isText(text),
    image: ({ data, mimeType, mime_type }) => isText(data) && isTextOrAbsent(mimeType) && isTextOrAbsent(mime_type),
    audio: ({ data, mimeType, mime_type }) => isText(data) && isTextOrAbsent(mimeType) && isTextOrAbsent(mime_type),
    resource: ({ resource }) => typeof resource === "object" && resource !== null && isText(resource.uri) && (isText(resource.text) || isText(resource.blob)),
    resource_link: ({ uri, name }) => isText(uri) && isText(name),
  };

  function emitBlock(value) {
    if (typeof value === "function" || typeof value === "symbol") throw codex.NO_JSON;
    const json = codex.orText(() => stringify(value));
    const block = json === undefined ? undefined : parse(json);
    const isBlock = typeof block === "object" && block !== null && BLOCKS[block.type]?.(block);
    if (!isBlock) throw "content expects one MCP ContentBlock";
    if (block.type === "text") emit(TEXT, 0, 0, block.text);
    else if (block.type === "image" || block.type === "audio") codex.emitBlock(block.type, block);
    else emit(TEXT, 0, 0, json);
  }

  codex.give("content", (value = undefined) => {
    const iterate = typeof value === "string" || value === undefined || value === null ? undefined : value[iterator];
    if (typeof iterate !== "function") return emitBlock(value);
    const blocks = { [iterator]: () => apply(iterate, value, []) };
    for (const block of blocks) emitBlock(block);
  });
});
