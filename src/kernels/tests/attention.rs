//! Attention and what moves tokens to it: products of computed tensors, softmax, reshapes, axes in another order, slices, joins.

use proptest::prelude::*;

use super::case::{Case, available};
use super::pass;
use crate::card::Op;
use crate::{Operation, knows};

/// Tokens of an image, in windows or in none.
fn tokens(seed: u64, tokens: usize, features: usize, batch: usize) -> Case {
    let mut case = Case::new(seed, &[[features, 1, tokens]], batch);
    case.channels_last = 3;
    case
}

fn reshape(case: &mut Case, x: usize, shape: &[usize]) -> usize {
    let shape = std::iter::once(0).chain(shape.iter().map(|side| *side as i64)).collect();
    case.arrange(Op::Reshape { shape }, &[x])
}

fn transpose(case: &mut Case, x: usize, perm: &[usize]) -> usize {
    case.arrange(Op::Transpose { perm: perm.to_vec() }, &[x])
}

/// Attention of tokens with this many heads of this width, as libraries write it; returns the softmax and the output.
fn attention(case: &mut Case, x: usize, [heads, width]: [usize; 2]) -> [usize; 2] {
    let count = case.shape(x)[2];
    let joined = case.linear(x, 3 * heads * width, true);
    let [query, key, value] = [0, 1, 2].map(|part| {
        let range = part * heads * width..(part + 1) * heads * width;
        let op = Op::Slice { axis: 2, start: range.start, end: range.end, step: 1 };
        let x = case.arrange(op, &[joined]);
        let x = reshape(case, x, &[count, heads, width]);
        transpose(case, x, &[0, 2, 1, 3])
    });
    let query = case.arrange(Op::Mul { scalar: Some(0.5) }, &[query]);
    let key = transpose(case, key, &[0, 1, 3, 2]);
    let scores = case.arrange(Op::Matmul {}, &[query, key]);
    let weights = case.arrange(Op::Softmax { axis: 3 }, &[scores]);
    let x = case.arrange(Op::Matmul {}, &[weights, value]);
    let x = transpose(case, x, &[0, 2, 1, 3]);
    [weights, reshape(case, x, &[count, heads * width])]
}

/// As [`Case::check_known`], and backward.
fn check(case: &Case, last: usize, inner: &[usize]) {
    case.check_known(&[&[last], inner].concat());
    pass::check(case, &[last], &[&[0], inner].concat());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attention_of_any_size(
        count in 1..40_usize, heads in 1..4_usize, width in prop_oneof![1..40_usize, Just(16), Just(32)],
        batch in 1..4_usize, seed in any::<u64>(),
    ) {
        let mut case = tokens(seed, count.max(2), 12, batch);
        let [weights, last] = attention(&mut case, 0, [heads, width]);
        check(&case, last, &[weights]);
    }

    #[test]
    fn products_of_any_size(
        [rows, inner, columns] in [1..40_usize, 1..40_usize, 1..70_usize], turned in any::<[bool; 2]>(),
        heads in 2..4_usize, batch in 1..4_usize, seed in any::<u64>(),
    ) {
        let sides = [[rows, inner], [inner, columns]];
        let stored = [0, 1].map(|at| if turned[at] { [sides[at][1], sides[at][0]] } else { sides[at] });
        let mut case = Case::new(seed, &stored.map(|[rows, columns]| [columns, heads, rows]), batch);
        case.channels_last = 4;
        let factors = [0, 1].map(|at| if turned[at] { transpose(&mut case, at, &[0, 1, 3, 2]) } else { at });
        let last = case.arrange(Op::Matmul {}, &factors);
        case.check_known(&[last]);
        pass::check(&case, &[last], &[0, 1]);
        // A factor that is wanted, too, or whose gradient is.
        case.check_known(&[last, factors[0], factors[1]]);
        pass::check(&case, &[last], &[0, factors[1], 1]);
    }

    #[test]
    fn softmax_of_any_size(
        shape in [1..90_usize, 1..4_usize, 2..30_usize], scale in 0.1..60.0_f64, batch in 1..4_usize, seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[shape], batch);
        case.channels_last = 4;
        let x = case.push(Op::Mul { scalar: Some(scale) }, &[0]);
        let last = case.arrange(Op::Softmax { axis: 3 }, &[x]);
        case.check_known(&[last]);
        pass::check(&case, &[last], &[x]);
    }

    #[test]
    fn slices_and_joins_along_any_axis(
        shape in [2..40_usize, 2..6_usize, 2..12_usize], axis in 1..4_usize, step in 1..3_usize,
        cut in any::<usize>(), batch in 1..4_usize, seed in any::<u64>(),
    ) {
        let mut case = Case::new(seed, &[shape], batch);
        case.channels_last = 4;
        let side = [shape[1], shape[2], shape[0]][axis - 1];
        let cut = 1 + cut % (side - 1);
        let end = case.arrange(Op::Slice { axis, start: cut, end: side, step }, &[0]);
        let start = case.arrange(Op::Split { axis, sizes: vec![cut, side - cut], part: 0 }, &[0]);
        let last = case.arrange(Op::Concat { axis, at: 0 }, &[end, start, end]);
        check(&case, last, &[start]);
    }
}

/// Windows that are shifted, as in Swin transformers: the map is rolled, taken apart, attended to in each window, and put together again.
#[test]
fn attention_in_shifted_windows() {
    let (side, windows, features, heads) = (3, [2, 2], 20, 2);
    let sides = windows.map(|count| count * side);
    let mut case = Case::new(21, &[[features, sides[0], sides[1]]], 2);
    case.channels_last = 4;
    let mut x = 0;
    for axis in [1, 2] {
        let end = case.arrange(Op::Slice { axis, start: 1, end: sides[axis - 1], step: 1 }, &[x]);
        let start = case.arrange(Op::Slice { axis, start: 0, end: 1, step: 1 }, &[x]);
        x = case.arrange(Op::Concat { axis, at: 0 }, &[end, start]);
    }
    let apart = [windows[0], side, windows[1], side, features];
    x = reshape(&mut case, x, &apart);
    x = transpose(&mut case, x, &[0, 1, 3, 2, 4, 5]);
    let (count, cells) = (windows[0] * windows[1], side * side);
    let inside = reshape(&mut case, x, &[count, cells, features]);
    let per_head = reshape(&mut case, inside, &[count, cells, heads, features / heads]);
    let query = transpose(&mut case, per_head, &[0, 1, 3, 2, 4]);
    let key = transpose(&mut case, query, &[0, 1, 2, 4, 3]);
    let scores = case.arrange(Op::Matmul {}, &[query, key]);
    let weights = case.arrange(Op::Softmax { axis: 4 }, &[scores]);
    x = case.arrange(Op::Matmul {}, &[weights, query]);
    x = transpose(&mut case, x, &[0, 1, 3, 2, 4]);
    x = reshape(&mut case, x, &[windows[0], windows[1], side, side, features]);
    x = transpose(&mut case, x, &[0, 1, 3, 2, 4, 5]);
    let last = reshape(&mut case, x, &[sides[0], sides[1], features]);
    check(&case, last, &[inside, weights]);
}

/// What Swin adds to scores: a bias for each head, and a mask for each window; and what its second version multiplies with.
#[test]
fn stored_operands_broadcast() {
    for stored in [&[3, 5, 7][..], &[2, 1, 5, 7], &[3, 1, 1], &[7], &[5, 7], &[2, 3, 5, 7], &[1, 5, 1]] {
        let mut case = Case::new(25, &[[7, 6, 5]], 2);
        case.channels_last = 4;
        let x = reshape(&mut case, 0, &[2, 3, 5, 7]);
        let sum = case.with_stored(Op::Add { scalar: None }, x, stored);
        let last = case.with_stored(Op::Mul { scalar: None }, sum, stored);
        check(&case, last, &[sum]);
    }
    // Tokens and their positions; a bias of channels that no register holds whole.
    for stored in [&[9, 35][..], &[35]] {
        let mut case = tokens(26, 9, 35, 2);
        let last = case.with_stored(Op::Add { scalar: None }, 0, stored);
        check(&case, last, &[]);
    }
}

/// Scores that a mask sinks so far that nothing of them is left, and scores so large that their powers overflow.
#[test]
fn masked_and_large_scores() {
    let mut case = Case::new(22, &[[35, 2, 7]], 2);
    case.channels_last = 4;
    for image in &mut case.tensors[0] {
        for (at, value) in image.values.iter_mut().enumerate() {
            *value = if at % 3 == 0 { -100.0 } else { 90.0 * *value };
        }
    }
    let last = case.arrange(Op::Softmax { axis: 3 }, &[0]);
    check(&case, last, &[]);
}

/// A transformer of two blocks, the way back through both.
#[test]
fn blocks_of_a_transformer_forward_and_backward() {
    let mut case = tokens(23, 17, 24, 3);
    let mut x = 0;
    for _ in 0..2 {
        let norm = case.layer_norm(x, 0.1);
        let [_, inner] = attention(&mut case, norm, [3, 8]);
        let inner = case.linear(inner, 24, true);
        let sum = case.push(Op::Add { scalar: None }, &[inner, x]);
        let norm = case.layer_norm(sum, 0.1);
        let wide = case.linear(norm, 48, true);
        let wide = case.push(Op::Gelu { approximate: false }, &[wide]);
        let inner = case.linear(wide, 24, true);
        x = case.push(Op::Add { scalar: None }, &[sum, inner]);
    }
    let class = case.arrange(Op::Slice { axis: 1, start: 0, end: 1, step: 1 }, &[x]);
    check(&case, class, &[x]);
}

/// A reshape that takes the batch into an axis with others is another one for each number of images.
#[test]
fn a_reshape_of_the_batch_is_not_known() {
    let mut case = tokens(24, 6, 4, 1);
    case.arrange(Op::Reshape { shape: vec![1, -1, 4] }, &[0]);
    let operation: &Operation<'_> = &case.operations()[0];
    assert!(available().iter().all(|isa| !knows(*isa, operation, &case.shapes())[0]));
}
