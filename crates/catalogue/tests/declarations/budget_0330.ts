declare const tools: {
  /**
   * Lists orders, newest first.
   *
   * At most a page at a time; ask on with `cursor`.
   * Read-only.
   */
  orders__list_orders(input: { status: "open" | "paid" | "shipped"; customer: object; [key: string]: unknown }): Promise<any>;
};
