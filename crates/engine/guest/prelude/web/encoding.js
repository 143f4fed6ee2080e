// `TextEncoder` and `TextDecoder`. UTF-8 and UTF-16 are decoded in the guest, other encodings by the host.
(function (host, kit) {
  "use strict";

  const { compute, encode, encodeInto, decode, decode16, latin1 } = host;
  const { NAME_ENCODING, DECODE } = kit.questions;
  const { uncurry, bytesOf } = kit;
  const toText = String;
  const Bytes = Uint8Array;
  const setBytes = uncurry(Bytes.prototype.set);
  const part = uncurry(Bytes.prototype.subarray);
  const slice = uncurry(String.prototype.slice);
  const codeAt = uncurry(String.prototype.charCodeAt);
  const isWellFormed = uncurry(String.prototype.isWellFormed);
  const wellFormed = uncurry(String.prototype.toWellFormed);

  kit.defineLazily("TextEncoder", () => {
    class TextEncoder {
      #isOne;

      get encoding() {
        this.#isOne;
        return "utf-8";
      }

      encode(input = "") {
        this.#isOne;
        return new Bytes(encode(toText(input)));
      }

      encodeInto(source, destination) {
        this.#isOne;
        kit.need("TextEncoder.encodeInto(source, destination)", arguments.length, 2);
        const text = toText(source);
        if (kit.typedArrayName(destination) !== "Uint8Array")
          throw new TypeError("TextEncoder.encodeInto(source, destination): destination must be a Uint8Array");
        const done = encodeInto(text, destination);
        return { read: done[0], written: done[1] };
      }

      static isOne(value) {
        return #isOne in value;
      }
    }
    const { isOne } = TextEncoder;
    delete TextEncoder.isOne;
    return kit.webClass(TextEncoder, isOne);
  });

  function joined(first, second) {
    if (first.length === 0) return second;
    const both = new Bytes(first.length + second.length);
    setBytes(both, first);
    setBytes(both, second, first.length);
    return both;
  }

  kit.defineLazily("TextDecoder", () => {
    const NOTHING = new Bytes(0);
    const refuse = (name) => {
      throw new TypeError(`TextDecoder.decode(input): the bytes are not ${name}`);
    };

    // What decodes the encodings: (bytes, fatal, isLast) to [text, how many bytes at the end are left for later]. The text is
    // null where the bytes are refused.
    function utf16(isBig) {
      return (bytes, fatal, isLast) => {
        const odd = bytes.length % 2;
        let text = decode16(part(bytes, 0, bytes.length - odd), isBig);
        let rest = odd;
        if (!isLast && text.length > 0 && (codeAt(text, text.length - 1) & 0xfc00) === 0xd800) {
          text = slice(text, 0, -1);
          rest += 2;
        }
        if (fatal && (!isWellFormed(text) || (isLast && odd))) return [null, 0];
        text = wellFormed(text);
        return isLast && odd ? [text + "\ufffd", 0] : [text, rest];
      };
    }
    const decoders = { "utf-8": decode, "utf-16le": utf16(false), "utf-16be": utf16(true) };

    class TextDecoder {
      #encoding;
      #fatal;
      #ignoreBOM;
      // Bytes that wait for more; for an encoding that the host decodes, all since the beginning, and of what came of
      // them, how much was given out.
      #pending = NOTHING;
      #given = 0;
      #isStreaming = false;
      #isBomSeen = false;

      constructor(label = "utf-8", options = undefined) {
        const text = toText(label);
        const { fatal, ignoreBOM } = kit.options("new TextDecoder(label, options)", options);
        try {
          this.#encoding = text === "utf-8" ? text : compute(NAME_ENCODING, text, "");
        } catch {
          throw new RangeError(`new TextDecoder(label): ${kit.quoted(text)} is no label of an encoding, such as utf-8, utf-16le or windows-1252`);
        }
        this.#fatal = !!fatal;
        this.#ignoreBOM = !!ignoreBOM;
      }

      get encoding() {
        return this.#encoding;
      }

      get fatal() {
        return this.#fatal;
      }

      get ignoreBOM() {
        return this.#ignoreBOM;
      }

      decode(input = undefined, options = undefined) {
        const isFirst = !this.#isStreaming;
        const bytes = input === undefined ? NOTHING : bytesOf(input);
        if (bytes === undefined)
          throw new TypeError("TextDecoder.decode(input): input must be an ArrayBuffer, a typed array or a DataView");
        const isLast = !kit.options("TextDecoder.decode(input, options)", options).stream;
        if (isFirst) {
          this.#pending = NOTHING;
          this.#given = 0;
          this.#isBomSeen = false;
        }
        this.#isStreaming = !isLast;
        const all = joined(this.#pending, bytes);
        let text = this.#isOfHost() ? this.#decodeByHost(all, isLast) : this.#decodeHere(all, isLast);
        // A mark of the byte order is none of the text. Only UTF-8 and UTF-16 have one.
        if (!this.#isBomSeen && text.length > 0) {
          this.#isBomSeen = true;
          if (!this.#ignoreBOM && !this.#isOfHost() && codeAt(text, 0) === 0xfeff) text = slice(text, 1);
        }
        return text;
      }

      #isOfHost() {
        return decoders[this.#encoding] === undefined;
      }

      #decodeHere(all, isLast) {
        const decoded = decoders[this.#encoding](all, this.#fatal, isLast);
        const text = decoded[0];
        const rest = decoded[1];
        if (text === null) {
          this.#isStreaming = false;
          refuse(this.#encoding);
        }
        // A copy: what was passed may change before the next call.
        this.#pending = rest ? new Bytes(part(all, all.length - rest)) : NOTHING;
        return text;
      }

      #decodeByHost(all, isLast) {
        let text;
        try {
          text = compute(DECODE, latin1(all), `${this.#encoding}${this.#fatal ? "!" : ""}${isLast ? "" : "+"}`);
        } catch (error) {
          this.#isStreaming = false;
          if (error.message !== "") throw new RangeError(`TextDecoder.decode(input): ${error.message}`);
          refuse(this.#encoding);
        }
        const given = this.#given;
        this.#given = text.length;
        this.#pending = isLast ? NOTHING : new Bytes(all);
        return slice(text, given);
      }

      static isOne(value) {
        return #encoding in value;
      }
    }
    const { isOne } = TextDecoder;
    delete TextDecoder.isOne;
    return kit.webClass(TextDecoder, isOne);
  });
});
