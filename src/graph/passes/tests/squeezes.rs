//! Axes of size 1 around functions of each element.

use super::*;

const REST: [Op; 2] = [Op::Relu {}, Op::Tanh {}];

/// A pooled picture without its row, two functions, and the row again along `axis`.
fn around(axis: usize) -> Vec<Op> {
    joined(|net, x| {
        let pooled = net.op(Op::ReduceMean { axes: vec![2], keep_dims: true }, &[x]);
        let mut steps = net.op(Op::Squeeze { axes: vec![2] }, &[&pooled]);
        for op in REST {
            steps = net.op(op, &[&steps]);
        }
        net.op(Op::Unsqueeze { axes: vec![axis] }, &[&steps])
    })
}

#[test]
fn functions_of_each_element_work_on_the_row_that_was_taken_away_around_them() {
    let pool = Op::ReduceMean { axes: vec![2], keep_dims: true };
    assert_eq!(around(2), [pool, Op::Relu {}, Op::Tanh {}]);
    assert_eq!(around(1).len(), 5, "another axis comes back");
}
