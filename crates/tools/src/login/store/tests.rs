//! Where logins go, over a keyring in memory that works, takes little, or does not answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};

use serde_json::json;

use super::super::keyring::Vault;
use super::*;

const URL: &str = "https://mcp.example/mcp";

#[derive(Default)]
struct Memory {
    secrets: Mutex<HashMap<String, Vec<u8>>>,
}

impl Vault for Memory {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.secrets.lock().unwrap().get(name).cloned())
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), String> {
        if secret.len() > 2560 {
            return Err("too long".to_owned());
        }
        self.secrets.lock().unwrap().insert(name.to_owned(), secret.to_vec());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<bool, String> {
        Ok(self.secrets.lock().unwrap().remove(name).is_some())
    }
}

/// Answers when the test ends.
struct Locked(Mutex<mpsc::Receiver<()>>);

impl Locked {
    fn wait<T>(&self) -> Result<T, String> {
        self.0.lock().unwrap().recv().ok();
        Err("the test is over".to_owned())
    }
}

impl Vault for Locked {
    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        self.wait()
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), String> {
        self.wait()
    }

    fn remove(&self, _: &str) -> Result<bool, String> {
        self.wait()
    }
}

fn credentials(token: &str) -> StoredCredentials {
    let response =
        json!({ "access_token": token, "token_type": "bearer", "expires_in": 60, "refresh_token": "r" });
    serde_json::from_value(json!({ "client_id": "c", "token_response": response, "token_received_at": 7 }))
        .unwrap()
}

fn over(path: &Path, vault: Arc<dyn Vault>) -> LoginFolder {
    LoginFolder { path: path.to_owned(), keyring: Some(Keyring::over(vault)) }
}

async fn token(login: &File) -> Option<serde_json::Value> {
    let kept = login.load().await.unwrap()?;
    Some(serde_json::to_value(kept).unwrap()["token_response"]["access_token"].clone())
}

#[tokio::test]
async fn a_keyring_that_works_has_the_login_and_the_folder_says_so() {
    let home = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let folder = over(home.path(), memory.clone());
    let login = folder.of(URL);
    assert_eq!(token(&login).await, None);
    login.save(credentials("t0ken")).await.unwrap();
    assert_eq!(login.place(), Place::Keyring);
    assert_eq!(std::fs::read_to_string(&login.path).unwrap(), format!(r#"["{URL}","keyring"]"#));
    assert!(folder.has(URL));
    assert_eq!(token(&login).await, Some(json!("t0ken")));

    // Another address that comes to the same name.
    let stranger = File { url: "https://other.example/mcp".to_owned(), ..login.clone() };
    assert_eq!(token(&stranger).await, None);

    // Another folder, where somebody else may have logged in.
    let elsewhere = tempfile::tempdir().unwrap();
    over(elsewhere.path(), memory.clone()).of(URL).save(credentials("another")).await.unwrap();
    assert_eq!(token(&login).await, Some(json!("t0ken")));
    assert!(over(elsewhere.path(), memory.clone()).forget(URL).await.unwrap());

    assert!(folder.forget(URL).await.unwrap());
    assert!(memory.secrets.lock().unwrap().is_empty() && !folder.has(URL));
    assert!(!folder.forget(URL).await.unwrap());
}

#[tokio::test]
async fn a_login_that_is_too_long_for_the_keyring_is_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let folder = over(home.path(), memory.clone());
    let login = folder.of(URL);
    login.save(credentials("short")).await.unwrap();
    let long = "t".repeat(2560);
    login.save(credentials(&long)).await.unwrap();
    assert_eq!(login.place(), Place::File(login.path.clone()));
    assert_eq!(token(&login).await, Some(json!(long)));
    assert!(folder.forget(URL).await.unwrap());
    assert!(memory.secrets.lock().unwrap().is_empty() && !folder.has(URL));
}

#[tokio::test]
async fn a_login_from_before_the_keyring_is_read_and_moves_there_when_it_is_refreshed() {
    let home = tempfile::tempdir().unwrap();
    LoginFolder::new(home.path()).of(URL).save(credentials("old")).await.unwrap();
    let login = over(home.path(), Arc::new(Memory::default())).of(URL);
    assert_eq!(token(&login).await, Some(json!("old")));
    login.save(credentials("new")).await.unwrap();
    assert_eq!((login.place(), token(&login).await), (Place::Keyring, Some(json!("new"))));
}

#[tokio::test]
async fn a_keyring_that_is_turned_off_is_named_where_it_has_the_login() {
    let home = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    over(home.path(), memory.clone()).of(URL).save(credentials("t0ken")).await.unwrap();
    let folder = LoginFolder::new(home.path());
    let refused = folder.of(URL).load().await.unwrap_err().to_string();
    assert!(refused.contains("CARREL_KEYRING=off"), "{refused}");
    let refused = folder.forget(URL).await.unwrap_err();
    assert!(matches!(refused, LoginError::Keyring(_)) && folder.has(URL), "{refused}");
    // Logging in again takes it from there.
    folder.of(URL).save(credentials("again")).await.unwrap();
    assert_eq!(token(&over(home.path(), memory).of(URL)).await, Some(json!("again")));
}

#[tokio::test]
async fn a_keyring_that_does_not_answer_holds_nobody_up() {
    let home = tempfile::tempdir().unwrap();
    over(home.path(), Arc::new(Memory::default())).of(URL).save(credentials("t0ken")).await.unwrap();
    // From here on the clock goes on to the next timer as soon as nothing else can happen; before, a keyring that answers
    // would have been too late.
    tokio::time::pause();
    let (_open, locked) = mpsc::channel();
    let folder = over(home.path(), Arc::new(Locked(Mutex::new(locked))));
    let refused = folder.of(URL).load().await.unwrap_err().to_string();
    assert!(refused.contains("did not answer within 5 s"), "{refused}");
    assert!(matches!(folder.forget(URL).await, Err(LoginError::Keyring(_))));

    folder.of(URL).save(credentials("new")).await.unwrap();
    assert_eq!(folder.of(URL).place(), Place::File(folder.of(URL).path));
    assert_eq!(token(&folder.of(URL)).await, Some(json!("new")));
}
