// `crypto`: random bytes from the start's seed. The same start draws the same, so they are no secrets.
(function (host, kit) {
  "use strict";

  const { randomFill, randomUuid } = host;
  const { bytesOf, typedArrayName } = kit;
  const MOST_BYTES = 65536;

  kit.defineLazily("crypto", () => {
    class Crypto {
      getRandomValues(array) {
        kit.need("crypto.getRandomValues(array)", arguments.length, 1);
        const name = typedArrayName(array);
        if (name === undefined || name[0] === "F")
          throw kit.domException("crypto.getRandomValues(array): array must be a typed array of integers", "TypeMismatchError");
        const bytes = bytesOf(array);
        if (bytes.length > MOST_BYTES)
          throw kit.domException(
            `crypto.getRandomValues(array): array may have ${MOST_BYTES} bytes; this has ${bytes.length}`,
            "QuotaExceededError",
          );
        randomFill(bytes);
        return array;
      }

      randomUUID() {
        return randomUuid();
      }
    }
    kit.webClass(Crypto);
    return new Crypto();
  });
});
