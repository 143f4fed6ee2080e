//! A person, their clients, and what installing and removing make of the files of these.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A person with a home, a project and clients.
struct Person {
    folder: TempDir,
    places: Places,
    own: PathBuf,
}

const PROGRAM: &str = "/opt/bin/carrel";

impl Person {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for client in ["home/.cursor", "home/.codex", "home/.claude", "home/.config/Code/User", "shop"] {
            fs::create_dir_all(root.join(client)).unwrap();
        }
        let places = Places::new(root.join("home"), root.join("shop"));
        Self { own: root.join("home/.config/carrel"), folder, places }
    }

    fn with<T>(&self, act: impl FnOnce(&Setup<'_>) -> T) -> T {
        let applications = self.places.home.join(".config").display().to_string();
        let environment =
            move |name: &str| ["XDG_CONFIG_HOME", "APPDATA"].contains(&name).then(|| applications.clone());
        act(&Setup {
            places: &self.places,
            folder: &self.own,
            program: PROGRAM,
            variables: &[],
            environment: &environment,
        })
    }

    fn file(&self, client: Client, scope: Scope) -> PathBuf {
        self.with(|setup| match scope {
            Scope::User => client.user_file(setup.places, setup.environment),
            Scope::Project => client.project_file(setup.places).unwrap(),
        })
    }

    fn install(&self, client: Client, scope: Scope) -> Change {
        let change = self.with(|setup| install(client, scope, setup)).unwrap();
        change.apply(&self.own).unwrap();
        change
    }

    fn uninstall(&self, client: Client, scope: Scope) -> Change {
        let change = self.with(|setup| uninstall(client, scope, setup)).unwrap();
        change.apply(&self.own).unwrap();
        change
    }

    fn own(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.own.join("mcp.json")).unwrap()).unwrap()
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const CLAUDE: &str = "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"gh\": {\n      \"type\": \"stdio\",\n      \"command\": \"gh-mcp\",\n      \"args\": [],\n      \"env\": { \"GH\": \"s3cret-value\" }\n    },\n    \"docs\": { \"type\": \"http\", \"url\": \"https://docs.example/mcp\" }\n  },\n  \"userID\": \"u\"\n}\n";
const CURSOR: &str = "\u{feff}{ // mine\r\n\t\"mcpServers\": {\r\n\t\t/* files */ \"files\": { \"command\": \"files\", \"args\": [\"a\", ], },\r\n\t},\r\n}";
const CODEX: &str = "# my codex\nmodel = \"o9\"\n\n[mcp_servers.gh]   # github\ncommand = \"gh-mcp\"\nenv_vars = [\"GH_TOKEN\"]\n\n# where it runs\n[mcp_servers.gh.env]\nA = \"b\"\n\n[profiles.x]\nmodel = 'y'\n";
const VSCODE: &str = "{\"servers\":{\"gh\":{\"command\":\"gh-mcp\",\"env\":{\"T\":\"${input:token}\"}},\"mem\":{\"command\":\"mem\"}},\"inputs\":[{\"id\":\"token\",\"type\":\"promptString\"}]}";

const CLIENTS: [(Client, &str); 5] = [
    (Client::Claude, CLAUDE),
    (Client::ClaudeDesktop, CLAUDE),
    (Client::Cursor, CURSOR),
    (Client::Codex, CODEX),
    (Client::VsCode, VSCODE),
];

#[test]
fn what_was_installed_twice_comes_out_byte_for_byte() {
    for (client, text) in CLIENTS {
        for scope in [Scope::User, Scope::Project] {
            if (client, scope) == (Client::ClaudeDesktop, Scope::Project) {
                continue;
            }
            for text in [Some(text), Some(""), None] {
                let person = Person::new();
                let file = person.file(client, scope);
                put(&file, text.unwrap_or_default());
                if text.is_none() {
                    fs::remove_file(&file).unwrap();
                }
                assert!(!person.install(client, scope).is_empty());
                let installed = fs::read_to_string(&file).unwrap();
                let content = document::read(client, &installed).unwrap();
                assert_eq!(content.servers[scope.entry()]["command"], PROGRAM, "{installed}");
                let again = person.install(client, scope);
                assert!(again.is_empty() && again.shown().is_empty(), "{client:?}: {}", again.shown());
                person.uninstall(client, scope);
                assert_eq!(fs::read_to_string(&file).ok().as_deref(), text, "{client:?}, {scope:?}");
                let left: Vec<_> = fs::read_dir(person.own.join("installed")).unwrap().collect();
                assert!(left.is_empty() && !person.own.join("mcp.json").exists(), "{left:?}");
                let nothing = person.with(|setup| uninstall(client, scope, setup)).unwrap_err();
                assert!(matches!(nothing, InstallError::NotThere(_)), "{nothing}");
            }
        }
    }
}

#[test]
fn what_somebody_added_since_stays_and_what_was_moved_comes_back() {
    for (client, text) in CLIENTS {
        let person = Person::new();
        let file = person.file(client, Scope::User);
        put(&file, text);
        let was = document::read(client, text).unwrap();
        person.install(client, Scope::User);
        let installed = fs::read_to_string(&file).unwrap();
        let added = if client == Client::Codex {
            installed + "\n[mcp_servers.new]\ncommand = \"new\"\n"
        } else {
            let field = format!("\"{}\": {{", client.field());
            let found =
                [field.clone(), field.replace(' ', "")].into_iter().find(|f| installed.contains(f)).unwrap();
            installed.replacen(&found, &format!("{found} \"new\": {{ \"command\": \"new\" }},"), 1)
        };
        fs::write(&file, &added).unwrap();
        person.uninstall(client, Scope::User);
        let text = fs::read_to_string(&file).unwrap();
        let now = document::read(client, &text).unwrap();
        let mut servers = was.servers.clone();
        servers.insert("new".to_owned(), serde_json::json!({ "command": "new" }));
        assert_eq!(now, Content { servers, rest: was.rest }, "{text}");
    }
}

#[test]
fn a_second_installation_moves_what_came_since() {
    for (client, text) in CLIENTS {
        let person = Person::new();
        let file = person.file(client, Scope::User);
        put(&file, text);
        let was = document::read(client, text).unwrap();
        person.install(client, Scope::User);
        let mut document = document::open(client, &fs::read_to_string(&file).unwrap()).unwrap();
        document.insert("new", &serde_json::json!({ "command": "new" }));
        fs::write(&file, document.text()).unwrap();
        person.install(client, Scope::User);
        assert_eq!(person.own()["mcpServers"]["new"]["command"], "new", "{client:?}");
        let now = document::read(client, &fs::read_to_string(&file).unwrap()).unwrap();
        assert!(!now.servers.contains_key("new"), "{client:?}");
        assert!(person.install(client, Scope::User).is_empty(), "{client:?}");
        person.uninstall(client, Scope::User);
        let now = document::read(client, &fs::read_to_string(&file).unwrap()).unwrap();
        let mut servers = was.servers.clone();
        servers.insert("new".to_owned(), serde_json::json!({ "command": "new" }));
        assert_eq!(now, Content { servers, rest: was.rest }, "{client:?}");
    }
}

#[test]
fn comments_and_layout_stay_around_what_is_moved() {
    let person = Person::new();
    for (client, text, kept) in [
        (Client::Cursor, CURSOR, vec!["\u{feff}{ // mine\r\n", "\t\"mcpServers\": {\r\n"]),
        (Client::Codex, CODEX, vec!["# my codex\nmodel = \"o9\"\n", "[profiles.x]\nmodel = 'y'\n"]),
    ] {
        let file = person.file(client, Scope::User);
        put(&file, text);
        person.install(client, Scope::User);
        let installed = fs::read_to_string(&file).unwrap();
        for kept in kept {
            assert!(installed.contains(kept), "{kept:?} is not in {installed}");
        }
    }
    let codex = fs::read_to_string(person.file(Client::Codex, Scope::User)).unwrap();
    assert!(
        codex.contains("[mcp_servers.carrel]\n") && codex.contains("env_vars = [\"GH_TOKEN\"]"),
        "{codex}"
    );
}

#[test]
fn clients_share_what_is_the_same_and_each_takes_its_own_back() {
    let person = Person::new();
    let same = r#"{"mcpServers":{"a":{"command":"a"},"b":{"command":"b"}}}"#;
    let other = r#"{"mcpServers":{"a":{"command":"a"},"b":{"command":"another"}}}"#;
    put(&person.file(Client::Claude, Scope::User), same);
    put(&person.file(Client::Cursor, Scope::User), other);
    person.install(Client::Claude, Scope::User);
    let change = person.install(Client::Cursor, Scope::User);
    assert!(
        change.notes().iter().any(|note| note.contains("`b` goes by `b-cursor`")),
        "{:?}",
        change.notes()
    );
    let names = |person: &Person| -> Vec<String> {
        person.own()["mcpServers"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&person), ["a", "b", "b-cursor"]);
    // A person's own, and one that they changed, are not ours to take.
    let own = fs::read_to_string(person.own.join("mcp.json")).unwrap();
    let own = own.replacen("{", "{ // by hand\n", 1).replace("\"another\"", "\"changed\"");
    fs::write(person.own.join("mcp.json"), own).unwrap();
    person.uninstall(Client::Claude, Scope::User);
    let change = person.uninstall(Client::Cursor, Scope::User);
    assert!(
        change.notes().iter().any(|note| note.contains("`b-cursor` was changed")),
        "{:?}",
        change.notes()
    );
    let own = fs::read_to_string(person.own.join("mcp.json")).unwrap();
    assert!(own.contains("// by hand") && own.contains("changed") && !own.contains("\"a\""), "{own}");
    assert_eq!(fs::read_to_string(person.file(Client::Cursor, Scope::User)).unwrap(), other);
}

#[test]
fn what_would_lose_something_stays_and_is_named() {
    let person = Person::new();
    put(&person.file(Client::VsCode, Scope::User), VSCODE);
    let change = person.install(Client::VsCode, Scope::User);
    let text = fs::read_to_string(person.file(Client::VsCode, Scope::User)).unwrap();
    let servers = document::read(Client::VsCode, &text).unwrap().servers;
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["gh", "carrel"]);
    assert!(
        change.notes().iter().any(|note| note.contains("`gh` stays in the client")),
        "{:?}",
        change.notes()
    );

    // One that is reached over the network, and one that starts Carrel by itself.
    let claude =
        CLAUDE.replace("\"gh-mcp\",\n      \"args\": []", "\"/x/carrel\",\n      \"args\": [\"mcp\"]");
    put(&person.file(Client::Claude, Scope::User), &claude);
    let notes = person.install(Client::Claude, Scope::User).notes().join("\n");
    assert!(notes.contains("`gh` stays in the client: it starts Carrel"), "{notes}");
    assert!(notes.contains("carrel login docs --mcp"), "{notes}");
}

#[test]
fn what_is_shown_has_no_secrets_and_what_is_kept_is_private() {
    let person = Person::new();
    put(&person.file(Client::Claude, Scope::User), CLAUDE);
    let change = person.install(Client::Claude, Scope::User);
    assert!(
        change.shown().contains("+    \"carrel\": {") && change.shown().contains("-    \"gh\": {"),
        "{}",
        change.shown()
    );
    assert!(!change.shown().contains("s3cret") && change.shown().contains("[hidden]"), "{}", change.shown());
    assert!(!change.notes().join("").contains("s3cret"));
    assert_eq!(person.own()["mcpServers"]["gh"]["env"]["GH"], "s3cret-value");
    #[cfg(unix)]
    for entry in ["mcp.json", "installed/claude.json", "installed/claude.before"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(person.own.join(entry)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry}");
    }
}

#[test]
fn a_text_that_is_no_configuration_is_left_alone_and_its_fault_has_a_place() {
    let person = Person::new();
    for (client, text, place) in [
        (Client::Cursor, "{\n  \"mcpServers\": {\n    \"a\" {}\n  }\n}", "line 3, column 9"),
        (Client::Cursor, "{ \"mcpServers\": [] }", "line 1"),
        (Client::Cursor, "[]", "no object"),
        (Client::Codex, "a = 1\n[mcp_servers.a\n", "line 2"),
        (Client::Codex, "a = 1\nmcp_servers = 1\n", "line 2"),
    ] {
        let file = person.file(client, Scope::User);
        put(&file, text);
        let error = person.with(|setup| install(client, Scope::User, setup)).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains("left as it is"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_not_written() {
    let person = Person::new();
    let file = person.file(Client::Cursor, Scope::User);
    put(&file, "{}");
    let change = person.with(|setup| install(Client::Cursor, Scope::User, setup)).unwrap();
    fs::write(&file, "{ }").unwrap();
    assert!(matches!(change.apply(&person.own), Err(ApplyError::Stale(path)) if path == file));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{ }");
    assert!(!person.own.join("mcp.json").exists());
}

#[test]
fn a_client_that_is_not_there_is_named() {
    let person = Person::new();
    fs::remove_dir_all(person.places.home.join(".cursor")).unwrap();
    let error = person.with(|setup| install(Client::Cursor, Scope::User, setup)).unwrap_err().to_string();
    assert!(error.contains("find Cursor") && error.contains("`cursor` or `cursor-agent`"), "{error}");
    let error = person.with(|setup| install(Client::ClaudeDesktop, Scope::Project, setup)).unwrap_err();
    assert!(matches!(error, InstallError::NoProjects("claude-desktop")), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let person = Person::new();
    let (link, file) = (person.file(Client::Cursor, Scope::User), person.folder.path().join("dotfiles.json"));
    put(&file, CURSOR);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    person.install(Client::Cursor, Scope::User);
    assert!(link.is_symlink() && fs::read_to_string(&file).unwrap().contains(PROGRAM));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    person.uninstall(Client::Cursor, Scope::User);
    assert_eq!(fs::read_to_string(&file).unwrap(), CURSOR);
}
