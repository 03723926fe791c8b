//! Random graphs, and those that the fuzzer found worth keeping.

use std::path::Path;

use proptest::prelude::*;

use super::case::Case;
use super::grown::{self, Start, Step};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((0..16_usize, [0..997_usize, 0..997_usize, 0..997_usize, 0..997_usize]), 1..9)
}

/// A graph of a few steps on random images.
pub(super) fn graph() -> impl Strategy<Value = Case> {
    let sides = prop_oneof![3 => [1..10_usize, 1..10_usize], 1 => [10..20_usize, 10..20_usize]];
    let settings = (0..6_usize, sides, 0..3_usize, steps(), any::<u64>(), 1..7_usize);
    settings.prop_map(|(channels, sides, second, steps, seed, batch)| {
        grown::graph(&Start { channels, sides, second, seed, batch }, &steps)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs(case in graph(), wanted in any::<u32>()) {
        let last = case.slots() - 1;
        let chosen = (0..last).filter(|slot| wanted >> (2 * slot % 32) & 3 == 3);
        case.check(&std::iter::once(last).chain(chosen).collect::<Vec<_>>());
    }
}

#[test]
fn the_graphs_of_the_fuzzer_stay_right() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/kernels");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "the corpus was not found");
    files.iter().for_each(|file| grown::differential(&std::fs::read(file).unwrap()));
}
