for (const label of ["utf-8", "utf-16le", "shift_jis"]) {
  try {
    new TextDecoder(label, { fatal: true }).decode(new Uint8Array([0x81]));
  } catch (error) {
    text(String(error));
  }
}
text(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0x6f, 0x6b])));
