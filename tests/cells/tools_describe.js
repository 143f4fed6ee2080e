text(await tools.$describe("echo"));
text(await tools.$describe(["orders__get_order", "echo", "echo"]));
