//! The book as it is at every start: 12 customers, 15 products and 72 orders from January to September 2026.

use super::date::Date;
use super::order::{Customer, Line, Order, Product, Segment, Status};

/// The number of orders.
const ORDERS: u16 = 72;
/// The number of the first order.
const FIRST_ORDER: u16 = 1001;
/// Orders are about 3.7 days apart, in hundredths of a day.
const SPACING: u16 = 370;

const CUSTOMERS: &[(&str, &str, &str, Segment)] = &[
    ("Hotel Seeblick", "Konstanz", "DE", Segment::Hotel),
    ("Marta Oliveira", "Porto", "PT", Segment::Retail),
    ("Nordlys Architects", "Bergen", "NO", Segment::Office),
    ("Atelier Fontaine", "Lyon", "FR", Segment::Office),
    ("Jakub Wójcik", "Kraków", "PL", Segment::Retail),
    ("Brightwater Library", "Bristol", "GB", Segment::Office),
    ("Pension Alpenrose", "Innsbruck", "AT", Segment::Hotel),
    ("Sofia Lindqvist", "Uppsala", "SE", Segment::Retail),
    ("Studio Kestrel", "Dublin", "IE", Segment::Office),
    ("Giulia Ferraro", "Torino", "IT", Segment::Retail),
    ("Het Oude Pakhuis", "Gent", "BE", Segment::Hotel),
    ("Tomás Herrera", "Valencia", "ES", Segment::Retail),
];

const PRODUCTS: &[(&str, &str, u32, u32)] = &[
    ("Carrel desk, oak", "desk", 48_900, 14),
    ("Carrel desk, walnut", "desk", 56_900, 6),
    ("Standing desk", "desk", 69_500, 9),
    ("Reading chair", "chair", 32_400, 21),
    ("Library chair", "chair", 18_900, 40),
    ("Stool, beech", "chair", 7_900, 63),
    ("Banker's lamp, green", "lamp", 11_900, 35),
    ("Clamp lamp", "lamp", 6_450, 58),
    ("Floor lamp", "lamp", 15_900, 17),
    ("Book rest", "accessory", 3_490, 80),
    ("Desk pad, felt", "accessory", 2_790, 120),
    ("Bookends, brass", "accessory", 4_250, 44),
    ("Wall shelf, 80 cm", "shelf", 9_900, 27),
    ("Bookcase, five shelves", "shelf", 38_500, 11),
    ("Card catalogue, 12 drawers", "shelf", 72_000, 3),
];

/// Returns the customers by id.
pub(super) fn customers() -> Vec<Customer> {
    CUSTOMERS
        .iter()
        .zip(1..)
        .map(|((name, city, country, segment), number)| Customer {
            id: format!("c-{number:02}"),
            name: (*name).to_owned(),
            city: (*city).to_owned(),
            country: (*country).to_owned(),
            segment: *segment,
        })
        .collect()
}

/// Returns the products by id.
pub(super) fn products() -> Vec<Product> {
    PRODUCTS
        .iter()
        .zip(1..)
        .map(|((name, category, price_cents, stock), number)| Product {
            id: format!("p-{number:02}"),
            name: (*name).to_owned(),
            category: (*category).to_owned(),
            price_cents: *price_cents,
            stock: *stock,
        })
        .collect()
}

/// Returns the orders by id, which is also by date.
pub(super) fn orders(customers: &[Customer], products: &[Product]) -> Vec<Order> {
    let mut mix = Mix(0x0c0f_fee5);
    (0..ORDERS).map(|number| order(number, customers, products, &mut mix)).collect()
}

fn order(number: u16, customers: &[Customer], products: &[Product], mix: &mut Mix) -> Order {
    let day = number * SPACING / 100 + 4;
    let customer = mix.pick(customers);
    let mut lines: Vec<Line> = Vec::new();
    for _ in 0..=mix.below(3) {
        let product = mix.pick(products);
        let Some(product) = product.filter(|p| lines.iter().all(|line| line.product_id != p.id)) else {
            continue;
        };
        // Hotels and offices furnish rooms; small things go in larger numbers.
        let bulk = if customer.is_some_and(|c| c.segment != Segment::Retail) { 6 } else { 2 };
        let small = if product.price_cents < 10_000 { 4 } else { 1 };
        let quantity = 1 + mix.below(bulk * small);
        // In April the prices rose by 4 %.
        let unit_price_cents = if day < 90 { product.price_cents * 100 / 104 } else { product.price_cents };
        lines.push(Line { product_id: product.id.clone(), quantity, unit_price_cents });
    }
    let total_cents = lines.iter().map(|line| line.quantity * line.unit_price_cents).sum();
    let status = status(number, mix);
    let notes = match status {
        Status::Cancelled => vec!["cancelled at the customer's request".to_owned()],
        Status::Returned => vec!["came back undamaged; refunded".to_owned()],
        _ => Vec::new(),
    };
    Order {
        id: format!("o-{}", FIRST_ORDER + number),
        customer_id: customer.map(|c| c.id.clone()).unwrap_or_default(),
        date: Date::of_2026(day),
        status,
        lines,
        total_cents,
        currency: "EUR".to_owned(),
        notes,
    }
}

/// Old orders are done with; the last dozen are at every stage.
fn status(number: u16, mix: &mut Mix) -> Status {
    match (ORDERS - number, mix.below(12)) {
        (13.., 0) => Status::Cancelled,
        (13.., 1) => Status::Returned,
        (13.., _) | (10..=12, _) => Status::Delivered,
        (7..=9, _) => Status::Shipped,
        (4..=6, _) => Status::Paid,
        (_, _) => Status::Pending,
    }
}

/// A fixed sequence (`SplitMix64`) that spreads the data; the same at every start.
struct Mix(u64);

impl Mix {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(bound.max(1))).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(u32::try_from(items.len()).unwrap_or(u32::MAX)) as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> (Vec<Customer>, Vec<Product>, Vec<Order>) {
        let (customers, products) = (customers(), products());
        let orders = orders(&customers, &products);
        (customers, products, orders)
    }

    #[test]
    fn is_the_same_at_every_start() {
        let text = |orders: &[Order]| serde_json::to_string(orders).unwrap();
        assert_eq!(text(&all().2), text(&all().2));
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_total_is_right() {
        let (customers, products, orders) = all();
        assert_eq!((customers.len(), products.len(), orders.len()), (12, 15, 72));
        for order in &orders {
            assert!(customers.iter().any(|c| c.id == order.customer_id), "{order:?}");
            assert!(!order.lines.is_empty());
            let mut total = 0;
            for line in &order.lines {
                assert!(products.iter().any(|p| p.id == line.product_id), "{order:?}");
                total += line.quantity * line.unit_price_cents;
            }
            assert_eq!(order.total_cents, total);
        }
    }

    #[test]
    fn shows_every_status_and_every_customer() {
        let (customers, _, orders) = all();
        let statuses: BTreeSet<Status> = orders.iter().map(|o| o.status).collect();
        assert_eq!(statuses.len(), 6, "{statuses:?}");
        for customer in &customers {
            assert!(orders.iter().any(|o| o.customer_id == customer.id), "{customer:?}");
        }
        assert!(orders.is_sorted_by_key(|o| o.date));
        assert_eq!(orders[71].date.to_string().get(..7), Some("2026-09"));
    }
}
