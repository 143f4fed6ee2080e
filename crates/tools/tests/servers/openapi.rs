//! Operations of OpenAPI documents, called over HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use carrel_contract::{CancellationToken, ToolErrorCode, ToolName};
use carrel_tools::{ConnectOptions, McpConfig, McpDelegate, NoSink, Upstreams};
use serde_json::{Value, json};

use crate::common::{API_KEY, call, call_with};

/// The API of `api.mjs`, running.
struct Api {
    process: Child,
    port: u16,
}

impl Api {
    fn start() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/api.mjs");
        let mut process = Command::new("node").arg(path).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), process }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn environment(name: &str) -> Option<String> {
    (name == "API_KEY").then(|| API_KEY.to_owned())
}

/// Reads a document, which lies in a file, with this configuration of it.
async fn connect(document: &str, mut entry: Value) -> Upstreams {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), document).unwrap();
    if entry.get("document").is_none() {
        entry["document"] = json!("api.yaml");
    }
    let path = folder.path().join("carrel.json");
    std::fs::write(&path, json!({ "openapi": { "api": entry } }).to_string()).unwrap();
    let config = McpConfig::load(&path, &environment).unwrap();
    assert!(!format!("{config:?}").contains(API_KEY));
    Upstreams::connect(&config, ConnectOptions::default()).await
}

/// A document in YAML with a GET of each of these paths.
fn gets(api: &Api, paths: &[&str]) -> String {
    let mut text = format!("openapi: 3.0.3\nservers:\n- url: {}\npaths:\n", api.url("/v1"));
    for path in paths {
        let name = path.trim_matches('/').replace('/', "-");
        text.push_str(&format!(
            "  {path}:\n    get:\n      operationId: {name}\n      responses: {{200: {{description: x}}}}\n"
        ));
    }
    text
}

#[tokio::test]
async fn an_operation_is_called_with_all_that_it_takes() {
    let api = Api::start();
    let document = json!({
        "openapi": "3.1.0", "servers": [{ "url": api.url("/{version}"), "variables": { "version": { "default": "v1" } } }],
        "paths": { "/users/{id}": {
            "parameters": [{ "$ref": "#/components/parameters/Id" }],
            "put": { "summary": "Changes a user.", "tags": ["users"],
                "parameters": [{ "name": "dry", "in": "query", "schema": { "type": "boolean" } },
                               { "name": "id", "in": "header" }, { "name": "api_key", "in": "query", "required": true }],
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/User" } } } },
                "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/User" } } } } } } } },
        "components": {
            "parameters": { "Id": { "name": "id", "in": "path", "required": true, "description": "Whose.", "schema": { "type": "integer" } } },
            "schemas": { "User": { "type": "object", "properties": { "name": { "type": "string" },
                                   "friends": { "type": "array", "items": { "$ref": "#/components/schemas/User" } } } } } } });
    let entry =
        json!({ "bearer": "${API_KEY}", "headers": { "X-Team": "a" }, "query": { "api_key": "${API_KEY}" } });
    let delegate = McpDelegate::new(connect(&document.to_string(), entry).await, NoSink);
    let tools = delegate.catalogue().descriptions();
    assert_eq!(tools.len(), 1);
    let tool = &tools[0];
    assert_eq!((tool.name.as_str(), tool.description.as_str()), ("api__put_users_id", "Changes a user."));
    assert!(tool.hints.idempotent && tool.hints.destructive && !tool.hints.read_only);
    assert_eq!(
        tool.input_schema.as_ref().unwrap().to_value(),
        json!({ "type": "object", "additionalProperties": false, "required": ["id", "body"],
                "properties": { "id": { "type": "integer", "description": "Whose." }, "dry": { "type": "boolean" }, "id_header": true,
                                "body": { "$ref": "#/$defs/User" } },
                "$defs": { "User": { "type": "object", "properties": { "name": { "type": "string" },
                           "friends": { "type": "array", "items": { "$ref": "#/$defs/User" } } } } } })
    );
    assert_eq!(tool.output.as_ref().unwrap().schema.to_value()["$ref"], "#/$defs/User");

    let input = json!({ "id": 7, "dry": true, "id_header": "h", "body": { "name": "Ada", "friends": [{}] } });
    let seen = call(&delegate, "api__put_users_id", input).await.unwrap();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["url"], format!("/v1/users/7?dry=true&api_key={API_KEY}"));
    assert_eq!(seen["body"], r#"{"name":"Ada","friends":[{}]}"#);
    for (name, value) in [
        ("authorization", &*format!("Bearer {API_KEY}")),
        ("x-team", "a"),
        ("id", "h"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ] {
        assert_eq!(seen["headers"][name], value, "{name}");
    }
    for input in
        [json!({ "id": "7", "body": {} }), json!({ "id": 7 }), json!({ "id": 7, "body": { "friends": [1] } })]
    {
        let error = call(&delegate, "api__put_users_id", input).await.unwrap_err();
        assert_eq!(error.code, ToolErrorCode::InvalidInput);
    }
}

#[tokio::test]
async fn answers_come_as_those_of_mcp_servers() {
    let api = Api::start();
    let delegate = McpDelegate::new(
        connect(&gets(&api, &["/text", "/image", "/blob", "/nothing", "/large"]), json!({})).await,
        NoSink,
    )
    .with_value_bytes(1000);
    let ask = async |tool: &str| call(&delegate, &format!("api__{tool}"), json!({})).await;
    assert_eq!(ask("text").await.unwrap(), "plain ü");
    let data = "iVBORw0KGgo=";
    assert_eq!(
        ask("image").await.unwrap(),
        json!([{ "type": "image", "data": data, "mimeType": "image/png" }])
    );
    let blob = json!([{ "type": "resource", "resource": { "uri": api.url("/v1/blob"), "mimeType": "application/zip", "blob": data } }]);
    assert_eq!(ask("blob").await.unwrap(), blob);
    assert_eq!(ask("nothing").await.unwrap(), Value::Null);
    assert_eq!(ask("large").await.unwrap_err().code, ToolErrorCode::TooLarge);
}

#[tokio::test]
async fn failures_say_what_happened_and_no_secret() {
    let api = Api::start();
    let entry = json!({ "headers": { "X-Api-Key": "${API_KEY}" }, "timeout_seconds": 1 });
    let paths = ["/busy", "/gone", "/silent", "/broken", "/endless"];
    let delegate = McpDelegate::new(connect(&gets(&api, &paths), entry).await, NoSink);
    let ask = async |tool: &str| call(&delegate, &format!("api__{tool}"), json!({})).await.unwrap_err();
    let busy = ask("busy").await;
    assert_eq!(busy.message, "HTTP 429 Too Many Requests: slow down, ${API_KEY}");
    assert!(busy.retryable);
    let data = json!({ "status": 429, "retry_after": 7, "body": { "message": "slow down, ${API_KEY}" } });
    assert_eq!(busy.data.unwrap().to_value(), data);
    let gone = ask("gone").await;
    assert_eq!((gone.message.as_str(), gone.retryable), ("HTTP 404 Not Found: no such thing", false));
    assert_eq!(ask("silent").await.code, ToolErrorCode::TimedOut);
    let broken = ask("broken").await;
    assert!(broken.code == ToolErrorCode::OutcomeUnknown && broken.retryable, "{broken:?}");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let cancelled = call_with(&delegate, "api__silent", json!({}), cancel).await.unwrap_err();
    assert_eq!(cancelled.code, ToolErrorCode::Cancelled);
    drop(api);
    let dead = ask("gone").await;
    assert!(dead.code == ToolErrorCode::Unavailable && dead.retryable, "{dead:?}");
}

#[tokio::test]
async fn credentials_follow_no_redirect_elsewhere() {
    let (api, thief) = (Api::start(), Api::start());
    let mut document = gets(&api, &["/near"]);
    document.push_str(
        "  /away:\n    get:\n      operationId: away\n      parameters: [{name: port, in: query}]\n",
    );
    let delegate = McpDelegate::new(
        connect(&document, json!({ "basic": { "user": "ada", "password": "${API_KEY}" } })).await,
        NoSink,
    );
    let near = call(&delegate, "api__near", json!({})).await.unwrap();
    assert!(near["headers"]["authorization"].as_str().unwrap().starts_with("Basic "));
    let away = call(&delegate, "api__away", json!({ "port": thief.port })).await.unwrap_err();
    assert!(away.message.starts_with("HTTP 302 Found: it redirects elsewhere"), "{away}");
}

#[tokio::test]
async fn a_document_from_afar_names_its_own_server_or_the_configuration_does() {
    let (api, other) = (Api::start(), Api::start());
    let far = json!({ "document": api.url("/openapi.json") });
    let delegate = McpDelegate::new(connect("", far).await, NoSink);
    assert_eq!(call(&delegate, "api__echo", json!({})).await.unwrap()["url"], "/v1/echo");

    let document = api.url(&format!("/openapi.json?server={}", other.url("/v2")));
    let refused = connect("", json!({ "document": document, "bearer": "${API_KEY}" })).await;
    let failure = refused.failures()[0].to_string();
    assert!(
        failure.starts_with("read the OpenAPI document of `api`:") && failure.contains("set `server`"),
        "{failure}"
    );

    let meant = json!({ "document": document, "server": other.url("/v2"), "bearer": "${API_KEY}" });
    let delegate = McpDelegate::new(connect("", meant).await, NoSink);
    assert_eq!(call(&delegate, "api__echo", json!({})).await.unwrap()["url"], "/v2/echo");
}

#[tokio::test]
async fn what_is_not_wanted_or_cannot_be_called_is_left_out() {
    let document = r#"
openapi: 3.0.0
servers: [{url: "http://127.0.0.1:1"}]
paths:
  /a: { get: { operationId: read/a, tags: [x] }, delete: { operationId: drop/a } }
  /b: { get: { operationId: read/b, servers: [{url: "http://evil.example"}] } }
  /c: { post: { operationId: read/a } }
  /d/../e: { get: {} }
  /f: { $ref: "other.yaml" }
  /g: { $ref: "\#/paths/~1g" }
"#
    .replace("\\#", "#");
    let upstreams = connect(&document, json!({ "include": ["read/*", "get_*", "nothing*"] })).await;
    let names: Vec<_> = upstreams.catalogue().iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["api__read_a", "api__read_a_POST__c"]);
    let warnings: Vec<_> = upstreams.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings[0].contains("4 tools were left out") && warnings[0].contains("http://evil.example"),
        "{warnings:?}"
    );
    assert_eq!(warnings[1], "`api`: no operation matches `nothing*`");
    let hints = upstreams.catalogue().get(&ToolName::new("api__read_a").unwrap()).unwrap().hints;
    assert!(hints.read_only && hints.idempotent && !hints.destructive);
}

#[tokio::test]
async fn a_document_that_is_none_is_a_failure_of_its_own() {
    for (document, says) in [
        ("{", "neither JSON nor YAML"),
        ("a: [", "neither JSON nor YAML"),
        ("swagger: '2.0'", "it is Swagger \"2.0\""),
        ("openapi: 3.1.0", "names no server"),
        ("{\"openapi\":\"3.1.0\",\"servers\":[{\"url\":\"/v1\"}]}", "which is no full URL"),
    ] {
        let failure = connect(document, json!({})).await.failures()[0].to_string();
        assert!(failure.contains(says), "{failure}");
    }
    let failure = connect("", json!({ "document": "none.json" })).await.failures()[0].to_string();
    assert!(failure.contains("none.json cannot be read"), "{failure}");
    let failure =
        connect("", json!({ "document": "http://127.0.0.1:1/${API_KEY}" })).await.failures()[0].to_string();
    assert!(failure.contains("cannot be fetched") && !failure.contains(API_KEY), "{failure}");
}
