type OrItself = string | OrItself[];
declare const tools: {
  server__tool(input?: {
    anchored?: string;
    by_id?: { n?: number; inner?: number };
    full?: number;
    escaped?: boolean;
    /** (The schema refers to https://elsewhere.org/x.json, which it does not hold.) */
    elsewhere?: unknown;
    /** (The schema refers to #/$defs/lost, which it does not hold.) */
    lost?: unknown;
    itself?: unknown;
    loop?: unknown;
    or_itself?: OrItself;
  }): Promise<any>;
};
