//! What the tools take and give. The schemas that clients see are made from these types and their comments.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::date::Date;
use super::order::{Customer, Order, Product, Status};

/// The longest report a caller may wait for, in milliseconds.
pub(super) const MAX_DELAY_MS: u64 = 60_000;
/// Orders on a page unless asked otherwise, and at most.
pub(super) const DEFAULT_LIMIT: u32 = 20;
pub(super) const MAX_LIMIT: u32 = 50;

/// No input.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CustomerList {
    /// All customers, by id.
    pub(super) customers: Vec<Customer>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProductList {
    /// All products, by id.
    pub(super) products: Vec<Product>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = without_null_defaults)]
pub(super) struct ListOrders {
    /// Only orders of this customer, by id as in `c-03`.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) customer_id: Option<String>,
    /// Only orders that stand here.
    #[serde(default)]
    #[schemars(with = "Status")]
    pub(super) status: Option<Status>,
    /// Only orders placed on this day or later.
    #[serde(default)]
    #[schemars(with = "Date")]
    pub(super) since: Option<Date>,
    /// Only orders placed on this day or earlier.
    #[serde(default)]
    #[schemars(with = "Date")]
    pub(super) until: Option<Date>,
    /// How many orders to return at most: 20 unless given.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 50))]
    pub(super) limit: Option<u32>,
    /// Continues after the page that gave this as `next_cursor`. Keep the filters the same.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OrderPage {
    /// The orders of this page, oldest first.
    pub(super) orders: Vec<Order>,
    /// How many orders match in all, on all pages.
    pub(super) total: usize,
    /// Pass as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetOrder {
    /// The order's id, as in `o-1042`.
    pub(super) id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = without_null_defaults)]
pub(super) struct UpdateOrder {
    /// The order's id, as in `o-1042`.
    pub(super) id: String,
    /// Where it stands from now on.
    pub(super) status: Status,
    /// A note to keep with the change.
    #[serde(default)]
    #[schemars(with = "String", length(max = 500))]
    pub(super) note: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Updated {
    /// The order after the change.
    pub(super) order: Order,
    /// Where it stood before.
    pub(super) previous_status: Status,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = without_null_defaults)]
pub(super) struct SlowReport {
    /// How long the report takes, in milliseconds: 1000 unless given.
    #[serde(default)]
    #[schemars(with = "u64", range(max = 60_000))]
    pub(super) delay_ms: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    /// One entry for each month with orders.
    pub(super) months: Vec<MonthSales>,
    /// The sum of all months in cents.
    pub(super) revenue_cents: u64,
    /// How long the report took, in milliseconds.
    pub(super) took_ms: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct MonthSales {
    /// The month, as in `2026-03`.
    pub(super) month: String,
    /// Orders placed in it, without those cancelled or returned.
    pub(super) orders: u32,
    /// What they came to in cents.
    pub(super) revenue_cents: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = without_null_defaults)]
pub(super) struct Fail {
    /// The message to fail with.
    pub(super) message: String,
    /// Anything; comes back as the error's structured content.
    #[serde(default)]
    #[schemars(with = "Value")]
    pub(super) data: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductImage {
    /// The product's id, as in `p-07`.
    pub(super) product_id: String,
}

/// Takes `"default": null` out of a schema: a field that is left out is not one that is null.
fn without_null_defaults(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
        if let Some(property) = property.as_object_mut()
            && property.get("default").is_some_and(Value::is_null)
        {
            property.remove("default");
        }
    }
}
