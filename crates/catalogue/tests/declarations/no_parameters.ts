declare const tools: {
  /** Destroys nothing; may be repeated. */
  server__tool(input?: {}): Promise<string>;
};
