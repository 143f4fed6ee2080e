type Address = {
  street: string;
  city: string;
  /** @pattern ^[A-Z]{2}$ */
  country?: string;
};
declare const tools: {
  server__tool(input: {
    from: Address;
    /** Where it goes. */
    to: Address;
  }): Promise<any>;
};
