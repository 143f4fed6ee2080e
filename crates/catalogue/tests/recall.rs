//! Search finds what people look for among real tools.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "recall/set.rs"]
mod set;

use carrel_catalogue::search::Index;

#[test]
fn what_the_queries_want_is_there() {
    let tools = set::tools();
    assert!(tools.len() >= 300, "{} tools", tools.len());
    let queries = set::queries();
    assert!(queries.iter().map(Vec::len).sum::<usize>() >= 150);
    let known = |want: &String| tools.iter().any(|tool| tool.name.as_str() == want);
    let unknown: Vec<_> =
        queries.iter().flatten().flat_map(|query| &query.want).filter(|want| !known(want)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn most_queries_find_it_among_the_first_five() {
    let tools = set::tools();
    let index = Index::new(&tools);
    for half in set::queries() {
        let recall = set::recall(&index, &tools, &half);
        // A floor below what `./x bench recall` prints: a change of the ranking that loses much is seen here.
        assert!(recall.at_five >= 0.8, "{:.3}: {:?}", recall.at_five, recall.missed);
    }
}

#[test]
fn every_tool_is_found_first_by_its_name() {
    let tools = set::tools();
    let index = Index::new(&tools);
    for tool in &tools {
        let first = index.search(tool.name.as_str(), 1).first().and_then(|found| tools.get(found.tool));
        assert_eq!(first.map(|first| &first.name), Some(&tool.name));
    }
}

#[test]
fn the_same_question_has_the_same_answer_and_no_question_is_too_much() {
    let tools = set::tools();
    let (index, again) = (Index::new(&tools), Index::new(&tools));
    let million = "delete the records ".repeat(60_000);
    for query in ["delete the records", "", " \u{0}\n!?", "\u{1f600}", &"x".repeat(1 << 20), &million] {
        let found = index.search(query, 10);
        assert_eq!(found, again.search(query, 10));
        assert!(found.len() <= 10);
    }
    assert!(index.search("", 10).is_empty() && index.search("?!", 10).is_empty());
    assert!(Index::new(&[]).search("anything", 10).is_empty());
}
