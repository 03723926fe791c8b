//! Convolutions in int8 against plain loops over integers, bit by bit: the sums are exact, and what comes before and after them
//! rounds alike on all instruction sets.

use proptest::prelude::*;

use super::case::{Case, available, same_bits};
use super::operations::convolution;
use crate::card::Op;
use crate::plan::{Kernel, Parameters};
use crate::{Arithmetic, Precision, Workspace};

/// The instruction sets with int8 that this CPU has.
fn arithmetics() -> Vec<Arithmetic> {
    let int8 = |isa| Arithmetic { isa, precision: Precision::Int8 };
    available().into_iter().map(int8).filter(|arithmetic| arithmetic.is_available()).collect()
}

/// Channels and sides of kernels with products enough to be quantised, below the sizes that Winograd runs.
fn quantised() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![(256..300_usize, Just(1)), (29..70_usize, Just(3))]
}

fn op(stride: usize, padding: usize) -> Op {
    Op::Conv2d { stride: [stride; 2], padding: [padding; 4], dilation: [1, 1], groups: 1 }
}

/// A convolution of one image by its definition: bytes, integers, and two roundings at the end.
fn convolve(
    image: &[f32],
    [channels, height, width]: [usize; 3],
    p: &Parameters,
    [stride, pad]: [usize; 2],
) -> Vec<f32> {
    let (weights, shape) = &p["weight"];
    let [out, _, rows, columns] = shape[..] else { panic!("{shape:?}") };
    let low = image.iter().copied().fold(0.0, f32::min);
    let extent = image.iter().copied().fold(0.0, f32::max) - low;
    let inverse = 255.0 / extent;
    let zero = (-low * inverse).round_ties_even();
    let pixel = |c: usize, y: usize, x: usize| {
        let inside = y >= pad && x >= pad && y < height + pad && x < width + pad;
        let value = if inside { image[(c * height + y - pad) * width + x - pad] } else { 0.0 };
        // Rounded after the shift, as the kernels do.
        (f64::from(value * inverse + (12_582_912.0 + zero)) - 12_582_912.0).clamp(0.0, 255.0) as i64
            - zero as i64
    };
    let [high, wide] = [height, width].map(|side| (side + 2 * pad - rows.max(columns)) / stride + 1);
    let len = channels * rows * columns;
    let mut results = Vec::new();
    for o in 0..out {
        let filter = &weights[o * len..][..len];
        let greatest = filter.iter().fold(0.0_f32, |greatest, weight| greatest.max(weight.abs()));
        let byte = |weight: f32| (weight * (127.0 / greatest)).round_ties_even() as i64;
        let bias = p.get("bias").map_or(0.0, |(bias, _)| bias[o]);
        for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
            let product = |(at, weight): (usize, &f32)| {
                let (c, row, column) = (at / (rows * columns), at / columns % rows, at % columns);
                byte(*weight) * pixel(c, y * stride + row, x * stride + column)
            };
            let sum: i64 = filter.iter().enumerate().map(product).sum();
            results.push(sum as f32 * ((extent / 255.0) * (greatest / 127.0)) + bias);
        }
    }
    results
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_of_integers_bit_by_bit(
        (channels, kernel) in quantised(), out in 1..50_usize, side in 3..12_usize, stride in 1..3_usize,
        seed in any::<u64>(), bias in any::<bool>(),
    ) {
        let input = [channels, side, side];
        let mut case = Case::new(seed, &[input], 1);
        let padding = kernel / 2;
        let last = case.convolve(op(stride, padding), 0, out, [kernel; 2], bias);
        let image = case.images().remove(0);
        let expected = convolve(&image, input, &case.load(0).unwrap(), [stride, padding]);
        for on in arithmetics() {
            let plan = case.plan(on, &[last]).unwrap();
            assert_eq!(plan.rounded(), 1);
            let found = plan.run_once(&|at| case.load(at), &[&image], 2).unwrap();
            same_bits(&found, std::slice::from_ref(&expected), &format!("{on:?}"));
        }
    }

    #[test]
    fn threads_batches_and_low_memory_give_the_same_bits(
        convolution in convolution(), (channels, kernel) in quantised(), side in 3..12_usize, stride in 1..3_usize,
        seed in any::<u64>(), batch in 1..7_usize
    ) {
        let mut case = Case::new(seed, &[convolution.input()], batch);
        let wanted = convolution.add_to(&mut case);
        for on in arithmetics().into_iter().filter(|on| case.known(on.isa)) {
            case.check_on(on, &wanted);
        }
        let mut case = Case::new(seed, &[[channels, side, side]], batch);
        let first = case.convolve(op(stride, kernel / 2), 0, channels, [kernel; 2], true);
        let second = case.convolve(op(1, 0), first, 20, [1, 1], false);
        let sum = case.push(Op::Add { scalar: None }, &[second, second]);
        let wanted = [first, case.push(Op::Relu {}, &[sum])];
        for on in arithmetics().into_iter().filter(|on| case.known(on.isa)) {
            case.check_on(on, &wanted);
        }
    }
}

/// Small, for Miri.
#[test]
fn small_convolutions_of_integers() {
    for (channels, kernel) in [(257, 1), (29, 3)] {
        let input = [channels, 2, 2];
        let mut case = Case::new(6, &[input], 1);
        let last = case.convolve(op(1, kernel / 2), 0, 9, [kernel; 2], true);
        let image = case.images().remove(0);
        let expected = [convolve(&image, input, &case.load(0).unwrap(), [1, kernel / 2])];
        for on in arithmetics() {
            let plan = case.plan(on, &[last]).unwrap();
            let found = plan.run_once(&|at| case.load(at), &[&image], 1).unwrap();
            same_bits(&found, &expected, &format!("{on:?}"));
        }
    }
}

#[test]
fn convolutions_of_one_tensor_share_its_extent() {
    let mut case = Case::new(1, &[[256, 6, 6]], 2);
    let first = case.convolve(op(2, 0), 0, 32, [1, 1], true);
    let second = case.convolve(op(2, 1), 0, 32, [3, 3], true);
    let sum = case.push(Op::Add { scalar: None }, &[first, second]);
    let active = case.push(Op::Relu {}, &[sum]);
    for on in arithmetics() {
        case.check_on(on, &[active]);
        let plan = case.plan(on, &[active]).unwrap();
        let kinds = &plan.kernels[..];
        assert!(matches!(kinds, [Kernel::Extent(_), Kernel::ConvInt8(_), Kernel::ConvInt8(_)]), "{kinds:?}");
        assert_eq!(plan.rounded(), 2);
        case.check_on(on, &[active, sum]);
    }
}

#[test]
fn what_is_not_finite_stays_visible_in_int8() {
    let mut case = Case::new(2, &[[29, 3, 4]], 1);
    let last = case.convolve(op(1, 1), 0, 16, [3, 3], true);
    for on in arithmetics() {
        let plan = case.plan(on, &[last]).unwrap();
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..29 * 12 {
                let mut image = case.images().remove(0);
                image[at] = value;
                let found = plan.run_once(&|at| case.load(at), &[&image], 1).unwrap().remove(0);
                assert!(found.iter().any(|found| !found.is_finite()), "{value} at {at} is lost");
            }
            let load = |at| {
                let mut parameters = case.load(at)?;
                parameters.get_mut("weight").unwrap().0[5] = value;
                Ok(parameters)
            };
            let found = plan.run_once(&load, &[&case.images()[0]], 1).unwrap().remove(0);
            assert!(found.iter().any(|found| !found.is_finite()), "{value} in a weight is lost");
        }
    }
}

#[test]
fn an_image_without_any_extent_gives_the_bias() {
    let mut case = Case::new(3, &[[256, 2, 2]], 1);
    let last = case.convolve(op(1, 0), 0, 16, [1, 1], true);
    let bias = case.load(0).unwrap()["bias"].0.clone();
    for on in arithmetics() {
        let plan = case.plan(on, &[last]).unwrap();
        let found = plan.run_once(&|at| case.load(at), &[&[0.0; 1024]], 1).unwrap().remove(0);
        let expected: Vec<f32> = bias.iter().flat_map(|bias| [*bias; 4]).collect();
        same_bits(&[found], &[expected], &format!("{on:?}"));
    }
}

/// 66,311 products of 255 and 127 are the most that 32 bits hold.
#[test]
fn the_greatest_sums_do_not_overflow_and_longer_ones_stay_in_single_precision() {
    for (channels, is_exact) in [(66_311, true), (66_312, false)] {
        let mut case = Case::new(4, &[[channels, 1, 1]], 1);
        let last = case.convolve(op(1, 0), 0, 1, [1, 1], false);
        let image = vec![255.0; channels];
        let load = |at| {
            let mut parameters = case.load(at)?;
            parameters.get_mut("weight").unwrap().0.fill(-127.0);
            Ok(parameters)
        };
        for on in arithmetics() {
            let plan = case.plan(on, &[last]).unwrap();
            assert_eq!(plan.rounded() == 1, is_exact);
            if !is_exact {
                continue;
            }
            let weights = plan.pack(&load).unwrap();
            let found = plan.run(&weights, &Workspace::default(), &[&image], 1, 1).remove(0)[0];
            assert_eq!(found, -255.0 * 127.0 * channels as f32, "{on:?}");
        }
    }
}
