//! Convolutions in bf16. With values that bf16 has they are as exact as in single precision, since the product of two of them
//! fits in a single; with others they are as if these had been rounded before.

use half::bf16;
use proptest::prelude::*;

use super::case::{Case, same_bits};
use super::operations::convolution;
use crate::card::Op;
use crate::plan::{Kernel, Parameters};
use crate::{Arithmetic, Isa, Precision, Workspace};

/// The kernels in bf16, if this CPU has them.
fn available() -> Option<Arithmetic> {
    let all = Isa::ALL.iter().map(|isa| Arithmetic { isa: *isa, precision: Precision::Bf16 });
    all.into_iter().find(|arithmetic| arithmetic.is_available())
}

fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| bf16::from_f32(*value).to_f32()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_that_bf16_has_are_summed_exactly(
        convolution in convolution(), seed in any::<u64>(), batch in 1..7_usize
    ) {
        let mut case = Case::rounded(seed, &[convolution.input()], batch);
        let wanted = convolution.add_to(&mut case);
        if let Some(arithmetic) = available().filter(|arithmetic| case.known(arithmetic.isa)) {
            case.check_on(arithmetic, &wanted);
        }
    }

    #[test]
    fn other_values_are_rounded_to_nearest(
        channels in (prop_oneof![16..70_usize, Just(32)], 1..50_usize), side in [1..20_usize, 1..20_usize],
        stride in 1..3_usize, seed in any::<u64>(),
    ) {
        let Some(arithmetic) = available() else { return Ok(()) };
        let mut case = Case::new(seed, &[[channels.0, side[0], side[1]]], 1);
        let op = Op::Conv2d { stride: [stride; 2], padding: [0; 4], dilation: [1, 1], groups: 1 };
        let last = case.convolve(op, 0, channels.1, [1, 1], true);
        let plan = case.plan(arithmetic, &[last]).unwrap();
        let run = |image: &[f32], load: &dyn Fn(usize) -> crate::error::Result<Parameters>| {
            plan.run(&plan.pack(load).unwrap(), &Workspace::default(), &[image], 1, 1)
        };
        let image = case.images().remove(0);
        let before = |at: usize| {
            let mut parameters = case.load(at)?;
            if let Some((weight, _)) = parameters.get_mut("weight") {
                *weight = rounded(weight);
            }
            Ok(parameters)
        };
        same_bits(&run(&image, &|at| case.load(at)), &run(&rounded(&image), &before), "rounded before");
    }
}

#[test]
fn three_by_three_stays_winograd_and_the_rest_is_rounded() {
    let Some(arithmetic) = available() else { return };
    let mut case = Case::new(1, &[[32, 20, 20]], 1);
    let op =
        |stride: usize, groups| Op::Conv2d { stride: [stride; 2], padding: [1; 4], dilation: [1, 1], groups };
    let first = case.convolve(op(1, 1), 0, 32, [3, 3], true);
    let second = case.convolve(op(2, 1), first, 32, [3, 3], true);
    let third = case.convolve(op(1, 32), second, 32, [3, 3], true);
    let last = case.convolve(op(1, 1), third, 32, [1, 1], true);
    let plan = case.plan(arithmetic, &[last]).unwrap();
    assert!(
        matches!(
            plan.kernels[..],
            [Kernel::Winograd(_), Kernel::ConvBf16(_), Kernel::Depthwise(_), Kernel::ConvBf16(_)]
        ),
        "{:?}",
        plan.kernels
    );
}

#[test]
fn what_is_not_finite_stays_visible_in_bf16() {
    let Some(arithmetic) = available() else { return };
    let mut case = Case::new(2, &[[17, 3, 4]], 1);
    let op = Op::Conv2d { stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups: 1 };
    let last = case.convolve(op, 0, 16, [3, 3], true);
    let plan = case.plan(arithmetic, &[last]).unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in 0..17 * 12 {
            let mut image = case.images().remove(0);
            image[at] = value;
            let found = plan.run_once(&|at| case.load(at), &[&image], 1).unwrap().remove(0);
            assert!(found.iter().any(|found| !found.is_finite()), "{value} at {at} is lost");
        }
    }
}

#[test]
fn a_plan_refuses_bf16_where_the_instructions_are_missing() {
    let mut case = Case::new(3, &[[16, 3, 4]], 1);
    let last = case.push(Op::Relu {}, &[0]);
    let portable = Arithmetic { isa: Isa::Portable, precision: Precision::Bf16 };
    let error = case.plan(portable, &[last]).unwrap_err().to_string();
    assert!(error.contains("Bf16"), "{error}");
}
