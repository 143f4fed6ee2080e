declare const tools: {
  /**
   * Lists orders, newest first.
   *
   * At most a page at a time; ask on with `cursor`.
   * Read-only.
   */
  orders__list_orders(input: {
    status: "open" | "paid" | "shipped";
    limit?: number;
    since?: string;
    tags?: string[];
    customer: object;
    cursor?: string | null;
  }): Promise<{ orders: any[]; next?: string | null }>;
};
