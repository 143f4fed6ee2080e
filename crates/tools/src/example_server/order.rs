//! What the book holds: customers, products, orders, and how an order moves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::date::Date;

/// A customer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Customer {
    /// The customer's id, as in `c-03`.
    pub(super) id: String,
    /// The customer's name.
    pub(super) name: String,
    /// The city they are in.
    pub(super) city: String,
    /// The country they are in, as an ISO 3166 code.
    pub(super) country: String,
    /// What kind of customer they are.
    pub(super) segment: Segment,
}

/// The kind of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Segment {
    Retail,
    Office,
    Hotel,
}

/// A product.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Product {
    /// The product's id, as in `p-07`.
    pub(super) id: String,
    /// The product's name.
    pub(super) name: String,
    /// The kind of product.
    pub(super) category: String,
    /// Today's price of one in cents. Orders keep the price of their day.
    pub(super) price_cents: u32,
    /// How many are in stock.
    pub(super) stock: u32,
}

/// An order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Order {
    /// The order's id, as in `o-1042`.
    pub(super) id: String,
    /// Who ordered; see `list_customers`.
    pub(super) customer_id: String,
    /// The day it was placed.
    pub(super) date: Date,
    /// Where it stands.
    pub(super) status: Status,
    /// What was ordered.
    pub(super) lines: Vec<Line>,
    /// The sum of its lines in cents.
    pub(super) total_cents: u32,
    /// The currency of all amounts.
    pub(super) currency: String,
    /// What was noted about it, oldest first.
    pub(super) notes: Vec<String>,
}

/// One product of an order.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// The product; see `list_products`.
    pub(super) product_id: String,
    /// How many.
    pub(super) quantity: u32,
    /// The price of one in cents on the day of the order.
    pub(super) unit_price_cents: u32,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Status {
    Pending,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
    Returned,
}

impl Status {
    /// Returns where an order may go from here.
    pub(super) fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Paid, Self::Cancelled],
            Self::Paid => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered => &[Self::Returned],
            Self::Cancelled | Self::Returned => &[],
        }
    }

    /// Tells whether the shop keeps the money.
    pub(super) fn counts_as_sale(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Returned)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}
