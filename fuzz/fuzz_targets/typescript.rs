//! Source text of any kind is made ready or refused. What comes out is JavaScript, and its lines are as long as those
//! that went in, but where something was transformed.
#![no_main]

use carrel_typescript::prepare;
use libfuzzer_sys::fuzz_target;

fn lines(text: &str) -> Vec<usize> {
    text.split(['\n', '\r', '\u{2028}', '\u{2029}']).map(|line| line.encode_utf16().count()).collect()
}

fuzz_target!(|source: &str| {
    let Ok(prepared) = prepare(source) else { return };
    if !prepared.was_typescript {
        assert_eq!(prepared.code, source);
        return;
    }
    let (written, left) = (lines(source), lines(&prepared.code));
    assert_eq!(written.len(), left.len());
    let is_transformed = source.contains("enum") || source.contains("constructor");
    assert!(is_transformed || written == left, "{source}\n---\n{}", prepared.code);
    let again = prepare(&prepared.code).expect("what was made ready is JavaScript");
    assert!(!again.was_typescript, "{source}\n---\n{}", prepared.code);
});
