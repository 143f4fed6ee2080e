//! Prints how well and how fast search answers the recall set: `./x bench recall`. `--missed` prints what was not found
//! by the queries to tune on, never those held out.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

#[path = "../tests/recall/set.rs"]
mod set;

use std::time::{Duration, Instant};

use carrel_catalogue::prompt::{DEFAULT_BUDGET_TOKENS, prompt};
use carrel_catalogue::search::Index;

fn main() {
    let tools = set::tools();
    let halves = set::queries();
    let index = Index::new(&tools);
    println!("{} tools", tools.len());
    for (half, called) in halves.iter().zip(["to tune on", "held out"]) {
        let recall = set::recall(&index, &tools, half);
        let (at_five, rank) = (recall.at_five * 100.0, recall.mean_reciprocal_rank);
        println!("{called:10}: {} queries, recall@5 {at_five:.1} %, MRR {rank:.3}", half.len());
        if called == "to tune on" && std::env::args().any(|arg| arg == "--missed") {
            recall.missed.iter().for_each(|(ask, found)| println!("  {ask}: {}", found.join(" ")));
        }
    }
    println!("index       {:?}", median(21, || Index::new(&tools)));
    let mut each = halves.iter().flatten().cycle();
    println!("search      {:?}", median(2001, || each.next().map(|query| index.search(&query.ask, 10))));
    for budget in [DEFAULT_BUDGET_TOKENS, usize::MAX / 8] {
        let text = prompt(&tools, budget);
        let (bytes, shown, took) = (text.text.len(), text.shown, median(5, || prompt(&tools, budget)));
        println!("prompt      {bytes} bytes, {shown} of {} tools, {took:?}", text.total);
    }
}

fn median<T>(times: usize, mut act: impl FnMut() -> T) -> Duration {
    let mut took: Vec<Duration> = (0..times)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(act());
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took.get(times / 2).copied().unwrap_or_default()
}
