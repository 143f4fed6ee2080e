//! Owners of sessions.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;

use super::{entry, session};
use crate::error::{AcquireError, AppendError, RenewError};
use crate::{Lease, Owner, Position, Store};

const TTL: Duration = Duration::from_micros(100);

fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

fn acquire(store: &Arc<dyn Store>, name: &str, now_us: i64) -> Result<Lease, AcquireError> {
    block_on(store.acquire(&session("s"), &owner(name), TTL, now_us))
}

pub fn a_session_has_one_owner_at_a_time(store: Arc<dyn Store>) {
    assert_eq!(block_on(store.lease(&session("s"))).unwrap(), None);
    let lease = acquire(&store, "a", 1000).unwrap();
    assert_eq!((lease.owner.as_str(), lease.until_us), ("a", 1100));
    let refused = acquire(&store, "b", 1099).unwrap_err();
    assert_eq!(refused, AcquireError::OwnedElsewhere { owner: owner("a"), until_us: 1100 });
    let renewed = block_on(store.renew(&session("s"), &lease, TTL, 1050)).unwrap();
    assert_eq!(renewed, Lease { until_us: 1150, ..lease });
    acquire(&store, "b", 1149).unwrap_err();
    let lease = || block_on(store.lease(&session("s"))).unwrap();
    assert_eq!(lease(), Some(renewed.clone()));
    block_on(store.release(&session("s"), &renewed)).unwrap();
    assert_eq!(lease(), None);
    acquire(&store, "b", 1050).unwrap();
    assert_eq!(lease().unwrap().owner, owner("b"));
    block_on(store.acquire(&session("another"), &owner("c"), TTL, 1050)).unwrap();
}

pub fn a_lease_that_ran_out_can_be_taken(store: Arc<dyn Store>) {
    let lease = acquire(&store, "a", 1000).unwrap();
    let late = block_on(store.renew(&session("s"), &lease, TTL, 2000)).unwrap();
    assert_eq!(late.until_us, 2100, "nobody has taken it");
    assert_eq!(acquire(&store, "b", 2100).unwrap().until_us, 2200);
}

pub fn a_lost_lease_is_neither_renewed_nor_released(store: Arc<dyn Store>) {
    let id = session("s");
    let lost = acquire(&store, "a", 1000).unwrap();
    let error = RenewError::Lost { epoch: lost.epoch };
    let taken = acquire(&store, "b", 1100).unwrap();
    assert_eq!(block_on(store.renew(&id, &lost, TTL, 1100)).unwrap_err(), error);
    block_on(store.release(&id, &lost)).unwrap();
    acquire(&store, "c", 1101).unwrap_err();
    block_on(store.release(&id, &taken)).unwrap();
    assert_eq!(block_on(store.renew(&id, &lost, TTL, 1100)).unwrap_err(), error);
    block_on(store.renew(&id, &taken, TTL, 1100)).unwrap_err();
    block_on(store.renew(&session("unknown"), &taken, TTL, 1100)).unwrap_err();
    // An earlier lease of the same owner is lost, too.
    let earlier = acquire(&store, "c", 1200).unwrap();
    let later = acquire(&store, "c", 1200).unwrap();
    block_on(store.renew(&id, &earlier, TTL, 1200)).unwrap_err();
    block_on(store.renew(&id, &later, TTL, 1200)).unwrap();
}

pub fn each_lease_has_a_greater_epoch(store: Arc<dyn Store>) {
    let mut epoch = 0;
    for (n, name) in (0..).zip(["a", "a", "b", "c", "a"]) {
        let lease = acquire(&store, name, n * 1000).unwrap();
        assert!(lease.epoch > epoch, "{lease:?} after {epoch}");
        epoch = lease.epoch;
        if name == "b" {
            block_on(store.release(&session("s"), &lease)).unwrap();
        }
    }
}

pub fn of_owners_that_race_one_gets_the_session(store: Arc<dyn Store>) {
    for round in 0..20 {
        let now_us = round * 1000;
        let got = thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|racer| {
                    scope.spawn({
                        let store = &store;
                        move || acquire(store, &format!("racer {racer}"), now_us).is_ok()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).filter(|got| *got).count()
        });
        assert_eq!(got, 1);
    }
}

pub fn an_old_owner_can_append_nothing_once_it_is_fenced(store: Arc<dyn Store>) {
    let id = session("s");
    acquire(&store, "old", 0).unwrap();
    let known = block_on(store.append(&id, Position::START, vec![entry("old")])).unwrap();
    acquire(&store, "new", 1000).unwrap();
    assert_eq!(block_on(store.append(&id, known, vec![entry("adopted")])).unwrap(), Position(2));
    for _ in 0..3 {
        assert!(matches!(
            block_on(store.append(&id, known, vec![entry("late")])),
            Err(AppendError::Conflict { actual: Position(2), .. })
        ));
    }
}
