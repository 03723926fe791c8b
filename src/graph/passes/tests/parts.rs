//! Slices of joined tensors.

use super::*;

const JOIN: Op = Op::Concat { axis: 1, at: 0 };

#[test]
fn the_last_of_stacked_outputs_is_read_without_the_stack() {
    let stacked = joined(|net, x| {
        let outputs = [Op::Relu {}, Op::Tanh {}].map(|op| net.op(op, &[x]));
        let rows = outputs.map(|output| net.op(Op::Unsqueeze { axes: vec![1] }, &[&output]));
        let stack = net.op(JOIN, &[&rows[0], &rows[1]]);
        let last = net.op(Op::Slice { axis: 1, start: 1, end: 2, step: 1 }, &[&stack]);
        net.op(Op::Squeeze { axes: vec![1] }, &[&last])
    });
    assert_eq!(stacked, [Op::Tanh {}]);
}

#[test]
fn a_slice_of_what_is_joined_but_not_stacked_stays() {
    for (start, end) in [(0, 7), (1, 6), (6, 13), (6, 12)] {
        let slice = Op::Slice { axis: 1, start, end, step: 1 };
        let kept = joined(|net, x| {
            let [a, b, c] = [Op::Relu {}, Op::Tanh {}, Op::Abs {}].map(|op| net.op(op, &[x]));
            let join = net.op(JOIN, &[&a, &b, &c]);
            net.op(slice.clone(), &[&join])
        });
        assert_eq!(kept.last(), Some(&slice));
        assert!(kept.contains(&JOIN));
    }
}
