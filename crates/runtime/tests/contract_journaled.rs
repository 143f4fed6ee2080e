//! The contract suite over the in-process provider, with sessions that are written down: in memory, in SQLite, and in memory
//! with journals that are folded, and with sessions that sleep, all the time.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CodeModeSessionProvider;
use carrel_journal::Store;
use carrel_runtime::{InProcessProvider, Options};

fn provider(store: Arc<dyn Store>) -> Arc<dyn CodeModeSessionProvider> {
    with(store, |_| ())
}

fn with(store: Arc<dyn Store>, change: impl FnOnce(&mut Options)) -> Arc<dyn CodeModeSessionProvider> {
    let mut options = Options::default();
    options.store = Some(store);
    change(&mut options);
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

/// Journals that are folded all the time. They are not cut: the suite forks sessions at events of long ago.
mod folded {
    use super::{Arc, CodeModeSessionProvider, with};

    fn folding() -> Arc<dyn CodeModeSessionProvider> {
        with(Arc::new(carrel_journal::Memory::new()), |options| {
            options.folding.after_bytes = 1;
        })
    }

    carrel_contract::contract_suite!(journaled: folding());
}

/// Sessions that leave memory whenever nobody uses them and their cells wait.
mod sleeping {
    use super::{Arc, CodeModeSessionProvider, Duration, with};

    fn sleeping() -> Arc<dyn CodeModeSessionProvider> {
        with(Arc::new(carrel_journal::Memory::new()), |options| options.hibernation.idle = Duration::ZERO)
    }

    carrel_contract::contract_suite!(journaled: sleeping());
}
