//! The changes to QuickJS-NG's sources that no definition and no wrapper can make.

mod collection;
mod hashing;
mod json;
mod limits;
mod places;
mod recursion;
mod variables;
mod words;
mod zone;

use crate::Outcome;

/// Returns `quickjs.c` with the changes.
pub(crate) fn quickjs(source: &str) -> Outcome<String> {
    let owned = |&(before, after): &(&str, &str)| (before.to_owned(), after.to_owned());
    let changes = recursion::changes().chain(
        places::CHANGES
            .iter()
            .chain(variables::CHANGES)
            .chain(json::CHANGES)
            .chain(collection::CHANGES)
            .chain(limits::CHANGES)
            .chain(hashing::CHANGES)
            .chain(zone::CHANGES)
            .chain(words::CHANGES)
            .map(owned),
    );
    changes.into_iter().try_fold(source.to_owned(), |patched, (before, after)| {
        // What stands in more than one place, or in none, is not what the change was made for.
        if patched.matches(&before).count() != 1 {
            return Err(format!(
                "quickjs.c has not one place that reads so, as build/patch expects:\n{before}"
            ));
        }
        Ok(patched.replace(&before, &after))
    })
}
