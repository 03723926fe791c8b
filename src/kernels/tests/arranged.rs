//! Products, softmax and movements of tensors of any rank, as plain loops over arrays in double precision.

use super::case::{Case, id, node};
use super::reference::{Tensor, single};
use crate::card::Op;
use crate::plan::Parameters;
use crate::shapes::after;

impl Case {
    /// Adds an operation on arrays of any rank whose last axis is that of the channels; returns its slot.
    pub(super) fn arrange(&mut self, op: Op, reads: &[usize]) -> usize {
        let shapes = self.arrays_of(reads);
        let shape = after(&op, &shapes.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[]).unwrap();
        let slot = self.slots();
        let form = form(&shape);
        let of = |image: usize| {
            let arrays: Vec<Vec<f64>> =
                reads.iter().map(|read| self.array(&self.tensors[*read][image])).collect();
            self.in_form(form, &compute(&op, &shapes, &arrays))
        };
        let tensors: Vec<Tensor> = (0..self.batch).map(of).collect();
        self.tensors.push(tensors);
        self.nodes.push(node(op, reads));
        self.parameters.push(Parameters::new());
        self.arrays.insert(slot, shape);
        slot
    }

    /// Adds a sum or product with stored numbers of this shape; returns its slot.
    pub(super) fn with_stored(&mut self, op: Op, x: usize, stored: &[usize]) -> usize {
        let shape = self.arrays_of(&[x]).remove(0);
        let values = self.dice.values(stored.iter().product());
        let slot = self.arrange(Op::Mul { scalar: Some(1.0) }, &[x]);
        for image in 0..self.batch {
            let array = self.array(&self.tensors[x][image]);
            let other = broadcast(&shape, &values, stored);
            let one =
                |(x, other): (&f64, f64)| if matches!(op, Op::Mul { .. }) { x * other } else { x + other };
            let found: Vec<f64> = array.iter().zip(other).map(one).collect();
            self.tensors[slot][image] = self.tensor(slot, &found);
        }
        let last = self.nodes.len() - 1;
        self.nodes[last].op = op;
        self.parameters[last].insert("other".to_owned(), (values, stored.to_vec()));
        slot
    }

    /// Removes the operation that was added last.
    pub(super) fn pop(&mut self) {
        self.tensors.pop();
        self.nodes.pop();
        self.parameters.pop();
        self.arrays.remove(&self.tensors.len());
    }

    /// The shapes of the arrays of these slots, for one image.
    pub(super) fn arrays_of(&self, slots: &[usize]) -> Vec<Vec<usize>> {
        let shapes = self.shapes();
        slots.iter().map(|slot| shapes.array(id(*slot), 1)).collect()
    }

    /// The gradients of what an operation reads; `None` for one that was not arranged.
    pub(super) fn pulled(&self, at: usize, image: usize, gradient: &Tensor) -> Option<Vec<Tensor>> {
        let (op, slot) = (&self.nodes[at].op, self.inputs + at);
        if !self.arrays.contains_key(&slot) {
            return None;
        }
        let reads: Vec<usize> =
            self.nodes[at].inputs.iter().map(|id| id.node().map_or(0, |at| at + 1)).collect();
        let arrays: Vec<Vec<f64>> =
            reads.iter().map(|read| self.array(&self.tensors[*read][image])).collect();
        if let Some((values, stored)) = self.parameters[at].get("other") {
            let factors = broadcast(&self.arrays[&slot], values, stored);
            let factor = |other: f64| if matches!(op, Op::Mul { .. }) { other } else { 1.0 };
            let pairs = self.array(gradient).into_iter().zip(factors);
            let part: Vec<f64> = pairs.map(|(value, other)| value * factor(other)).collect();
            return Some(vec![self.tensor(reads[0], &part)]);
        }
        let output = self.array(&self.tensors[slot][image]);
        let parts = pull(op, &self.arrays_of(&reads), &arrays, (&output, &self.array(gradient)));
        Some(reads.iter().zip(parts).map(|(read, part)| self.tensor(*read, &part)).collect())
    }
}

/// Stored numbers for every element of an array of a shape, whose last axes are theirs.
fn broadcast(shape: &[usize], values: &[f32], stored: &[usize]) -> Vec<f64> {
    let of = |at: usize| {
        let own = &coordinates(at, shape)[shape.len() - stored.len()..];
        let place = own.iter().zip(stored).fold(0, |sum, (at, side)| sum * side + at % side);
        f64::from(values[place])
    };
    (0..shape.iter().product()).map(of).collect()
}

/// Channels, rows and columns of an array with the channels last.
fn form(shape: &[usize]) -> [usize; 3] {
    let [1, rows @ .., columns, channels] = shape else { panic!("{shape:?}") };
    [*channels, rows.iter().product(), *columns]
}

/// For each element of the output the input and the element there that it is; `None` for what computes.
fn sources(op: &Op, shapes: &[Vec<usize>]) -> Option<Vec<[usize; 2]>> {
    let shape = &shapes[0];
    let all = || 0..shape.iter().product::<usize>();
    let kept = |axis: usize, keeps: &dyn Fn(usize) -> bool| {
        Some(all().filter(|at| keeps(coordinates(*at, shape)[axis])).map(|at| [0, at]).collect())
    };
    match op {
        Op::Reshape { .. } => Some(all().map(|at| [0, at]).collect()),
        Op::Transpose { perm } => {
            let turned: Vec<usize> = perm.iter().map(|axis| shape[*axis]).collect();
            let source = |at: usize| {
                let mut from = vec![0; shape.len()];
                perm.iter().zip(coordinates(at, &turned)).for_each(|(axis, at)| from[*axis] = at);
                [0, from.iter().zip(shape).fold(0, |sum, (at, side)| sum * side + at)]
            };
            Some(all().map(source).collect())
        }
        Op::Gather { axis, indices } => kept(*axis, &|at| indices == &[at]),
        Op::Slice { axis, start, end, step } => {
            kept(*axis, &|at| (*start..*end).contains(&at) && (at - start).is_multiple_of(*step))
        }
        Op::Split { axis, sizes, part } => {
            let start: usize = sizes[..*part].iter().sum();
            kept(*axis, &|at| (start..start + sizes[*part]).contains(&at))
        }
        Op::Concat { axis, .. } => {
            let inner = |shape: &[usize]| shape[*axis..].iter().product::<usize>();
            let part = |outer: usize| {
                let of = move |(input, shape): (usize, &Vec<usize>)| {
                    let count = inner(shape);
                    (outer * count..(outer + 1) * count).map(move |at| [input, at])
                };
                shapes.iter().enumerate().flat_map(of)
            };
            Some((0..shape[..*axis].iter().product()).flat_map(part).collect())
        }
        _ => None,
    }
}

fn coordinates(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for side in shape.iter().rev() {
        found.insert(0, at % side);
        at /= side;
    }
    found
}

fn compute(op: &Op, shapes: &[Vec<usize>], arrays: &[Vec<f64>]) -> Vec<f64> {
    if let Some(sources) = sources(op, shapes) {
        return sources.iter().map(|[input, at]| arrays[*input][*at]).collect();
    }
    let last = shapes[0][shapes[0].len() - 1];
    match op {
        Op::Softmax { .. } => arrays[0].chunks(last).flat_map(softmax).collect(),
        Op::Matmul {} => {
            let [_, inner, columns] = sides(shapes);
            let rows = arrays[0].len() / inner;
            let of = |at: usize| {
                let (row, column) = (at / columns, at % columns);
                let second = &arrays[1][row / sides(shapes)[0] * inner * columns..];
                (0..inner).map(|k| arrays[0][row * inner + k] * second[k * columns + column]).sum()
            };
            (0..rows * columns).map(of).collect()
        }
        op => arrays[0].iter().map(|value| single(op, *value)).collect(),
    }
}

/// Rows of the first matrix, its columns, columns of the second.
fn sides(shapes: &[Vec<usize>]) -> [usize; 3] {
    let ([.., rows, inner], [.., columns]) = (&shapes[0][..], &shapes[1][..]) else { panic!("{shapes:?}") };
    [*rows, *inner, *columns]
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = row.iter().map(|value| (value - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn pull(
    op: &Op,
    shapes: &[Vec<usize>],
    arrays: &[Vec<f64>],
    (output, gradient): (&[f64], &[f64]),
) -> Vec<Vec<f64>> {
    let mut parts: Vec<Vec<f64>> = arrays.iter().map(|array| vec![0.0; array.len()]).collect();
    if let Some(sources) = sources(op, shapes) {
        sources.iter().zip(gradient).for_each(|([input, at], value)| parts[*input][*at] += value);
        return parts;
    }
    match op {
        Op::Softmax { .. } => {
            let last = shapes[0][shapes[0].len() - 1];
            for row in (0..output.len()).step_by(last).map(|at| at..at + last) {
                let mean: f64 = row.clone().map(|at| output[at] * gradient[at]).sum();
                row.for_each(|at| parts[0][at] = output[at] * (gradient[at] - mean));
            }
        }
        Op::Mul { scalar: Some(factor) } => parts[0] = gradient.iter().map(|value| value * factor).collect(),
        _ => {
            let [rows, inner, columns] = sides(shapes);
            for (at, value) in gradient.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                for k in 0..inner {
                    let other = (row / rows * inner + k) * columns + column;
                    parts[0][row * inner + k] += value * arrays[1][other];
                    parts[1][other] += value * arrays[0][row * inner + k];
                }
            }
        }
    }
    parts
}
