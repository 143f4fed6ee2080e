//! What a configuration may hold, what it may not, and that it tells no secrets.

use super::*;

const TOKEN: &str = "hunter2-hunter2";

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some(TOKEN.to_owned()),
        "HOME" => Some("/home/ada".to_owned()),
        "PATH" => Some("/usr/bin".to_owned()),
        "HOST" => Some("secret-host.example".to_owned()),
        "NEWLINE" => Some("a\r\nX-Evil: 1".to_owned()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<McpConfig, ConfigError> {
    McpConfig::parse(text, "mcp.json", &environment)
}

fn server(entry: &str) -> Result<ServerConfig, ConfigError> {
    parse(&format!(r#"{{ "mcpServers": {{ "s": {entry} }} }}"#)).map(|mut config| config.servers.remove(0))
}

fn refusal(entry: &str) -> String {
    let error = server(entry).unwrap_err();
    format!("{error}")
}

#[test]
fn reads_a_file_as_the_clients_write_it() {
    let config = parse(
        r#"{
            "globalShortcut": "Ctrl+Space",
            "mcpServers": {
                "files": { "command": "npx", "args": ["-y", "server", "${HOME}/notes"], "env": { "KEY": "${TOKEN}" },
                           "cwd": "${HOME}", "type": "stdio", "alwaysAllow": [], "timeout": 60000 },
                "api": { "type": "http", "url": "https://${HOST:-h}/mcp",
                         "headers": { "Authorization": "Bearer ${TOKEN}" }, "description": "x" },
                "cursor": { "url": "http://localhost:3001/mcp" },
                "off": { "command": "x", "args": ["${UNSET}"], "disabled": true }
            }
        }"#,
    )
    .unwrap();
    assert_eq!(
        config.servers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["api", "cursor", "files"]
    );
    assert_eq!(config.disabled, ["off"]);
    let TransportConfig::Http(api) = &config.servers[0].transport else { panic!() };
    assert_eq!(api.url.expose(), "https://secret-host.example/mcp");
    assert_eq!(api.headers[0].1.expose(), format!("Bearer {TOKEN}"));
    let TransportConfig::Stdio(files) = &config.servers[2].transport else { panic!() };
    assert_eq!(files.args[2].expose(), "/home/ada/notes");
    assert_eq!(files.env[0].1.expose(), TOKEN);
    assert_eq!(files.cwd.as_ref().unwrap().expose(), "/home/ada");
}

#[test]
fn a_child_inherits_what_is_listed_and_no_more() {
    let TransportConfig::Stdio(stdio) = server(r#"{ "command": "x" }"#).unwrap().transport else { panic!() };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(stdio.inherited, [pair("HOME", "/home/ada"), pair("PATH", "/usr/bin")]);
}

#[test]
fn nothing_shows_what_a_reference_stood_for() {
    let config = parse(
        r#"{ "mcpServers": {
            "a": { "command": "${TOKEN}", "args": ["--key=${TOKEN}"], "env": { "K": "${TOKEN}", "L": "literal-key" },
                   "cwd": "/${TOKEN}" },
            "b": { "url": "https://${HOST}/${TOKEN}", "headers": { "X-Key": "literal-key", "Y": "${TOKEN}" } } } }"#,
    )
    .unwrap();
    let shown = format!("{config:?} {config:#?}");
    for hidden in [TOKEN, "secret-host", "literal-key", "/home/ada"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains("--key=${TOKEN}") && shown.contains("https://${HOST}/${TOKEN}"), "{shown}");
}

#[test]
fn an_error_shows_no_secret_either() {
    for entry in [
        r#"{ "url": "${TOKEN}" }"#,
        r#"{ "url": "http://h", "headers": { "X": "${NEWLINE}" } }"#,
        r#"{ "url": "ftp://${TOKEN}/" }"#,
        r#"{ "command": "${TOKEN}", "args": ["${UNSET}"] }"#,
    ] {
        let error = server(entry).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains("X-Evil"), "{shown}");
    }
}

#[test]
fn an_unset_variable_names_server_field_and_variable() {
    let error = server(r#"{ "command": "x", "env": { "KEY": "a${MISSING}" } }"#).unwrap_err();
    let ConfigError::Unset(unset) = &error else { panic!("{error:?}") };
    assert_eq!(
        (unset.server.as_str(), unset.field.as_str(), unset.variable.as_str()),
        ("s", "env.KEY", "MISSING")
    );
    assert_eq!(
        error.to_string(),
        "read MCP servers from mcp.json: server `s`: `env.KEY` needs the environment variable MISSING, which is not \
         set; set it, or give a default as in ${MISSING:-default}"
    );
}

#[test]
fn every_wrong_field_is_told_what_is_accepted() {
    for (entry, parts) in [
        ("5", &["`mcpServers`", "a number", "an object"][..]),
        ("{}", &["`command`", "missing", "`url`"]),
        (r#"{ "command": 5 }"#, &["server `s`", "`command` is a number; accepted is a string"]),
        (r#"{ "command": "" }"#, &["`command` is empty"]),
        (r#"{ "command": "x", "url": "http://h" }"#, &["`url`", "beside `command`"]),
        (r#"{ "command": "x", "args": "-y" }"#, &["`args` is a string", "a list of strings"]),
        (r#"{ "command": "x", "args": ["a", 8080] }"#, &["`args[1]` is a number", "a string"]),
        (r#"{ "command": "x", "env": ["A=1"] }"#, &["`env` is a list"]),
        (r#"{ "command": "x", "env": { "PORT": 1 } }"#, &["`env.PORT` is a number"]),
        (r#"{ "command": "x", "env": { "A=B": "1" } }"#, &["`env.A=B`"]),
        (r#"{ "command": "x", "cwd": [] }"#, &["`cwd` is a list"]),
        (r#"{ "command": "x", "disabled": "yes" }"#, &["`disabled` is a string", "true or false"]),
        (r#"{ "comand": "x" }"#, &["`command` is missing", "`comand`: did you mean `command`?"]),
        (r#"{ "type": "http", "urll": "x" }"#, &["`url` is missing", "`urll`: did you mean `url`?"]),
        (r#"{ "command": "${input:x}" }"#, &["`${input:x}`", "${VAR} and ${VAR:-default}"]),
        (r#"{ "command": "a\u0000b" }"#, &["`command`", "NUL"]),
        (r#"{ "type": "stdio", "url": "http://h" }"#, &["`command` is missing"]),
        (r#"{ "type": "http", "command": "x" }"#, &["`url` is missing"]),
        (r#"{ "type": 5, "command": "x" }"#, &["`type` is a number"]),
        (r#"{ "url": "localhost:3000" }"#, &["`url`", "http://"]),
        (r#"{ "url": "http://h", "headers": { "a b": "x" } }"#, &["`headers.a b`"]),
        (r#"{ "url": "http://h", "headers": { "X": "${NEWLINE}" } }"#, &["`headers.X`", "no HTTP header"]),
    ] {
        let refusal = refusal(entry);
        assert!(refusal.starts_with("read MCP servers from mcp.json"), "{refusal}");
        for part in parts {
            assert!(refusal.contains(part), "{entry}: {refusal}");
        }
    }
}

#[test]
fn a_transport_that_is_not_spoken_is_that_servers_failure_only() {
    let config = parse(
        r#"{ "mcpServers": { "old": { "type": "sse", "url": "http://h/${UNSET}" },
             "ws": { "type": "websocket", "url": "ws://h" }, "fine": { "command": "x" } } }"#,
    )
    .unwrap();
    assert_eq!(config.servers.len(), 1);
    let refusals: Vec<_> = config.unsupported.iter().map(|u| (u.server.as_str(), u.to_string())).collect();
    let [("old", sse), ("ws", websocket)] = &refusals[..] else { panic!("{refusals:?}") };
    assert!(sse.contains("\"sse\" is not supported") && sse.contains("under /mcp"), "{sse}");
    assert!(websocket.contains("\"websocket\"") && websocket.contains("\"http\""), "{websocket}");
}

#[test]
fn an_unknown_field_is_a_warning_with_the_nearest_known_one() {
    let config = parse(
        r#"{ "mcpServers": { "s": { "command": "x", "argz": [], "sandboxed": true, "timeout": 5000, "_note": 1 } } }"#,
    )
    .unwrap();
    assert_eq!(config.servers.len(), 1);
    let warnings: Vec<_> = config.unknown_fields.iter().map(ToString::to_string).collect();
    let [near, far] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(
        near,
        "mcp.json: server `s`: `argz` is not a known field and was passed over; did you mean `args`?"
    );
    assert!(far.contains("`sandboxed`") && far.contains("known are `type`, `command`"), "{far}");
}

#[test]
fn reads_as_which_client_to_log_in() {
    let with = |oauth: &str| server(&format!(r#"{{ "url": "http://h/mcp", "oauth": {oauth} }}"#));
    let of = |oauth: &str| match with(oauth).unwrap().transport {
        TransportConfig::Http(http) => http.oauth,
        TransportConfig::Stdio(_) => panic!(),
    };
    let full = of(r#"{ "client_id": "id-${HOST}", "client_secret": "${TOKEN}", "scopes": ["a:b", "c"] }"#);
    assert_eq!(full.scopes, ["a:b", "c"]);
    let client = full.client.as_ref().unwrap();
    assert_eq!(client.id.expose(), "id-secret-host.example");
    assert_eq!(client.secret.as_ref().unwrap().expose(), TOKEN);
    let written = of(r#"{ "clientId": "id", "clientSecret": "written-out" }"#);
    for shown in [format!("{full:?}"), format!("{written:?}")] {
        assert!(!shown.contains(TOKEN) && !shown.contains("written-out"), "{shown}");
    }
    let redactor = with(r#"{ "client_id": "id", "client_secret": "${TOKEN}" }"#).unwrap().redactor();
    assert_eq!(redactor.redact(&format!("no {TOKEN}!")), "no ${TOKEN}!");
    assert_eq!(of("null"), OAuthConfig::default());
    for (oauth, problem) in [
        ("true", "`oauth` is a boolean"),
        (r#"{ "client_secret": "x" }"#, "stands without a `client_id`"),
        (r#"{ "client_id": "" }"#, "`oauth.client_id` is empty"),
        (r#"{ "client_id": "${UNSET}" }"#, "`oauth.client_id` needs the environment variable UNSET"),
        (r#"{ "scopes": "a b" }"#, "`oauth.scopes` is a string; accepted is a list of strings"),
        (r#"{ "scopes": ["a b"] }"#, "`oauth.scopes[0]` is no scope"),
    ] {
        let refused = with(oauth).unwrap_err().to_string();
        assert!(refused.contains(problem), "{refused}");
    }
    let unknown = parse(r#"{ "mcpServers": { "s": { "url": "http://h/mcp", "oauth": { "scope": [] } } } }"#);
    let warning = unknown.unwrap().unknown_fields[0].to_string();
    assert!(
        warning.contains("`oauth.scope` is not a known field") && warning.contains("`scopes`"),
        "{warning}"
    );
}

#[test]
fn an_entry_that_is_turned_off_is_not_looked_into() {
    let config =
        parse(r#"{ "mcpServers": { "s": { "disabled": true, "command": 5, "type": "sse", "x": 1 } } }"#)
            .unwrap();
    assert_eq!(config.disabled, ["s"]);
    assert!(config.unknown_fields.is_empty() && config.unsupported.is_empty());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(parse("\u{feff}{ \"mcpServers\": {} }").unwrap(), McpConfig::default());
}

#[test]
fn a_document_that_is_no_configuration_says_so() {
    for (text, part) in [
        ("", "line 1, column 0: EOF"),
        ("{ \"mcpServers\": {\n x } }", "line 2"),
        ("[]", "must be an object with `mcpServers`"),
        ("5", "must be an object with `mcpServers`"),
        ("null", "must be an object with `mcpServers`"),
        ("{}", "`mcpServers` is missing"),
        (r#"{ "servers": {} }"#, "`mcpServers` is missing; the file has VS Code's `servers`"),
        (r#"{ "context_servers": {} }"#, "the file has Zed's `context_servers`"),
        (r#"{ "mcp_servers": {} }"#, "the file has `mcp_servers`"),
        (r#"{ "mcpServers": {}, "mcpServers": {} }"#, "`mcpServers` appears twice"),
        ("// mine\n{}", "line 1, column 1: comments are not accepted"),
        (
            "{\n  \"mcpServers\": {\n    // mine\n    \"a\": {} } }",
            "line 3, column 5: comments are not accepted",
        ),
        ("{ \"mcpServers\": { \"a\": 1, /* mine */ } }", "comments are not accepted"),
        ("{ \"mcpServers\": {} # mine\n}", "comments are not accepted"),
        ("{ \"mcpServers\": {} } // mine", "comments are not accepted"),
        ("{ \"mcpServers\": { \"a\": {}, } }", "trailing commas are not accepted"),
        (
            "{ \"mcpServers\": { \"a\": { \"command\": \"x\", \"args\": [\"y\",] } } }",
            "trailing commas are not accepted",
        ),
        (r#"{ "mcpServers": [] }"#, "expected an object"),
        (r#"{ "mcpServers": { "a": { "command": "x" }, "a": { "command": "y" } } }"#, "`a` appears twice"),
        (r#"{ "mcpServers": { "": { "command": "x" } } }"#, "0 bytes"),
        (r#"{ "mcpServers": { "a\nb": { "command": "x" } } }"#, "control character"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn hostile_text_ends_in_an_error() {
    let deep = format!("{{\"mcpServers\":{}", "[".repeat(100_000));
    assert!(matches!(parse(&deep), Err(ConfigError::Malformed(_))));
    let long = format!(r#"{{ "mcpServers": {{ "{}": {{ "command": "x" }} }} }}"#, "n".repeat(100_000));
    assert!(parse(&long).unwrap_err().to_string().len() < 1000);
    let many = "${HOME}".repeat(100_000);
    let expanded = server(&format!(r#"{{ "command": "{many}" }}"#)).unwrap();
    let TransportConfig::Stdio(stdio) = expanded.transport else { panic!() };
    assert_eq!(stdio.command.expose().len(), 900_000);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.json");
    let error = McpConfig::load(&path, &environment).unwrap_err().to_string();
    assert!(error.contains("none.json") && error.contains("No such file"), "{error}");
    std::fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
    assert!(McpConfig::load(&path, &environment).unwrap_err().to_string().contains("1 MiB"));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(McpConfig::load(&path, &environment).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&path, r#"{ "mcpServers": {} }"#).unwrap();
    assert_eq!(McpConfig::load(&path, &environment).unwrap(), McpConfig::default());
}

#[test]
fn times_are_milliseconds_or_have_their_unit() {
    let times = |entry: &str| {
        let server = server(entry).unwrap();
        (server.call_time.map(|time| time.as_millis()), server.connect_time.map(|time| time.as_millis()))
    };
    assert_eq!(times(r#"{ "command": "x" }"#), (None, None));
    assert_eq!(times(r#"{ "command": "x", "timeout": 60000, "initTimeout": null }"#), (Some(60_000), None));
    assert_eq!(
        times(r#"{ "command": "x", "timeout": "500ms", "initTimeout": "2 m" }"#),
        (Some(500), Some(120_000))
    );
    for (entry, said) in [
        (r#"{ "command": "x", "timeout": 60 }"#, "`timeout` is 60; accepted are milliseconds from 1000 on"),
        (r#"{ "command": "x", "timeout": -1 }"#, "`timeout` is -1; accepted"),
        (r#"{ "command": "x", "timeout": "60" }"#, "`timeout` is \"60\"; accepted"),
        (r#"{ "command": "x", "timeout": "0s" }"#, "`timeout` is \"0s\"; accepted"),
        (r#"{ "command": "x", "initTimeout": "99999999999999999999h" }"#, "`initTimeout` is"),
        (r#"{ "command": "x", "initTimeout": true }"#, "`initTimeout` is a boolean; accepted is a number"),
    ] {
        let refusal = refusal(entry);
        assert!(refusal.contains(said), "{refusal}");
    }
}

#[test]
fn tools_are_passed_through_by_true_or_by_their_names() {
    let entry = |pass: &str| format!(r#"{{ "command": "x", "passThrough": {pass} }}"#);
    let count = |pass: &str| {
        let config = parse(&format!(r#"{{ "mcpServers": {{ "s": {} }} }}"#, entry(pass))).unwrap();
        let fits = |name: &&&str| config.pass_through.iter().any(|pass| pass.fits(Some("s"), name));
        ["s__get", "s__get_all", "s__put"].iter().filter(fits).count()
    };
    let accepted =
        [("true", 3), ("false", 0), ("null", 0), ("[]", 0), (r#"["get"]"#, 1), (r#"["get*", "put"]"#, 3)];
    for (pass, fit) in accepted {
        assert_eq!(count(pass), fit, "{pass}");
    }
    for (pass, said) in [
        ("1", "is a number; accepted is true, or a list"),
        ("[1]", "passThrough[0]"),
        (r#"[""]"#, "passThrough[0]"),
    ] {
        let refusal = refusal(&entry(pass));
        assert!(refusal.contains(said), "{refusal}");
    }
}
