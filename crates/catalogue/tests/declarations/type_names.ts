type Promise2 = { x?: Promise2 };
type Type1X = { x?: Type1X };
type FooBar = { x?: FooBar };
type FooBar2 = { x?: FooBar2 };
type C3BC = { x?: C3BC };
declare const tools: {
  server__tool(input?: { a?: Promise2; b?: Type1X; c?: FooBar; d?: FooBar2; e?: C3BC }): Promise<any>;
};
