//! Large values.

use std::sync::Arc;

use futures::executor::block_on;

use super::session;
use crate::{Blob, BlobHash, Store};

pub fn blobs_are_kept_once_for_all_sessions(store: Arc<dyn Store>) {
    let (first, second) = (session("first"), session("second"));
    let large = Blob::new((0..1_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    let empty = Blob::new(Vec::new());
    for id in [&first, &second, &first] {
        for blob in [&large, &empty] {
            block_on(store.put_blob(id, blob.clone())).unwrap();
        }
    }
    for blob in [&large, &empty] {
        assert_eq!(block_on(store.get_blob(blob.hash())).unwrap().as_ref(), Some(blob));
    }
    let mut both = vec![large.hash(), empty.hash()];
    both.sort_unstable();
    assert_eq!(block_on(store.blobs(&first)).unwrap(), both);
    assert_eq!(block_on(store.blobs(&session("third"))).unwrap(), []);
    assert_eq!(block_on(store.get_blob(BlobHash::of(b"unknown"))).unwrap(), None);
    assert_eq!(block_on(store.list(None, 10)).unwrap(), [], "blobs alone make no journal");
}

pub fn a_blob_is_gone_when_nobody_has_it(store: Arc<dyn Store>) {
    let (first, second) = (session("first"), session("second"));
    let (shared, own) = (Blob::new(&b"shared"[..]), Blob::new(&b"own"[..]));
    let is_there = |blob: &Blob| block_on(store.get_blob(blob.hash())).unwrap().is_some();
    block_on(store.put_blob(&first, shared.clone())).unwrap();
    block_on(store.put_blob(&first, own.clone())).unwrap();
    block_on(store.put_blob(&second, shared.clone())).unwrap();
    block_on(store.delete(&first)).unwrap();
    assert!(is_there(&shared) && !is_there(&own));
    block_on(store.delete(&second)).unwrap();
    assert!(!is_there(&shared));
    block_on(store.put_blob(&first, shared.clone())).unwrap();
    assert!(is_there(&shared), "it can come again");
}

pub fn a_blob_is_shared_without_its_bytes(store: Arc<dyn Store>) {
    let (first, second) = (session("first"), session("second"));
    let blob = Blob::new(&b"shared"[..]);
    assert!(!block_on(store.share_blob(&second, blob.hash())).unwrap(), "nobody has it");
    block_on(store.put_blob(&first, blob.clone())).unwrap();
    for _ in 0..2 {
        assert!(block_on(store.share_blob(&second, blob.hash())).unwrap());
    }
    assert_eq!(block_on(store.blobs(&second)).unwrap(), [blob.hash()]);
    block_on(store.delete(&first)).unwrap();
    assert_eq!(block_on(store.get_blob(blob.hash())).unwrap(), Some(blob.clone()));
    block_on(store.delete(&second)).unwrap();
    assert_eq!(block_on(store.get_blob(blob.hash())).unwrap(), None, "it was counted once a session");
}
