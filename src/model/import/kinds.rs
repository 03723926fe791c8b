//! Kinds of operations or layers that an importer does not know, for one message that names all of them.
//!
//! Receives a kind and where it is, as often as it is found; gives the list, with how often and where first.

use std::collections::BTreeMap;

/// Kinds that a message lists.
const LISTED: usize = 8;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Kinds(BTreeMap<String, (usize, String)>);

impl Kinds {
    /// Counts one more of a kind; `place` is kept of the first.
    pub(super) fn count(&mut self, kind: String, place: impl FnOnce() -> String) {
        self.0.entry(kind).or_insert_with(|| (0, place())).0 += 1;
    }

    /// How many kinds there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first kinds in the order of their names, each as `say` has it from name, count and first place; `None` when there are none.
    pub(super) fn listed(&self, say: impl Fn(&str, usize, &str) -> String) -> Option<String> {
        let mut list: Vec<String> =
            self.0.iter().take(LISTED).map(|(kind, (count, first))| say(kind, *count, first)).collect();
        if self.len() > LISTED {
            list.push(format!("and {} more kinds", self.len() - LISTED));
        }
        (!list.is_empty()).then(|| list.join(", "))
    }
}
