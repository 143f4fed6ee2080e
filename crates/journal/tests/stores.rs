//! The suite of stores, over each store of this crate.
#![expect(clippy::unwrap_used, reason = "a test")]

mod memory {
    carrel_journal::store_suite!((std::sync::Arc::new(carrel_journal::Memory::new()), ()));
}

mod sqlite {
    use std::sync::Arc;

    use carrel_journal::Sqlite;

    fn store() -> (Arc<Sqlite>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Arc::new(Sqlite::open(folder.path().join("carrel.db")).unwrap()), folder)
    }

    carrel_journal::store_suite!(store());
}
