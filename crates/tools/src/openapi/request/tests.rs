//! How values are written, and that no value leads elsewhere.

#![expect(clippy::needless_pass_by_value, reason = "tests write their values in place")]

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;

use super::super::document::Document;
use super::super::operation::Found;
use super::*;

const SERVER: &str = "https://api.example/v1/";

/// Reads the operation `POST path` with these fields.
fn operation(path: &str, fields: Value) -> Result<Operation, String> {
    let document = Document::new(json!({ "openapi": "3.1.0" })).unwrap();
    let found = Found {
        document: &document,
        path,
        item: &json!({}),
        method: Method::POST,
        operation: &fields,
        server: &Url::parse(SERVER).unwrap(),
        configured: &BTreeSet::new(),
    };
    found.read("op").map(|(operation, _)| operation)
}

fn written(path: &str, parameters: Value, input: Value) -> Result<Request, ToolError> {
    let operation = operation(path, json!({ "parameters": parameters })).unwrap();
    write(&operation, input.as_object().unwrap())
}

#[test]
fn values_are_written_in_the_style_of_their_parameter() {
    let list = json!(["a b", "c&d", 1]);
    let entries = json!({ "k": "v/", "n": 2 });
    for (fields, value, expected) in [
        (json!({}), json!("ü&=#?/+"), "p=%C3%BC%26%3D%23%3F%2F%2B"),
        (json!({}), json!(true), "p=true"),
        (json!({}), list.clone(), "p=a%20b&p=c%26d&p=1"),
        (json!({ "explode": false }), list.clone(), "p=a%20b%2Cc%26d%2C1"),
        (json!({ "style": "pipeDelimited", "explode": false }), list.clone(), "p=a%20b%7Cc%26d%7C1"),
        (json!({ "style": "spaceDelimited" }), list, "p=a%20b%20c%26d%201"),
        (json!({}), entries.clone(), "k=v%2F&n=2"),
        (json!({ "explode": false }), entries.clone(), "p=k%2Cv%2F%2Cn%2C2"),
        (
            json!({ "style": "deepObject", "explode": true }),
            json!({ "k": { "in": [1, 2] } }),
            "p%5Bk%5D%5Bin%5D%5B%5D=1&p%5Bk%5D%5Bin%5D%5B%5D=2",
        ),
        (
            json!({ "content": { "application/json": {} } }),
            entries,
            "p=%7B%22k%22%3A%22v%2F%22%2C%22n%22%3A2%7D",
        ),
    ] {
        let mut parameter = json!({ "name": "p", "in": "query" });
        parameter.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let request = written("/x", json!([parameter]), json!({ "p": value })).unwrap();
        assert_eq!(request.url.query(), Some(expected), "{parameter}");
    }
    let request = written("/x", json!([{ "name": "p", "in": "query" }]), json!({ "p": null })).unwrap();
    assert_eq!(request.url.as_str(), "https://api.example/v1/x");
}

#[test]
fn a_value_stays_in_its_segment_of_the_path() {
    let parameters = json!([{ "name": "a", "in": "path" }, { "name": "b", "in": "path" }]);
    for (a, b, path) in [
        (json!("x"), json!("y"), "/v1/f/x/y.json"),
        (json!("a/b?c#d"), json!("100%"), "/v1/f/a%2Fb%3Fc%23d/100%25.json"),
        (json!("..x"), json!(["p", "q"]), "/v1/f/..x/p,q.json"),
        (json!("%2e%2e"), json!({ "k": 1 }), "/v1/f/%252e%252e/k,1.json"),
    ] {
        let request = written("/f/{a}/{b}.json", parameters.clone(), json!({ "a": a, "b": b })).unwrap();
        assert_eq!(request.url.path(), path);
    }
    for hostile in ["..", ".", "", "../admin", "..\\admin", "x/../../admin", "a/./b", "\0"]
        .map(Value::from)
        .into_iter()
        .chain([json!(["a/..", "x"]), json!(null)])
    {
        let input = json!({ "a": hostile, "b": "y" });
        let error = written("/f/{a}/{b}", parameters.clone(), input).unwrap_err();
        assert_eq!(error.code, ToolErrorCode::InvalidInput, "{hostile}");
    }
    // Neither of the two is a step by itself.
    let parameters = json!([{ "name": "a", "in": "path" }]);
    assert!(written("/f/.{a}", parameters.clone(), json!({ "a": "." })).is_err());
    assert!(written("/f/%2e{a}", parameters, json!({ "a": "." })).is_err());
}

#[test]
fn a_path_that_leads_elsewhere_is_no_operation() {
    for path in
        ["/../x", "/a/%2e%2E/b", "/.", "x", "/a?b", "/a#b", "/a\\b", "/{a", "/{unknown}", "/a\r\nb", ""]
    {
        assert!(operation(path, json!({})).is_err(), "{path}");
    }
}

#[test]
fn a_header_is_one_line() {
    let parameters = json!([{ "name": "X-Trace", "in": "header" }, { "name": "Authorization", "in": "header" },
                            { "name": "Host", "in": "header" }]);
    let input = json!({ "X-Trace": ["a", 1], "Authorization": "Bearer mine", "Host": "evil" });
    let request = written("/x", parameters.clone(), input).unwrap();
    assert_eq!(request.headers["x-trace"], "a,1");
    assert!(!request.headers.contains_key("authorization") && !request.headers.contains_key("host"));
    for hostile in ["a\r\nX-Evil: 1", "a\nb", "\0", "ü"] {
        let error = written("/x", parameters.clone(), json!({ "X-Trace": hostile })).unwrap_err();
        assert!(error.message.contains("X-Trace"), "{error}");
    }
    let name = json!({ "parameters": [{ "name": "X\r\nY", "in": "header" }] });
    assert!(operation("/x", name).is_err());
}

#[test]
fn bodies_are_what_their_type_says() {
    let ask = |kind: &str, body: Value| {
        let operation = operation("/x", json!({ "requestBody": { "content": { kind: {} } } })).unwrap();
        let request = write(&operation, json!({ "body": body }).as_object().unwrap()).unwrap();
        let content_type = request.headers[http::header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (content_type, String::from_utf8(request.body.unwrap()).unwrap())
    };
    let both = |kind: &str, body: &str| (kind.to_owned(), body.to_owned());
    assert_eq!(ask("application/json", json!({ "a": [1] })), both("application/json", r#"{"a":[1]}"#));
    assert_eq!(
        ask("application/merge-patch+json", json!(null)),
        both("application/merge-patch+json", "null")
    );
    assert_eq!(ask("text/plain", json!("hi")), both("text/plain", "hi"));
    assert_eq!(
        ask(
            "application/x-www-form-urlencoded",
            json!({ "a": "b&c", "l": [1, 2], "o": { "k": "v" }, "n": null })
        ),
        both("application/x-www-form-urlencoded", "a=b%26c&l=1&l=2&o%5Bk%5D=v")
    );
    let (kind, body) = ask("multipart/form-data", json!({ "a\"\r\nb": "carrel-0000000000000000" }));
    assert_eq!(kind, "multipart/form-data; boundary=carrel-0000000000000001");
    assert_eq!(
        body,
        "--carrel-0000000000000001\r\nContent-Disposition: form-data; name=\"a%22%0D%0Ab\"\r\n\r\n\
         carrel-0000000000000000\r\n--carrel-0000000000000001--\r\n"
    );
    let zip = json!({ "requestBody": { "required": true, "content": { "application/zip": {} } } });
    assert!(operation("/x", zip).unwrap_err().contains("application/zip"));
    let cookie = json!({ "parameters": [{ "name": "c", "in": "cookie", "required": true }] });
    assert!(operation("/x", cookie).unwrap_err().contains("cookie"));
}
