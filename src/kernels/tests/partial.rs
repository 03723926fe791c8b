//! Copies that differ from a picture in a rectangle: the bits of whole passes.

use proptest::prelude::*;

use super::case::{Case, Dice, available, id, same_bits};
use super::graphs::graph;
use crate::card::{Op, ValueId};
use crate::plan::Draft;
use crate::{Isa, PartialPlan, Region, Workspace};

/// Rectangles of at most these sides in a picture, the first ones in its corners.
fn regions(dice: &mut Dice, [height, width]: [usize; 2], extent: [usize; 2], count: usize) -> Vec<Region> {
    let extent = [extent[0].clamp(1, height), extent[1].clamp(1, width)];
    let mut below = |most: usize| (((dice.value() + 1.0) / 2.0 * most as f32) as usize).min(most - 1);
    let region = |at: usize| {
        let mut start = [below(height - extent[0] + 1), below(width - extent[1] + 1)];
        if at < 2 {
            start = [at * (height - extent[0]), at * (width - extent[1])];
        }
        [0, 1].map(|axis| start[axis]..start[axis] + extent[axis])
    };
    (0..count).map(region).collect()
}

/// The first image with other pixels in a region.
fn copy(
    dice: &mut Dice,
    image: &[f32],
    [_, height, width]: [usize; 3],
    [rows, columns]: &Region,
) -> Vec<f32> {
    let mut copy = image.to_vec();
    for plane in copy.chunks_mut(height * width) {
        for y in rows.clone() {
            plane[y * width..][columns.clone()].fill_with(|| dice.value());
        }
    }
    copy
}

/// Whether any kernels computed a part.
fn check_on(case: &Case, isa: Isa, wanted: &[usize], extent: [usize; 2], most: f64) -> bool {
    let plan = case.plan(isa, wanted).unwrap();
    let weights = plan.pack(&|at| case.load(at)).unwrap();
    let inputs: Vec<ValueId> = (0..case.inputs).map(id).collect();
    let ids: Vec<ValueId> = wanted.iter().copied().map(id).collect();
    let (operations, shapes) = (case.operations(), case.shapes());
    let draft = Draft::new(isa.into(), &operations, &shapes, [&inputs, &ids]).unwrap();
    let Some(partial) = PartialPlan::up_to(most, &draft, extent).unwrap() else { return false };
    let images: Vec<Vec<f32>> =
        case.images().iter().map(|all| all[..all.len() / case.batch].to_vec()).collect();
    let slices: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
    let mut dice = case.dice.clone();
    let shape @ [_, height, width] = case.shape(0);
    let regions = regions(&mut dice, [height, width], extent, 7);
    let copies: Vec<Vec<f32>> =
        regions.iter().map(|region| copy(&mut dice, &images[0], shape, region)).collect();
    let workspace = Workspace::default();
    let original = partial.original(&weights, &workspace, &slices, 2);
    let mut right = vec![Vec::new(); wanted.len()];
    for copy in &copies {
        let inputs: Vec<&[f32]> =
            std::iter::once(copy.as_slice()).chain(slices[1..].iter().copied()).collect();
        let outputs = plan.run(&weights, &workspace, &inputs, 1, 1);
        right.iter_mut().zip(outputs).for_each(|(to, output)| to.extend(output));
    }
    let what = format!("{isa:?}, {extent:?}");
    let found = original.run(&copies.concat(), &regions, 1);
    same_bits(&right, &found, &what);
    // Neither threads nor what went before change a bit.
    same_bits(&found, &original.run(&copies.concat(), &regions, 2), &format!("{what}, 2 threads"));
    for (at, (copy, region)) in copies.iter().zip(&regions).enumerate().rev() {
        let alone = original.run(copy, std::slice::from_ref(region), 1);
        let own: Vec<Vec<f32>> = found
            .iter()
            .map(|all| all[all.len() / copies.len() * at..][..all.len() / copies.len()].to_vec())
            .collect();
        same_bits(&own, &alone, &format!("{what}, copy {at} alone"));
    }
    true
}

fn check(case: &Case, wanted: &[usize], extent: [usize; 2], most: f64) -> bool {
    let known = available().into_iter().filter(|isa| case.known(*isa));
    known.map(|isa| check_on(case, isa, wanted, extent, most)).fold(false, |any, ran| any | ran)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_in_part(case in graph(), wanted in any::<u32>(), extent in [1..5_usize, 1..5_usize]) {
        let last = case.slots() - 1;
        let chosen = (0..last).filter(|slot| wanted >> (2 * slot % 32) & 3 == 3);
        // Up to the end, too: a region may be all of a tensor.
        let most = if wanted.is_multiple_of(2) { 1.0 } else { 0.6 };
        check(&case, &std::iter::once(last).chain(chosen).collect::<Vec<_>>(), extent, most);
    }
}

fn convolution(stride: usize, side: usize, groups: usize) -> Op {
    Op::Conv2d { stride: [stride; 2], padding: [side / 2; 4], dilation: [1, 1], groups }
}

/// A network like those that are explained: its kernels on regions are the tiles of Winograd, too.
fn network(sides: [usize; 2]) -> Case {
    let mut case = Case::new(7, &[[3, sides[0], sides[1]]], 1);
    let stem = case.convolve(convolution(2, 7, 1), 0, 16, [7, 7], true);
    let relu = case.push(Op::Relu {}, &[stem]);
    let pool =
        Op::MaxPool2d { kernel: [3, 3], stride: [2, 2], padding: [1; 4], dilation: [1, 1], ceil_mode: false };
    let mut x = case.push(pool, &[relu]);
    for _ in 0..2 {
        let first = case.convolve(convolution(1, 3, 1), x, 16, [3, 3], true);
        let first = case.push(Op::Relu6 {}, &[first]);
        let second = case.convolve(convolution(1, 3, 16), first, 16, [3, 3], true);
        let third = case.convolve(convolution(1, 1, 1), second, 16, [1, 1], true);
        let sum = case.push(Op::Add { scalar: None }, &[third, x]);
        x = case.push(Op::Relu {}, &[sum]);
    }
    let joined = case.push(Op::Concat { axis: 1, at: 0 }, &[x, x]);
    let down = case.convolve(convolution(2, 3, 1), joined, 24, [3, 3], false);
    let mean = case.push(Op::GlobalAvgPool {}, &[down]);
    case.convolve(convolution(1, 1, 1), mean, 5, [1, 1], true);
    case
}

#[test]
fn a_square_of_a_picture_is_computed_in_part() {
    for sides in [[96, 96], [101, 90], [64, 77]] {
        let case = network(sides);
        let last = case.slots() - 1;
        for extent in [[1, 1], [8, 8], [16, 11], [32, 32]] {
            assert!(check(&case, &[last], extent, 0.6), "{sides:?} {extent:?}: nothing in part");
            assert!(check(&case, &[last, last - 3, 3], extent, 1.0));
        }
        assert!(!check(&case, &[last], sides, 0.6), "a change of everything has no part");
    }
}
