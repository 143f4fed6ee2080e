declare const tools: {
  orders__list_orders(input: { status: "open" | "paid" | "shipped"; customer: object; [key: string]: unknown }): Promise<any>;
};
