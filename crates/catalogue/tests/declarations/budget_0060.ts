declare const tools: {
  orders__list_orders(input: { status: unknown; customer: unknown; [key: string]: unknown }): Promise<any>;
};
