//! The book itself: what can be asked of it, and the one change that can be made.

use std::collections::BTreeMap;

use super::data;
use super::order::{Customer, Order, Product};
use super::requests::{DEFAULT_LIMIT, ListOrders, MAX_LIMIT, MonthSales, OrderPage, UpdateOrder, Updated};
use crate::bound::bounded;
use crate::near::nearest;

/// Notes kept with one order.
const MAX_NOTES: usize = 20;

/// The order book.
pub(super) struct Book {
    customers: Vec<Customer>,
    products: Vec<Product>,
    orders: BTreeMap<String, Order>,
}

/// Why the book cannot answer. Written for the model that asked: what is wrong and what is accepted.
pub(super) type Refusal = String;

impl Book {
    pub(super) fn new() -> Self {
        let (customers, products) = (data::customers(), data::products());
        let orders = data::orders(&customers, &products);
        let orders = orders.into_iter().map(|order| (order.id.clone(), order)).collect();
        Self { customers, products, orders }
    }

    pub(super) fn customers(&self) -> &[Customer] {
        &self.customers
    }

    pub(super) fn products(&self) -> &[Product] {
        &self.products
    }

    pub(super) fn order(&self, id: &str) -> Result<&Order, Refusal> {
        self.orders.get(id).ok_or_else(|| self.no_order(id))
    }

    pub(super) fn product(&self, id: &str) -> Result<&Product, Refusal> {
        let ids = self.products.iter().map(|product| product.id.as_str());
        self.products.iter().find(|product| product.id == id).ok_or_else(|| unknown("product", id, ids))
    }

    /// Returns one page of the orders that match, oldest first.
    pub(super) fn orders(&self, request: &ListOrders) -> Result<OrderPage, Refusal> {
        if let Some(id) = &request.customer_id
            && self.customers.iter().all(|customer| customer.id != *id)
        {
            return Err(unknown("customer", id, self.customers.iter().map(|customer| customer.id.as_str())));
        }
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(format!("limit is {limit}; accepted are 1 to {MAX_LIMIT}"));
        }
        let after = match &request.cursor {
            None => "",
            Some(cursor) => {
                cursor.strip_prefix("after:").filter(|id| self.orders.contains_key(*id)).ok_or_else(|| {
                    "the cursor is not one that list_orders gave; leave it out to begin at the first page"
                        .to_owned()
                })?
            }
        };
        let matching = |order: &&Order| {
            request.customer_id.as_ref().is_none_or(|id| order.customer_id == *id)
                && request.status.is_none_or(|status| order.status == status)
                && request.since.is_none_or(|since| order.date >= since)
                && request.until.is_none_or(|until| order.date <= until)
        };
        let total = self.orders.values().filter(matching).count();
        let mut rest = self.orders.values().filter(matching).filter(|order| order.id.as_str() > after);
        let orders: Vec<Order> = rest.by_ref().take(limit as usize).cloned().collect();
        let next_cursor = match (orders.last(), rest.next()) {
            (Some(last), Some(_)) => Some(format!("after:{}", last.id)),
            _ => None,
        };
        Ok(OrderPage { orders, total, next_cursor })
    }

    /// Moves an order. One that already stands there stays as it is: the call may be repeated.
    pub(super) fn update(&mut self, request: UpdateOrder) -> Result<Updated, Refusal> {
        let UpdateOrder { id, status, note } = request;
        let refusal = self.no_order(&id);
        let order = self.orders.get_mut(&id).ok_or(refusal)?;
        let previous_status = order.status;
        if previous_status != status {
            if !previous_status.next().contains(&status) {
                let accepted: Vec<&str> = previous_status.next().iter().map(|next| next.as_str()).collect();
                let accepted = if accepted.is_empty() {
                    "nothing: that is final".to_owned()
                } else {
                    accepted.join(", ")
                };
                return Err(format!(
                    "order {id} is {} and cannot become {}; accepted from there: {accepted}",
                    previous_status.as_str(),
                    status.as_str()
                ));
            }
            order.status = status;
            if let Some(note) = note.filter(|_| order.notes.len() < MAX_NOTES) {
                order.notes.push(bounded(&note, 500));
            }
        }
        Ok(Updated { order: order.clone(), previous_status })
    }

    /// Sums up the sales of each month with orders.
    pub(super) fn months(&self) -> Vec<MonthSales> {
        let mut months: BTreeMap<u8, MonthSales> = BTreeMap::new();
        for order in self.orders.values().filter(|order| order.status.counts_as_sale()) {
            let month = order.date.month();
            let sales = months.entry(month).or_insert_with(|| MonthSales {
                month: format!("2026-{month:02}"),
                orders: 0,
                revenue_cents: 0,
            });
            sales.orders += 1;
            sales.revenue_cents += u64::from(order.total_cents);
        }
        months.into_values().collect()
    }

    /// Counts how many of a product were sold in each month of the year.
    pub(super) fn sold_by_month(&self, product_id: &str) -> [u32; 12] {
        let mut sold = [0; 12];
        for order in self.orders.values().filter(|order| order.status.counts_as_sale()) {
            let quantity: u32 = order
                .lines
                .iter()
                .filter(|line| line.product_id == product_id)
                .map(|line| line.quantity)
                .sum();
            if let Some(month) = sold.get_mut(usize::from(order.date.month()).saturating_sub(1)) {
                *month += quantity;
            }
        }
        sold
    }

    fn no_order(&self, id: &str) -> Refusal {
        unknown("order", id, self.orders.keys().map(String::as_str))
    }
}

fn unknown<'a>(kind: &str, id: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Refusal {
    let near = nearest(id, ids.clone(), 3);
    let (first, last) = (ids.clone().next().unwrap_or_default(), ids.last().unwrap_or_default());
    let hint = if near.is_empty() { String::new() } else { format!("; near ones: {}", near.join(", ")) };
    format!("there is no {kind} {:?}{hint}. Ids run from {first} to {last}", bounded(id, 60))
}

#[cfg(test)]
mod tests {
    use super::super::order::Status;
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let book = Book::new();
        let mut request = ListOrders { limit: Some(50), ..ListOrders::default() };
        let first = book.orders(&request).unwrap();
        assert_eq!((first.orders.len(), first.total), (50, 72));
        request.cursor = first.next_cursor;
        let second = book.orders(&request).unwrap();
        assert_eq!((second.orders.len(), second.next_cursor), (22, None));
        assert!(first.orders[49].id < second.orders[0].id);
    }

    #[test]
    fn filters_combine() {
        let book = Book::new();
        let date = |text: &str| serde_json::from_value(text.into()).ok();
        let page = book
            .orders(&ListOrders {
                status: Some(Status::Delivered),
                since: date("2026-03-01"),
                until: date("2026-03-31"),
                ..ListOrders::default()
            })
            .unwrap();
        assert!(!page.orders.is_empty());
        for order in &page.orders {
            assert!(order.status == Status::Delivered && order.date.month() == 3, "{order:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_accepted() {
        let mut book = Book::new();
        let refused = book.order("o-10x5").unwrap_err();
        assert!(refused.contains("near ones: o-10") && refused.contains("o-1001 to o-1072"), "{refused}");
        assert!(book.product("p-99").unwrap_err().contains("p-01 to p-15"));
        let customer = ListOrders { customer_id: Some("bob".into()), ..ListOrders::default() };
        assert!(book.orders(&customer).unwrap_err().contains("c-01 to c-12"));
        let cursor = ListOrders { cursor: Some("xyz".into()), ..ListOrders::default() };
        assert!(book.orders(&cursor).unwrap_err().contains("leave it out"));
        let back = UpdateOrder { id: "o-1072".into(), status: Status::Delivered, note: None };
        assert_eq!(
            book.update(back).unwrap_err(),
            "order o-1072 is pending and cannot become delivered; accepted from there: paid, cancelled"
        );
    }

    #[test]
    fn an_update_changes_the_book_and_may_be_repeated() {
        let mut book = Book::new();
        let pay = || UpdateOrder { id: "o-1072".into(), status: Status::Paid, note: Some("by card".into()) };
        let updated = book.update(pay()).unwrap();
        assert_eq!((updated.previous_status, updated.order.status), (Status::Pending, Status::Paid));
        assert_eq!(book.update(pay()).unwrap().previous_status, Status::Paid);
        assert_eq!(book.order("o-1072").unwrap().notes, ["by card"]);
    }

    #[test]
    fn months_add_up() {
        let book = Book::new();
        let months = book.months();
        assert_eq!((months.len(), months[0].month.as_str()), (9, "2026-01"));
        let sold: u32 = book.products().iter().flat_map(|p| book.sold_by_month(&p.id)).sum();
        assert!(sold > 0);
    }
}
