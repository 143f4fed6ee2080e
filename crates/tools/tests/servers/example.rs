//! The example server as its users meet it: a process, spoken to through the delegate.

use crate::common::{call, call_with, connect, example_server};
use base64::Engine as _;
use carrel_contract::{CancellationToken, ToolErrorCode};
use serde_json::{Value, json};

async fn orders() -> carrel_tools::McpDelegate {
    connect(json!({ "orders": example_server() })).await
}

#[tokio::test]
async fn lists_its_tools_with_descriptions_schemas_and_hints() {
    let delegate = orders().await;
    let catalogue = delegate.catalogue();
    let names: Vec<&str> = catalogue.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "orders__fail",
            "orders__get_order",
            "orders__list_customers",
            "orders__list_orders",
            "orders__list_products",
            "orders__product_image",
            "orders__slow_report",
            "orders__update_order"
        ]
    );
    for entry in catalogue.iter() {
        assert_eq!(entry.input_schema.problem(), None, "{}", entry.name);
        assert_eq!(entry.hints.read_only, entry.tool != "update_order");
        assert!(entry.hints.repeatable() && !entry.hints.open_world);
    }
    let descriptions = delegate.catalogue().descriptions();
    assert!(descriptions[3].description.contains("next_cursor"), "{:?}", descriptions[3]);
    delegate.upstreams().close().await;
}

#[tokio::test]
async fn its_orders_can_be_fetched_joined_and_summarised() {
    let delegate = orders().await;
    let (customers, products) = tokio::join!(
        call(&delegate, "orders__list_customers", json!({})),
        call(&delegate, "orders__list_products", json!({})),
    );
    let (customers, products) = (customers.unwrap(), products.unwrap());
    let ids =
        |list: &Value| -> Vec<Value> { list.as_array().unwrap().iter().map(|x| x["id"].clone()).collect() };
    let (customers, products) = (ids(&customers["customers"]), ids(&products["products"]));
    let mut seen = 0;
    let mut cursor = Value::Null;
    loop {
        let mut input = json!({ "limit": 30 });
        if !cursor.is_null() {
            input["cursor"] = cursor;
        }
        let page = call(&delegate, "orders__list_orders", input).await.unwrap();
        assert_eq!(page["total"], 72);
        for order in page["orders"].as_array().unwrap() {
            seen += 1;
            assert!(customers.contains(&order["customer_id"]));
            assert!(products.contains(&order["lines"][0]["product_id"]));
        }
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, 72);
    // Objects keep the order their server gave them.
    let order = call(&delegate, "orders__get_order", json!({ "id": "o-1001" })).await.unwrap();
    let keys: Vec<&String> = order.as_object().unwrap().keys().collect();
    assert_eq!(keys[..4], ["id", "customer_id", "date", "status"]);
}

#[tokio::test]
async fn an_update_is_seen_by_the_next_call() {
    let delegate = orders().await;
    let pay = json!({ "id": "o-1072", "status": "paid", "note": "by card" });
    let updated = call(&delegate, "orders__update_order", pay).await.unwrap();
    assert_eq!(
        (&updated["previous_status"], &updated["order"]["status"]),
        (&json!("pending"), &json!("paid"))
    );
    let order = call(&delegate, "orders__get_order", json!({ "id": "o-1072" })).await.unwrap();
    assert_eq!((&order["status"], &order["notes"]), (&json!("paid"), &json!(["by card"])));
    let back = call(&delegate, "orders__update_order", json!({ "id": "o-1072", "status": "pending" })).await;
    let error = back.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Failed);
    assert!(error.message.contains("cannot become pending"), "{error}");
}

#[tokio::test]
async fn a_failing_tool_rejects_with_its_message_and_data() {
    let delegate = orders().await;
    let input = json!({ "message": "out of ink", "data": { "retry_in": 5 } });
    let error = call(&delegate, "orders__fail", input).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (ToolErrorCode::Failed, "out of ink"));
    assert_eq!(error.data.unwrap().as_str(), r#"{"retry_in":5}"#);
    let error = call(&delegate, "orders__get_order", json!({ "id": "o-9999" })).await.unwrap_err();
    assert!(error.message.contains("o-1001 to o-1072"), "{error}");
}

#[tokio::test]
async fn an_input_that_does_not_fit_never_leaves() {
    let delegate = orders().await;
    let input = json!({ "limit": 500, "status": "open", "custmer_id": "c-01", "since": "yesterday" });
    let error = call(&delegate, "orders__list_orders", input).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::InvalidInput);
    for part in [
        "does not fit orders__list_orders",
        "`input.limit` is 500; accepted: 50 or less",
        "`input.status` is \"open\"; accepted: \"pending\", \"paid\"",
        "(did you mean \"customer_id\"?)",
        "`input.since` is \"yesterday\"",
    ] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    let error = call(&delegate, "orders__list_orders", json!([1])).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::InvalidInput);
    assert!(error.message.contains("is a list; a tool takes one object"), "{error}");
}

#[tokio::test]
async fn an_unknown_tool_is_told_near_names() {
    let delegate = orders().await;
    let error = call(&delegate, "orders__list_order", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Unavailable);
    assert!(error.message.contains("did you mean `orders__list_orders`"), "{error}");
}

#[tokio::test]
async fn its_image_is_a_png() {
    let delegate = orders().await;
    let blocks = call(&delegate, "orders__product_image", json!({ "product_id": "p-05" })).await.unwrap();
    assert!(blocks[0]["text"].as_str().unwrap().starts_with("Library chair (p-05): "), "{blocks}");
    assert_eq!((&blocks[1]["type"], &blocks[1]["mimeType"]), (&json!("image"), &json!("image/png")));
    let png = base64::prelude::BASE64_STANDARD.decode(blocks[1]["data"].as_str().unwrap()).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 1000, "{}", png.len());
}

#[tokio::test]
async fn a_slow_report_ends_and_can_be_cancelled() {
    let delegate = orders().await;
    let report = call(&delegate, "orders__slow_report", json!({ "delay_ms": 20 })).await.unwrap();
    assert_eq!(report["months"].as_array().unwrap().len(), 9);
    let cancel = CancellationToken::new();
    let slow = call_with(&delegate, "orders__slow_report", json!({ "delay_ms": 60_000 }), cancel.clone());
    // The next call is answered, so the server is at work on the first; then the first is given up.
    let (slow, other) = tokio::join!(slow, async {
        let other = call(&delegate, "orders__get_order", json!({ "id": "o-1001" })).await;
        cancel.cancel();
        other
    });
    assert_eq!(slow.unwrap_err().code, ToolErrorCode::Cancelled);
    assert_eq!(other.unwrap()["id"], "o-1001");
    assert!(call(&delegate, "orders__list_products", json!({})).await.is_ok());
}

#[tokio::test]
async fn many_calls_at_once_all_get_their_own_answer() {
    let delegate = orders().await;
    let calls = (1001..=1072).map(|number| {
        let delegate = &delegate;
        async move {
            let id = format!("o-{number}");
            let order = call(delegate, "orders__get_order", json!({ "id": id })).await.unwrap();
            assert_eq!(order["id"], id);
        }
    });
    futures::future::join_all(calls).await;
}

#[tokio::test]
async fn what_it_answers_fits_its_own_output_schemas() {
    let delegate = orders().await;
    for (tool, input) in [
        ("list_customers", json!({})),
        ("list_products", json!({})),
        ("list_orders", json!({ "limit": 50 })),
        ("get_order", json!({ "id": "o-1010" })),
        ("update_order", json!({ "id": "o-1072", "status": "paid" })),
        ("slow_report", json!({ "delay_ms": 0 })),
    ] {
        let catalogue = delegate.catalogue();
        let entry = catalogue.iter().find(|entry| entry.tool == tool).unwrap();
        let schema = entry.output_schema.as_ref().unwrap();
        let answer = call(&delegate, entry.name.as_str(), input).await.unwrap();
        let faults: Vec<String> =
            jsonschema::validator_for(schema).unwrap().iter_errors(&answer).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{tool}: {faults:?}");
    }
}
