//! The tools as clients see them: names, descriptions, schemas and truthful hints.

use rmcp::model::{Tool, ToolAnnotations};

use super::order::Order;
use super::requests::{
    CustomerList, Fail, GetOrder, ListOrders, Nothing, OrderPage, ProductImage, ProductList, Report,
    SlowReport, UpdateOrder, Updated,
};

/// What a client tells its model about the server as a whole.
pub(super) const INSTRUCTIONS: &str = "\
The order book of a small furniture shop, January to September 2026. Orders name their customer and products by id: \
join them with list_customers and list_products, which give everything at once. list_orders gives pages; follow \
next_cursor until it is null. All amounts are in cents of EUR. Changes live as long as this server's process.";

/// Returns the tools.
pub(super) fn all() -> Vec<Tool> {
    let reads = || ToolAnnotations::new().read_only(true).idempotent(true).open_world(false);
    vec![
        tool("list_customers", "List customers", "Lists all customers with name, city, country and segment.", reads())
            .with_input_schema::<Nothing>()
            .with_output_schema::<CustomerList>(),
        tool(
            "list_products",
            "List products",
            "Lists all products with category, today's price in cents and stock.",
            reads(),
        )
        .with_input_schema::<Nothing>()
        .with_output_schema::<ProductList>(),
        tool(
            "list_orders",
            "List orders",
            "Lists orders, oldest first, in pages. All filters are optional and combine. `total` counts the matches \
             on all pages; pass `next_cursor` as `cursor` for the next page.",
            reads(),
        )
        .with_input_schema::<ListOrders>()
        .with_output_schema::<OrderPage>(),
        tool("get_order", "Get an order", "Returns one order with its lines. Fails for an unknown id.", reads())
            .with_input_schema::<GetOrder>()
            .with_output_schema::<Order>(),
        tool(
            "update_order",
            "Update an order",
            "Moves an order to another status: pending to paid or cancelled, paid to shipped or cancelled, shipped to \
             delivered, delivered to returned. Any other move fails and changes nothing; repeating a move that was \
             made changes nothing either.",
            ToolAnnotations::new().read_only(false).destructive(true).idempotent(true).open_world(false),
        )
        .with_input_schema::<UpdateOrder>()
        .with_output_schema::<Updated>(),
        tool(
            "slow_report",
            "Slow report",
            "Sums up sales by month and takes its time over it: `delay_ms`, up to 60000. Sends progress and stops when \
             it is cancelled.",
            reads(),
        )
        .with_input_schema::<SlowReport>()
        .with_output_schema::<Report>(),
        tool(
            "fail",
            "Fail",
            "Always fails, with the message and the data it is given. For trying out how failures are handled.",
            reads(),
        )
        .with_input_schema::<Fail>(),
        tool(
            "product_image",
            "Chart of a product",
            "Draws the number of a product sold in each month of 2026 as a bar chart: a caption and a PNG.",
            reads(),
        )
        .with_input_schema::<ProductImage>(),
    ]
}

fn tool(name: &'static str, title: &str, description: &'static str, hints: ToolAnnotations) -> Tool {
    Tool::new(name, description, rmcp::model::JsonObject::new()).with_title(title).with_annotations(hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_does_takes_and_changes() {
        let tools = all();
        assert_eq!(tools.len(), 8);
        for tool in tools {
            assert!(tool.description.as_ref().unwrap().len() > 40, "{}", tool.name);
            assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
            assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
            assert!(tool.annotations.unwrap().read_only_hint.is_some(), "{}", tool.name);
        }
    }

    #[test]
    fn the_schema_of_list_orders_says_what_is_accepted() {
        let tools = all();
        let tool = tools.iter().find(|tool| tool.name == "list_orders").unwrap();
        let schema = serde_json::to_string_pretty(&tool.input_schema["properties"]).unwrap();
        for part in ["\"maximum\": 50", "\"pending\"", "\"format\": \"date\""] {
            assert!(schema.contains(part), "{schema}");
        }
        assert!(!schema.contains("$ref") && !schema.contains("null"), "{schema}");
        // Every filter is optional.
        assert_eq!(tool.input_schema.get("required"), None);
    }
}
