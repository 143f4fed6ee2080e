declare const tools: {
  /** @returns as observed in earlier calls, not promised. */
  server__tool(input?: { [key: string]: unknown }): Promise<{ id: number; name?: string }[]>;
};
