declare const tools: {
  /**
   * Lists orders, newest first.
   *
   * At most a page at a time; ask on with `cursor`.
   * Read-only.
   */
  orders__list_orders(input?: {
    /** Only orders in this state. */
    status?: "open" | "paid" | "shipped";
    /** How many. @integer @minimum 1 @maximum 100 @default 20 */
    limit?: number;
    /** @format date-time */
    since?: string;
    /** A tag. @items maxLength 20 */
    tags?: string[];
    customer?: { id: string; vip?: boolean };
    /** @default null */
    cursor?: string | null;
  }): Promise<{ orders: { id: string; total: number }[]; next?: string | null }>;
};
