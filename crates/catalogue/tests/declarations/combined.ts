declare const tools: {
  server__tool(input: {
    shape: /** Round. */ { kind: "circle"; radius: number } | { kind: "square"; side: number };
    level?: /** Low */ 1 | /** High */ 2;
    merged?: { a: string; b?: number };
    extended?: { more?: boolean; id?: string };
    either?: { id?: string; name?: string } & ({ id: unknown } | { name: unknown });
    branch?: string | number;
    /** @integer */
    maybe?: number | null;
    contradiction?: never;
    narrow?: "a" | 1;
    never?: never;
    whatever?: unknown;
    mix?: "a" | 1 | true | null | { x: [1] };
    undeclared: unknown;
  }): Promise<any>;
};
