//! The contract suite over the in-process provider.

use std::sync::Arc;

use carrel_runtime::{InProcessProvider, Options};

carrel_contract::contract_suite!(Arc::new(InProcessProvider::new(Options::default()).unwrap()));
