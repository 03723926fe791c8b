//! Operations on tensors with the channels last: linear layers, layer norms and what stands between them.

use proptest::prelude::*;

use super::case::Case;
use super::pass;
use super::reverse::is_at_a_corner;
use crate::card::Op;
use crate::{Isa, knows};

/// Adds one of these operations, to a late tensor more often than to an early one.
fn grow(case: &mut Case, [kind, a, b]: [usize; 3]) {
    let slots = case.slots();
    let x = slots - 1 - (a % slots).min(a / 7 % slots);
    let shape = case.shape(x);
    match kind % 8 {
        0 | 1 => case.linear(x, [1, 5, 16, 17, 33, 64][b % 6], b % 2 == 0),
        // So that its outputs do not hang on how the differences of nearly equal numbers are rounded.
        2 => case.layer_norm(x, 0.1),
        3 => case.push(Op::Gelu { approximate: b % 2 == 0 }, &[x]),
        4 | 5 => {
            let fits: Vec<usize> = (0..slots).filter(|slot| case.shape(*slot) == shape).collect();
            let op = if kind % 2 == 0 { Op::Add { scalar: None } } else { Op::Mul { scalar: None } };
            case.push(op, &[x, fits[b % fits.len()]])
        }
        6 => case.push(Op::Mul { scalar: Some(0.5) }, &[x]),
        _ => case.push(if b % 2 == 0 { Op::Relu {} } else { Op::Identity {} }, &[x]),
    };
}

fn graph() -> impl Strategy<Value = Case> {
    let sizes =
        (prop_oneof![Just(1_usize), Just(7), Just(16), Just(33), 2..70_usize], 1..5_usize, 1..20_usize);
    let steps = proptest::collection::vec([0..8_usize, 0..997_usize, 0..997_usize], 1..9);
    (sizes, 3..5_usize, steps, any::<u64>(), 1..6_usize).prop_map(
        |((channels, height, width), axes, steps, seed, batch)| {
            let height = if axes == 3 { 1 } else { height };
            let mut case = Case::new(seed, &[[channels, height, width]], batch);
            case.channels_last = axes;
            steps.into_iter().for_each(|step| grow(&mut case, step));
            case
        },
    )
}

/// The last tensor and those that the bits choose.
fn chosen(case: &Case, bits: u32) -> Vec<usize> {
    let last = case.slots() - 1;
    std::iter::once(last).chain((0..last).filter(|slot| bits >> (2 * slot % 32) & 3 == 3)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn graphs_of_tokens(case in graph(), wanted in any::<u32>()) {
        case.check_known(&chosen(&case, wanted));
    }

    #[test]
    fn graphs_of_tokens_backward(case in graph(), seeds in any::<u32>(), targets in any::<u32>()) {
        prop_assume!(!is_at_a_corner(&case));
        let inner = chosen(&case, targets).into_iter().filter(|slot| *slot > 0);
        pass::check(&case, &chosen(&case, seeds), &std::iter::once(0).chain(inner).collect::<Vec<_>>());
    }
}

/// A block of a transformer without its attention, as wide as two panels of a tile.
#[test]
fn a_block_of_a_transformer_forward_and_backward() {
    let mut case = Case::new(5, &[[96, 1, 50]], 3);
    case.channels_last = 3;
    let x = case.linear(0, 96, true);
    let sum = case.push(Op::Add { scalar: None }, &[x, 0]);
    let norm = case.layer_norm(sum, 1e-6);
    let wide = case.linear(norm, 384, true);
    let wide = case.push(Op::Gelu { approximate: false }, &[wide]);
    let x = case.linear(wide, 96, true);
    let last = case.push(Op::Add { scalar: None }, &[sum, x]);
    case.check_known(&[last, norm]);
    pass::check(&case, &[last], &[0, norm]);
}

/// Two axes of one tensor are channels for two operations: neither kernel may take it.
#[test]
fn an_operation_whose_channels_are_elsewhere_is_not_known() {
    let mut case = Case::new(6, &[[8, 8, 8]], 1);
    case.linear(0, 8, true);
    let known = |case: &Case| knows(Isa::Portable, &case.operations()[0], &case.shapes())[0];
    assert!(!known(&case));
    case.channels_last = 4;
    assert!(known(&case));
    let mut case = Case::new(6, &[[8, 8, 8]], 1);
    case.push(Op::GlobalAvgPool {}, &[0]);
    assert!(known(&case));
    case.channels_last = 4;
    assert!(!known(&case));
}
