//! Names for the nodes of an imported graph, each given once.

use std::collections::{HashMap, HashSet};

/// Names in use; a second `relu` becomes `relu_1`, as PyTorch numbers them.
pub(super) struct Names {
    taken: HashSet<String>,
    counts: HashMap<String, usize>,
}

impl Names {
    /// With one name in use.
    pub(super) fn without(reserved: &str) -> Self {
        Self { taken: HashSet::from([reserved.to_owned()]), counts: HashMap::new() }
    }

    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while !self.taken.insert(name.clone()) {
            let count = self.counts.entry(wanted.to_owned()).or_insert(0);
            *count += 1;
            name = format!("{wanted}_{count}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let mut names = Names::without("input");
        let given = ["relu", "relu", "input", "relu", "relu_1"].map(|name| names.unique(name));
        assert_eq!(given, ["relu", "relu_1", "input_1", "relu_2", "relu_1_1"]);
    }
}
