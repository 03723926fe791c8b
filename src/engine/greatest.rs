//! Where the greatest number of each class is among a detector's anchors.
//!
//! Receives outputs, `[rows, anchors]` of each picture; gives indices into them, for numbers and for tensors alike. A maximum has the
//! gradient of the one value that it is.

use burn::tensor::{Int, Tensor, TensorData, activation};

/// Where the greatest number of each class is in one picture's output, the first of equals.
pub(super) fn greatest(output: &[f32], [first, classes, anchors]: [usize; 3], by_share: bool) -> Vec<usize> {
    let start = |class: usize| (first + class) * anchors;
    let of = |class: usize, anchor: usize| f64::from(output[start(class) + anchor]);
    let total = |anchor: usize| {
        let most = (0..classes).map(|class| of(class, anchor)).fold(f64::NEG_INFINITY, f64::max);
        most + (0..classes).map(|class| (of(class, anchor) - most).exp()).sum::<f64>().ln()
    };
    let totals: Vec<f64> = if by_share { (0..anchors).map(total).collect() } else { vec![0.0; anchors] };
    let best = |class: usize| {
        let value = |anchor: usize| of(class, anchor) - totals[anchor];
        let better = |best: usize, at: usize| if value(at) > value(best) { at } else { best };
        start(class) + (0..anchors).fold(0, better)
    };
    (0..classes).map(best).collect()
}

/// Where the numbers of a detector are in the output, `[batch, targets]`: each class's greatest, then those that are `picked`.
pub(super) fn places(
    output: &Tensor<2>,
    [first, classes, anchors]: [usize; 3],
    by_share: bool,
    picked: &[usize],
) -> Tensor<2, Int> {
    let plain = output.clone().inner();
    let device = plain.device();
    let [batch, _] = plain.dims();
    let rows = plain.narrow(1, first * anchors, classes * anchors).reshape([batch, classes, anchors]);
    let rows = if by_share { activation::log_softmax(rows, 1) } else { rows };
    let starts: Vec<i64> = (0..classes).map(|class| ((first + class) * anchors) as i64).collect();
    let starts = Tensor::<1, Int>::from_data(TensorData::new(starts, [classes]), &device);
    let greatest = rows.argmax(2).reshape([batch, classes]) + starts.reshape([1, classes]);
    if picked.is_empty() {
        return greatest;
    }
    let single: Vec<i64> = picked.iter().map(|at| *at as i64).collect();
    let count = single.len();
    let single = Tensor::<1, Int>::from_data(TensorData::new(single, [count]), &device);
    Tensor::cat(vec![greatest, single.reshape([1, count]).repeat_dim(0, batch)], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceName;

    #[test]
    fn a_class_among_others_is_taken_where_it_is_most_sure() {
        // At the second anchor both logits are greater, and the first class less sure.
        let output = vec![2.0, 3.0, -1.0, 5.0];
        assert_eq!(greatest(&output, [0, 2, 2], true), [0, 3]);
        assert_eq!(greatest(&output, [0, 2, 2], false), [1, 3]);
        let device = "flex".parse::<DeviceName>().unwrap().open().unwrap();
        let tensor: Tensor<2> = Tensor::from_data(TensorData::new(output, [1, 4]), &device);
        for by_share in [true, false] {
            let found = places(&tensor, [0, 2, 2], by_share, &[2]).into_data().convert::<i64>();
            let found = found.try_to_vec::<i64>().unwrap();
            assert_eq!(found, if by_share { [0, 3, 2] } else { [1, 3, 2] });
        }
    }
}
