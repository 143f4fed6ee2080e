declare const tools: {
  server__tool(input?: {
    labels?: { [key: string]: string };
    mixed?: { n?: number; [key: string]: string | number | undefined };
    deep?: { n?: { x?: number }; [key: string]: unknown };
    any?: { [key: string]: unknown };
    open?: { n?: number; [key: string]: unknown };
    closed?: {};
    /** @keys ^x- */
    headers?: { [key: string]: string };
    by_name?: { en?: string; de?: string };
    pair?: [number, number];
    at_least?: [string, ...number[]];
    old?: [string?, (number | null)?];
    /** @maxItems 0 */
    none?: [];
    /** @minItems 1 @uniqueItems */
    list?: (string | number)[];
    dependent?: {
      /** @needs address */
      card?: string;
      address?: string;
    };
  }): Promise<any>;
};
