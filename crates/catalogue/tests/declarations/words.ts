declare const tools: {
  /**
   * Ends *\/ here, or /* there.
   * \@deprecated is not a tag; mail a@b.c. esrever [31mred hidden
   */
  "new"(input?: {
    /** *\/ } }; evil(); /* */
    class?: string;
    /** @default "*\/" */
    "not an identifier"?: string;
    ""?: string;
    "quote\"\\\n\u2028"?: "*/" | "a\"b" | "\u202e";
    __proto__?: string;
    /** @pattern ^.*\/\@x $ */
    new?: string;
    /** @deprecated @readonly @example 1 @example {"a":"\@x"} */
    "größe"?: number;
  }): Promise<any>;
};
