//! Rearrangements of seven axes that need six, and fewer.

use super::*;
use crate::shapes;

/// The shapes and operations of a rearrangement of a picture of `[6, 4, 4]`.
fn rearranged(apart: &[i64], perm: &[usize], together: &[i64]) -> (Vec<Op>, Vec<usize>) {
    let mut net = Net::new();
    let x = net.input.clone();
    let x = net.op(Op::Reshape { shape: apart.to_vec() }, &[&x]);
    let x = net.op(Op::Transpose { perm: perm.to_vec() }, &[&x]);
    let y = net.op(Op::Reshape { shape: together.to_vec() }, &[&x]);
    let draft = net.end(&y);
    let shape = draft.output().map(|id| draft.shape(id).to_vec());
    (ops(&draft), shape.unwrap_or_default())
}

fn reshape(shape: &[i64]) -> Op {
    Op::Reshape { shape: shape.to_vec() }
}

#[test]
fn axes_that_a_transpose_leaves_side_by_side_are_one_for_it() {
    // Two heads of three channels, windows of 2 x 2: the heads and their channels stay where they are.
    let (ops, shape) = rearranged(&[-1, 2, 3, 2, 2, 2, 2], &[0, 1, 2, 4, 6, 3, 5], &[0, 2, 3, 4, 4]);
    let perm = vec![0, 2, 4, 1, 3];
    assert_eq!(ops, [reshape(&[-1, 2, 2, 2, 2]), Op::Transpose { perm }, reshape(&[-1, 2, 3, 4, 4])]);
    assert_eq!(shape, [1, 2, 3, 4, 4]);
}

#[test]
fn axes_of_size_one_do_not_count() {
    let (ops, _) = rearranged(&[0, 6, 1, 2, 2, 1, 4], &[0, 2, 5, 3, 1, 4, 6], &[-1, 2, 6, 8]);
    let perm = vec![0, 2, 1, 3];
    assert_eq!(ops, [reshape(&[-1, 6, 2, 8]), Op::Transpose { perm }, reshape(&[-1, 2, 6, 8])]);
}

#[test]
fn what_needs_seven_axes_is_left_for_the_refusal() {
    let (apart, perm) = ([-1, 3, 2, 2, 2, 2, 2], vec![0, 6, 5, 4, 3, 2, 1]);
    let (ops, _) = rearranged(&apart, &perm, &[-1, 96]);
    assert_eq!(ops, [reshape(&apart), Op::Transpose { perm }, reshape(&[-1, 96])]);
    let mut net = Net::new();
    let x = net.input.clone();
    let y = net.op(reshape(&apart), &[&x]);
    let draft = net.end(&y);
    let graph = draft.finish(&["view".into()], |node, role, _| format!("{node}.{role}")).unwrap().graph;
    let refused = shapes::infer(&graph, &Default::default()).unwrap_err().to_string();
    assert!(
        refused.contains("node 'view' (reshape): its output [1, 3, 2, 2, 2, 2, 2] has rank 7"),
        "{refused}"
    );
}
