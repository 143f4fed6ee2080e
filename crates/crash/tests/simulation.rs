//! A short simulation, for every change; `./x simulate` is the long one.

use carrel_crash::simulation::{Counts, live, run};

#[test]
fn nothing_is_lost_or_done_twice_in_made_up_histories() {
    run(30, 1).unwrap();
}

/// Whatever a seed finds can be looked at again.
#[test]
fn a_seed_is_the_same_history_each_time() {
    let mut all = Counts::default();
    for seed in 1..=15 {
        let history = live(seed).unwrap();
        assert_eq!(history, live(seed).unwrap(), "seed {seed}");
        assert!(history.events.iter().all(|events| !events.is_empty()));
        all += history.counts;
    }
    let Counts { deaths, failures, taken, forks, folds, cut, .. } = all;
    assert!(deaths > 5 && failures > 1 && taken > 1 && forks > 1 && folds > 1 && cut > 1, "{all}");
}
