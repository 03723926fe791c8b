//! Sums as long as those of large networks, also of numbers that do not cancel: there every rounding counts.

use proptest::prelude::*;

use super::case::Case;
use super::pass::check;
use crate::card::Op;
use crate::plan::Parameters;

/// Each of these takes as long as sixteen of the others.
fn settings() -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { cases: usual.cases.div_ceil(16), ..usual }
}

/// A convolution of 1x1 or 3x3 without a border, to `out` channels.
fn op(kernel: usize) -> Op {
    Op::Conv2d { stride: [1, 1], padding: [kernel / 2; 4], dilation: [1, 1], groups: 1 }
}

/// Adds a convolution none of whose weights is below zero; returns its slot.
fn positive(case: &mut Case, x: usize, out: usize, kernel: usize) -> usize {
    let channels = case.shape(x)[0];
    let fan_in = channels * kernel * kernel;
    let weight = case.dice.values(out * fan_in).iter().map(|weight| weight.abs() / fan_in as f32).collect();
    let shape = vec![out, channels, kernel, kernel];
    case.add(op(kernel), &[x], Parameters::from([("weight".to_owned(), (weight, shape))]))
}

proptest! {
    #![proptest_config(settings())]

    /// VGG has 25,088 of 1x1, ResNet-50 512 of 3x3.
    #[test]
    fn convolutions_over_many_channels(
        (channels, kernel) in prop_oneof![(500..26_000_usize, Just(1)), (64..600_usize, Just(3))],
        out in 1..20_usize, side in [1..5_usize, 1..5_usize], cancels in any::<bool>(), seed in any::<u64>(),
        batch in 1..3_usize,
    ) {
        let mut case = Case::new(seed, &[[channels, side[0], side[1]]], batch);
        let last = if cancels {
            case.convolve(op(kernel), 0, out, [kernel; 2], true)
        } else {
            let x = case.push(Op::Relu {}, &[0]);
            positive(&mut case, x, out, kernel)
        };
        case.check_known(&[last]);
    }

    /// Where Winograd's transforms stand between.
    #[test]
    fn windows_over_many_channels(
        channels in 128..600_usize, out in 1..20_usize, side in 11..16_usize, cancels in any::<bool>(), seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[[channels, side, side]], 1);
        let last = if cancels {
            case.convolve(op(3), 0, out, [3, 3], false)
        } else {
            let x = case.push(Op::Relu {}, &[0]);
            positive(&mut case, x, out, 3)
        };
        case.check_known(&[last]);
    }

    #[test]
    fn gradients_over_many_channels(
        channels in 1..20_usize, out in 500..5000_usize, side in [1..5_usize, 1..5_usize], cancels in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[[channels, side[0], side[1]]], 1);
        let last = if cancels { case.convolve(op(1), 0, out, [1, 1], false) } else { positive(&mut case, 0, out, 1) };
        check(&case, &[last], &[0]);
    }

    #[test]
    fn linear_layers_and_norms_of_wide_tokens(
        channels in 500..6000_usize, tokens in 1..6_usize, out in 1..40_usize, seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[[channels, 1, tokens]], 1);
        case.channels_last = 3;
        let norm = case.layer_norm(0, 1e-5);
        let last = case.linear(norm, out, true);
        case.check_known(&[norm, last]);
        check(&case, &[last], &[0]);
    }

    #[test]
    fn means_of_many_pixels(
        channels in 1..9_usize, side in [60..300_usize, 60..300_usize], cancels in any::<bool>(), seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[[channels, side[0], side[1]]], 1);
        let x = if cancels { 0 } else { case.push(Op::Relu {}, &[0]) };
        let mean = case.push(Op::GlobalAvgPool {}, &[x]);
        case.check_known(&[mean]);
    }
}
