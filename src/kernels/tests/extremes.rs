//! Extreme values: NaN survives, infinities stay infinite, activations are right everywhere.

use super::case::{Case, available};
use super::reference::single;
use crate::card::Op;

const ACTIVATIONS: [Op; 12] = [
    Op::Relu {},
    Op::Relu6 {},
    Op::Clip { min: -2.0, max: 3.0 },
    Op::Minimum { scalar: Some(1.5) },
    Op::Maximum { scalar: Some(-0.5) },
    Op::LeakyRelu { slope: 0.01 },
    Op::Sigmoid {},
    Op::Silu {},
    Op::HardSigmoid { alpha: 0.2, beta: 0.5 },
    Op::HardSwish {},
    Op::Gelu { approximate: false },
    Op::Gelu { approximate: true },
];

/// The last tensor of a graph with one input, for these values.
fn outputs(case: &Case, values: &[f32]) -> Vec<Vec<f32>> {
    let last = case.slots() - 1;
    available()
        .into_iter()
        .map(|isa| {
            let plan = case.plan(isa, &[last]).unwrap();
            plan.run_once(&|at| case.load(at), &[values], 1).unwrap().remove(0)
        })
        .collect()
}

#[test]
fn activations_are_right_over_the_whole_range() {
    let values: Vec<f32> = (0..20_001).map(|at| (at - 10_000) as f32 / 100.0).collect();
    for op in ACTIVATIONS {
        let mut case = Case::new(1, &[[1, 1, values.len()]], 1);
        case.push(op.clone(), &[0]);
        for found in outputs(&case, &values) {
            for (x, found) in values.iter().zip(found) {
                let right = single(&op, f64::from(*x));
                // Values near the smallest normal one may become zero.
                let allowed = 1e-6 * right.abs() + 1e-35;
                // Where a line crosses zero, what is subtracted is as large as what is left is small; and in GELU's tail a power of e has
                // a rounded exponent.
                let is_line = matches!(op, Op::HardSigmoid { .. } | Op::HardSwish {} | Op::Gelu { .. });
                let line = if is_line { 2e-7 } else { 0.0 };
                let off = (right - f64::from(found)).abs();
                assert!(off <= allowed + line, "{op:?} of {x}: {found}, expected {right}");
            }
        }
    }
}

/// One NaN, at every position of an image, through every kind of kernel.
#[test]
fn nan_survives() {
    let conv = |groups| Op::Conv2d { stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups };
    let mut cases: Vec<Case> = (0..ACTIVATIONS.len() + 6).map(|_| Case::new(2, &[[16, 3, 4]], 1)).collect();
    let (activations, others) = cases.split_at_mut(ACTIVATIONS.len());
    for (case, op) in activations.iter_mut().zip(ACTIVATIONS) {
        case.push(op, &[0]);
    }
    others[0].convolve(conv(1), 0, 16, [3, 3], true);
    others[1].convolve(conv(16), 0, 16, [3, 3], true);
    let window = ([3, 3], [1, 1], [1; 4]);
    let (kernel, stride, padding) = window;
    others[2].push(Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false }, &[0]);
    others[3]
        .push(Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: true }, &[0]);
    others[4].push(Op::GlobalMaxPool {}, &[0]);
    let sigmoid = others[5].push(Op::Sigmoid {}, &[0]);
    others[5].push(Op::Mul { scalar: None }, &[0, sigmoid]);
    for (which, case) in cases.iter_mut().enumerate() {
        let last = case.slots() - 1;
        case.push(Op::Relu {}, &[last]);
        let image = case.images().remove(0);
        for at in 0..image.len() {
            let mut image = image.clone();
            image[at] = f32::NAN;
            for found in outputs(case, &image) {
                let channel = at / 12 * found.len() / 16;
                let seen = found[channel..channel + found.len() / 16].iter().any(|value| value.is_nan());
                assert!(seen, "the NaN at {at} is lost, case {which}");
            }
        }
    }
}

/// The greatest element of a window is infinite if one of it is, so is a sum, and an activation is what its formula gives.
#[test]
fn infinities_stay_what_they_are() {
    let right = |op: &Op, x: f32| single(op, f64::from(x)) as f32;
    for op in &ACTIVATIONS {
        let mut case = Case::new(3, &[[1, 1, 2]], 1);
        case.push(op.clone(), &[0]);
        let values = [f32::INFINITY, f32::NEG_INFINITY];
        for found in outputs(&case, &values) {
            for (x, found) in values.iter().zip(found) {
                let right = right(op, *x);
                let same = found == right || (found - right).abs() < 1e-35;
                // Infinity times zero has no value; NaN, infinity and the limit, zero, are accepted.
                assert!(
                    same || right.is_nan() && (!found.is_finite() || found.abs() < 1e-35),
                    "{op:?} of {x}: {found}, expected {right}"
                );
            }
        }
    }
    let mut case = Case::new(4, &[[5, 4, 4]], 1);
    let window = ([2, 2], [2, 2], [0; 4]);
    let (kernel, stride, padding) = window;
    let max = case.push(Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false }, &[0]);
    case.push(Op::GlobalAvgPool {}, &[max]);
    let mut image = case.images().remove(0);
    image[3] = f32::INFINITY;
    image[20] = f32::NEG_INFINITY;
    for found in outputs(&case, &image) {
        assert_eq!(found[0], f32::INFINITY);
        assert!(found[1..].iter().all(|value| value.is_finite()));
    }
}
