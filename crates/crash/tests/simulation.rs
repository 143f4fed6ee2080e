//! A short simulation, for every change; `./x simulate` is the long one.

use carrel_crash::simulation::{live, run};

#[test]
fn nothing_is_lost_or_done_twice_in_made_up_histories() {
    run(30, 1).unwrap();
}

/// Whatever a seed finds can be looked at again.
#[test]
fn a_seed_is_the_same_history_each_time() {
    let (mut deaths, mut failures) = (0, 0);
    for seed in 1..=15 {
        let history = live(seed).unwrap();
        assert_eq!(history, live(seed).unwrap(), "seed {seed}");
        assert!(history.events.iter().all(|events| !events.is_empty()));
        deaths += history.counts.deaths;
        failures += history.counts.failures;
    }
    assert!(deaths > 5 && failures > 1, "{deaths} deaths and {failures} failures among them");
}
