//! The ids on either side: those that a client chooses, and those that are drawn here.

use tonic::Status;

/// The longest id that a client may give.
const MAX_ID_BYTES: usize = 256;

/// Checks an id that the client chose.
pub(super) fn chosen<'a>(what: &str, id: &'a str) -> Result<&'a str, Status> {
    if (1..=MAX_ID_BYTES).contains(&id.len()) {
        return Ok(id);
    }
    let bytes = id.len();
    Err(Status::invalid_argument(format!(
        "code-mode {what} must have 1 to {MAX_ID_BYTES} bytes; it has {bytes}"
    )))
}

/// Checks that an id has the form of those that the host gives.
pub(super) fn uuid<'a>(what: &str, id: &'a str) -> Result<&'a str, Status> {
    let is_uuid = id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid { Ok(id) } else { Err(Status::invalid_argument(format!("code-mode {what} must be a UUID"))) }
}

/// Draws an id.
#[expect(
    clippy::expect_used,
    reason = "who knows a session's id has the session: without randomness there is none"
)]
pub(super) fn draw() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_the_fourth_version() {
        let id = draw();
        assert!(uuid("id", &id).is_ok(), "{id}");
        assert_eq!(id.get(14..15), Some("4"));
        assert!(matches!(id.get(19..20), Some("8" | "9" | "a" | "b")), "{id}");
        assert_ne!(id, draw());
    }
}
