//! The port of this machine to which the browser brings the answer (RFC 8252, section 7.3).
//!
//! Anything on the machine can knock there. Only a request with the login's own state is its answer; the others are told
//! so and forgotten, one at a time, with little time and little room.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The path of the answer.
const PATH: &str = "/callback";
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: u64 = 64 << 10;
/// The time that one who knocks has to say what for.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// An open port.
pub(super) struct Loopback {
    listener: TcpListener,
    origin: String,
}

impl Loopback {
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        Ok(Self { listener, origin })
    }

    /// Returns the address that the browser is to be sent to.
    pub(super) fn redirect(&self) -> String {
        format!("{}{PATH}", self.origin)
    }

    /// Waits for the answer with this state: the whole address, or why there is none.
    pub(super) async fn answer(&self, state: &str) -> io::Result<Result<String, String>> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            // One that breaks off is one that knocked for nothing.
            let heard = tokio::time::timeout(HEAD_TIME, self.hear(stream, state)).await;
            if let Ok(Ok(Some(answer))) = heard {
                return Ok(answer);
            }
        }
    }

    async fn hear(&self, stream: TcpStream, state: &str) -> io::Result<Option<Result<String, String>>> {
        let mut stream = BufReader::new(stream);
        let line = head(&mut stream).await?;
        let answer = self.read(&line, state);
        let (status, text) = match &answer {
            Some(Ok(_)) => ("200 OK", "You are logged in, and can close this page."),
            Some(Err(_)) => ("200 OK", "The login was refused. You can close this page."),
            None => ("404 Not Found", "Nobody waits for this."),
        };
        let page = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(page.as_bytes()).await?;
        stream.shutdown().await?;
        Ok(answer)
    }

    fn read(&self, line: &str, state: &str) -> Option<Result<String, String>> {
        let target = line.strip_prefix("GET ")?.split(' ').next()?;
        let url = reqwest::Url::parse(&format!("{}{target}", self.origin)).ok()?;
        let value = |name: &str| {
            url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        if !target.starts_with('/') || url.path() != PATH || value("state").as_deref() != Some(state) {
            return None;
        }
        if let Some(error) = value("error") {
            let more = value("error_description").map(|text| format!(": {text}")).unwrap_or_default();
            return Some(Err(format!("{error}{more}")));
        }
        value("code").map(|_| Ok(url.to_string()))
    }
}

/// Reads the head of a request to its end, and returns its first line. What is left unread when the connection closes
/// would reset it, and the answer could be lost on its way.
async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut lines = stream.take(MAX_HEAD_BYTES).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn takes_the_answer_with_its_state_alone() {
        let loopback = Loopback::open().await.unwrap();
        let base = loopback.redirect();
        for (line, expected) in [
            ("GET /callback?code=c&state=s HTTP/1.1\r\n", Some(Ok(format!("{base}?code=c&state=s")))),
            (
                "GET /callback?error=access_denied&error_description=no&state=s HTTP/1.1\r\n",
                Some(Err("access_denied: no".to_owned())),
            ),
            ("GET /callback?code=c&state=other HTTP/1.1\r\n", None),
            ("GET /callback?code=c HTTP/1.1\r\n", None),
            ("GET /other?code=c&state=s HTTP/1.1\r\n", None),
            ("GET @evil/callback?code=c&state=s HTTP/1.1\r\n", None),
            ("POST /callback?code=c&state=s HTTP/1.1\r\n", None),
            ("\u{0}", None),
            ("", None),
        ] {
            assert_eq!(loopback.read(line, "s"), expected, "{line}");
        }
    }
}
