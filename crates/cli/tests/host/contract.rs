//! The whole contract suite over host processes.

use std::sync::Arc;

use carrel_host::{ProcessOptions, ProcessProvider, Transport};

use crate::harness::options;

fn provider(change: impl FnOnce(&mut ProcessOptions)) -> Arc<ProcessProvider> {
    let mut options = options();
    change(&mut options);
    Arc::new(ProcessProvider::new(options).unwrap())
}

mod stdio {
    use super::provider;

    carrel_contract::contract_suite!(provider(|_| ()));
}

mod unix {
    use super::{Transport, provider};

    carrel_contract::contract_suite!(provider(|options| options.transport = Transport::UnixSocket));
}

mod journaled {
    use super::provider;

    fn stored() -> std::sync::Arc<carrel_host::ProcessProvider> {
        let folder = tempfile::tempdir().unwrap().keep();
        provider(|options| {
            options.command.args.extend(["--store".into(), folder.join("carrel.db").into()]);
        })
    }

    carrel_contract::contract_suite!(journaled: stored());
}
