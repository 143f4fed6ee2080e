//! The configurations of each client, as its vendor documents them.

use super::*;

struct Desk {
    folder: tempfile::TempDir,
    places: Places,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(folder.path().join("home"), folder.path().join("home/work/app"));
        Self { folder, places }
    }

    fn home(self, path: &str, text: &str) -> Self {
        self.write(&format!("home/{path}"), text)
    }

    fn project(self, path: &str, text: &str) -> Self {
        self.write(&format!("home/work/app/{path}"), text)
    }

    fn write(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.replace("PROJECT", &self.places.project.display().to_string());
        std::fs::write(path, text).unwrap();
        self
    }

    fn import(&self, clients: &[Client]) -> Import {
        import(clients, &self.places, &|_: &str| None)
    }

    fn servers(&self, client: Client) -> Value {
        serde_json::from_str::<Value>(&self.import(&[client]).document()).unwrap()["mcpServers"].take()
    }

    fn folder(&self) -> String {
        self.places.project.display().to_string()
    }
}

fn notes(import: &Import) -> String {
    import.notes.join("\n")
}

#[test]
fn claude_code_has_servers_for_all_projects_for_one_and_of_one() {
    let desk = Desk::new()
        .home(
            ".claude.json",
            r#"{ "numStartups": 3,
                 "mcpServers": { "all": { "type": "stdio", "command": "a", "args": ["${HOME}"], "env": {} },
                                 "same": { "command": "user" } },
                 "projects": { "PROJECT": { "allowedTools": [], "mcpServers": { "one": { "type": "http", "url": "https://h/mcp",
                                            "headers": { "Authorization": "Bearer ${TOKEN:-none}" } }, "same": { "command": "local" } } },
                               "/elsewhere": { "mcpServers": { "x": { "command": "x" } } } } }"#,
        )
        .project(".mcp.json", r#"{ "mcpServers": { "team": { "command": "t" }, "same": { "command": "project" } } }"#);
    let import = desk.import(&[Client::Claude]);
    let names: Vec<_> = import.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["one", "same", "all", "team", "same-claude"]);
    assert!(notes(&import).contains("1 servers of other projects are left out"), "{}", notes(&import));
    let servers = desk.servers(Client::Claude);
    assert_eq!(servers["same"]["command"], "local");
    assert_eq!(servers["one"]["headers"]["Authorization"], "Bearer ${TOKEN:-none}");
    assert!(!import.has_secrets());
}

#[test]
fn cursor_has_variables_of_editors() {
    let desk = Desk::new()
        .project(".env", "# mine\nexport A_KEY=hunter2hunter2\nB=2\n")
        .project(
            ".cursor/mcp.json",
            r#"{ "mcpServers": { "a": { "command": "${userHome}/bin/a", "args": ["${workspaceFolder}/x${/}y", "${workspaceFolderBasename}"],
                 "env": { "T": "${env:T}", "A_KEY": "mine" }, "envFile": "${workspaceFolder}/.env" } } }"#,
        )
        .home(
            ".cursor/mcp.json",
            r#"{ "mcpServers": { "b": { "url": "https://h/mcp", "auth": { "CLIENT_ID": "${env:ID}", "CLIENT_SECRET": "hush-hush", "scopes": ["r"] } } } }"#,
        );
    let folder = desk.folder();
    assert_eq!(
        desk.servers(Client::Cursor),
        json!({ "a": { "command": "${HOME}/bin/a", "args": [format!("{folder}/x/y"), "app"],
                       "env": { "T": "${T}", "A_KEY": "mine", "B": "${B}" } },
                "b": { "url": "https://h/mcp", "oauth": { "client_id": "${ID}", "client_secret": "hush-hush", "scopes": ["r"] } } })
    );
    let import = desk.import(&[Client::Cursor]);
    assert!(notes(&import).contains("A_KEY, B") && !notes(&import).contains("hunter2"), "{}", notes(&import));
    assert!(!import.preview().contains("hush-hush"));
}

#[test]
fn codex_names_variables_and_hands_them_on() {
    let desk = Desk::new().home(
        ".codex/config.toml",
        r#"
model = "gpt-5"
[mcp_servers.docs]
command = "npx"
args = ["-y", "docs"]
env = { MODE = "fast" }
env_vars = ["TOKEN", { name = "OTHER", source = "local" }]
startup_timeout_sec = 20
[mcp_servers.figma]
url = "https://mcp.figma.example/mcp"
bearer_token_env_var = "FIGMA"
http_headers = { "X-Region" = "eu" }
env_http_headers = { "X-User" = "USER_ID" }
disabled_tools = ["delete"]
[mcp_servers.off]
command = "x"
enabled = false
"#,
    );
    assert_eq!(
        desk.servers(Client::Codex),
        json!({ "docs": { "command": "npx", "args": ["-y", "docs"], "env": { "MODE": "fast", "TOKEN": "${TOKEN:-}", "OTHER": "${OTHER:-}" } },
                "figma": { "url": "https://mcp.figma.example/mcp", "headers": { "X-Region": "eu", "X-User": "${USER_ID}", "Authorization": "Bearer ${FIGMA}" } },
                "off": { "command": "x", "enabled": false } })
    );
    assert!(notes(&desk.import(&[Client::Codex])).contains("`disabled_tools` is not taken over"));
    let broken = Desk::new().home(".codex/config.toml", "[mcp_servers");
    assert!(notes(&broken.import(&[Client::Codex])).contains("it is no TOML"));
}

#[test]
fn vs_code_asks_where_carrel_has_variables() {
    let desk = Desk::new()
        .project(
            ".vscode/mcp.json",
            r#"{ // shared
                 "inputs": [ { "type": "promptString", "id": "api-key", "description": "Key", "password": true, "default": "x" },
                             { "type": "promptString", "id": "region", "description": "Region", "default": "eu" } ],
                 "servers": {
                   "a": { "type": "stdio", "command": "node", "args": ["${workspaceFolder}/a.js", "${config:x.y}"],
                          "env": { "KEY": "${input:api-key}", "REGION": "${input:region}", "PORT": 80, "GONE": null } },
                   "old": { "type": "sse", "url": "https://h/sse" },
                 } }"#,
        )
        .home(".config/Code/User/mcp.json", r#"{ "servers": { "mine": { "type": "http", "url": "https://${env:HOST}/mcp" } } }"#);
    let import = desk.import(&[Client::VsCode]);
    // What only the editor knows makes an entry that cannot be used.
    assert!(
        notes(&import).contains("`${config:x.y}` means something to the editor alone"),
        "{}",
        notes(&import)
    );
    assert!(notes(&import).contains("`a` of") && notes(&import).contains("is left out"));
    assert!(notes(&import).contains("the transport \"sse\" is not supported"));
    let usable = desk.project(
        ".vscode/mcp.json",
        r#"{ "inputs": [{ "id": "region", "default": "eu" }],
             "servers": { "a": { "command": "node", "env": { "KEY": "${input:api-key}", "REGION": "${input:region}", "PORT": 80, "GONE": null } } } }"#,
    );
    assert_eq!(
        usable.servers(Client::VsCode),
        json!({ "a": { "command": "node", "env": { "KEY": "${API_KEY}", "REGION": "${REGION:-eu}", "PORT": "80" } },
                "mine": { "type": "http", "url": "https://${HOST}/mcp" } })
    );
    assert!(notes(&usable.import(&[Client::VsCode])).contains("set API_KEY before"));
}

#[test]
fn secrets_that_are_written_out_are_named_and_hidden() {
    let desk = Desk::new().home(
        ".config/Claude/claude_desktop_config.json",
        r#"{ "mcpServers": { "gh": { "command": "x", "args": ["--api-key", "abcdefgh1234", "--token=zyxwvuts9876", "--key-file=/etc/key"],
             "env": { "GITHUB_TOKEN": "ghp_0123456789", "MODE": "fast", "SECRET_PATH": "/run/secret", "X": "sk-0123456789" } },
             "url": { "url": "https://u:pass@h/mcp?api_key=0123456789" } } }"#,
    );
    let import = desk.import(Client::ALL);
    let secrets = [&import.servers[0].secrets[..], &import.servers[1].secrets[..]].concat();
    assert_eq!(secrets, ["env.GITHUB_TOKEN", "env.X", "args[1]", "args[2]", "url"]);
    let shown = format!("{}{}", import.preview(), notes(&import));
    for secret in ["abcdefgh1234", "zyxwvuts9876", "ghp_", "sk-0", "0123456789", "pass@"] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(import.document().contains(secret));
    }
    assert!(shown.contains("${GITHUB_TOKEN}") && shown.contains("/run/secret"), "{shown}");
}

#[test]
fn one_server_of_two_clients_is_one() {
    let same = r#"{ "mcpServers": { "a": { "command": "x" } } }"#;
    let other = r#"{ "mcpServers": { "a": { "command": "y" } } }"#;
    let desk = Desk::new()
        .home(".claude.json", same)
        .home(".cursor/mcp.json", same)
        .project(".cursor/mcp.json", other);
    let import = desk.import(Client::ALL);
    let names: Vec<_> = import.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["a", "a-cursor"]);
    assert_eq!(import.files.len(), 3);
    let broken = Desk::new().home(".claude.json", "{ nope");
    assert!(notes(&broken.import(Client::ALL)).contains("is passed over: it is no JSON"));
}
