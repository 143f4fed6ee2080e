//! What SQLite says went wrong, as what a store says.

use std::path::Path;

use rusqlite::ErrorCode;

use super::BUSY_TIMEOUT;
use crate::error::StoreError;

/// Translates an error; `unknown` says whether what was asked for may have happened nevertheless.
pub(super) fn translate(error: &rusqlite::Error, path: &Path, unknown: bool) -> StoreError {
    let detail = error.to_string();
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { waited_ms: u64::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(u64::MAX) }
        }
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { detail },
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore { path },
        Some(ErrorCode::CannotOpen) => StoreError::CannotOpen { path, detail },
        Some(code) => {
            // The extended code tells a failed fsync from a failed write.
            let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
            StoreError::Io { detail: format!("{detail} ({code:?}, SQLite's code {extended})"), unknown }
        }
        None => StoreError::Damaged { detail },
    }
}
