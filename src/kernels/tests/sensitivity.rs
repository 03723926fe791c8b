//! How far rounded factors of convolutions can reach: what results in bf16 and int8 are measured by.
//!
//! Receives a graph with its right tensors; gives a number for each of them, by error propagation of first order. Compares nothing itself.

use super::case::Case;
use super::reference::Tensor;
use crate::card::Op;
use crate::plan::Parameters;

/// By slot: what to multiply the share with by which factors are off, for the greatest error of the tensor.
///
/// The greatest value of the tensor itself is no measure. Factors are rounded by the range of what a convolution reads, and its error stays as it is
/// where a clip behind it takes away most of the range, a difference cancels, or a product with small numbers follows. So each convolution adds an
/// error in the range of what it reads, and what comes behind multiplies it by its slope. The slope of a convolution is the Euclidean norm of its
/// greatest filter: roundings of many elements do not all point one way.
pub(super) fn sensitivities(case: &Case) -> Vec<f64> {
    let ranges: Vec<f64> = case.tensors.iter().map(|images| greatest(images)).collect();
    let mut found = vec![0.0; case.inputs];
    for (node, parameters) in case.nodes.iter().zip(&case.parameters) {
        let slots: Vec<usize> = node.inputs.iter().map(|id| id.node().map_or(0, |node| node + 1)).collect();
        let sensitivity = match (&node.op, &slots[..]) {
            (Op::Conv2d { .. }, [x]) => norm(parameters) * (found[*x] + ranges[*x]),
            (Op::Add { scalar: None }, [a, b]) => found[*a] + found[*b],
            (Op::Mul { scalar: None }, [a, b]) => found[*a] * ranges[*b] + ranges[*a] * found[*b],
            (op, slots) => slope(op, parameters) * slots.iter().fold(0.0, |most: f64, x| most.max(found[*x])),
        };
        found.push(sensitivity);
    }
    found
}

fn greatest(images: &[Tensor]) -> f64 {
    images.iter().flat_map(|image| &image.values).fold(0.0, |greatest, value| greatest.max(value.abs()))
}

/// The Euclidean norm of the greatest filter.
fn norm(parameters: &Parameters) -> f64 {
    let (weight, shape) = &parameters["weight"];
    let filters = weight.chunks(shape[1..].iter().product());
    let squares = filters.map(|filter| filter.iter().map(|weight| f64::from(*weight).powi(2)).sum::<f64>());
    squares.fold(0.0, f64::max).sqrt()
}

/// The steepest slope of what reads one element, or moves elements.
fn slope(op: &Op, parameters: &Parameters) -> f64 {
    match op {
        Op::BatchNorm { .. } => {
            parameters["scale"].0.iter().fold(0.0, |most, scale| most.max(f64::from(scale.abs())))
        }
        Op::Mul { scalar: Some(scalar) } => scalar.abs(),
        Op::Div { scalar: Some(scalar) } => 1.0 / scalar.abs(),
        Op::Sigmoid {} => 0.25,
        Op::Silu {} | Op::Gelu { .. } => 1.13,
        Op::HardSwish {} => 1.5,
        Op::HardSigmoid { alpha, .. } => alpha.abs(),
        _ => 1.0,
    }
}
