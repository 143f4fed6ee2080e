//! The contract suite over the in-process provider, with sessions that are written down: in memory, and in SQLite.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use carrel_contract::CodeModeSessionProvider;
use carrel_journal::Store;
use carrel_runtime::{InProcessProvider, Options};

fn provider(store: Arc<dyn Store>) -> Arc<dyn CodeModeSessionProvider> {
    let mut options = Options::default();
    options.store = Some(store);
    Arc::new(InProcessProvider::new(options).unwrap())
}

mod memory {
    use super::{Arc, provider};

    carrel_contract::contract_suite!(journaled: provider(Arc::new(carrel_journal::Memory::new())));
}

mod sqlite {
    use super::{Arc, CodeModeSessionProvider, provider};

    fn sqlite() -> Arc<dyn CodeModeSessionProvider> {
        let folder = tempfile::tempdir().unwrap().keep();
        provider(Arc::new(carrel_journal::Sqlite::open(folder.join("carrel.db")).unwrap()))
    }

    carrel_contract::contract_suite!(journaled: sqlite());
}
