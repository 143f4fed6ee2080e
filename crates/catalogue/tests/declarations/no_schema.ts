declare const tools: {
  /** Does something. */
  server__tool(input?: unknown): Promise<any>;
};
