//! Where the elements of a tensor are in another one, whose elements it has in another order or some of.

use super::operation::Shapes;
use crate::card::{Op, ValueId};
use crate::kernels::places::Places;
use crate::shapes::moved;

/// A tensor's extents and how its arrays are ordered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Rows, columns and channels.
    sides: [usize; 3],
    /// From one of each to the next, in an array.
    steps: [usize; 3],
}

impl Form {
    /// Of a tensor that kernels hold.
    pub(crate) fn of(id: ValueId, shapes: &Shapes) -> Option<Self> {
        let [channels, height, width] = *shapes.get(&id)?;
        let steps = if shapes.is_channels_last(id) {
            [width * channels, channels, 1]
        } else {
            [width, 1, height * width]
        };
        Some(Self { sides: [height, width, channels], steps })
    }

    /// Row, column and channel of an element of an array.
    fn place(&self, at: usize) -> [usize; 3] {
        [0, 1, 2].map(|axis| at / self.steps[axis] % self.sides[axis])
    }
}

/// A tensor's elements, in the order of its array, as places in the array of another one: extents of axes and distances along them, the
/// last axis fastest.
#[derive(Debug)]
pub(crate) struct Strides {
    offset: usize,
    axes: Vec<[usize; 2]>,
}

impl Strides {
    /// Of what a movement gives in its input, which has this shape for one image. `None` for other operations.
    pub(crate) fn of(op: &Op, shape: &[usize]) -> Option<Self> {
        moved(op, shape).map(|(offset, axes)| Self { offset, axes })
    }

    /// The first index along an axis of an array of this shape, and how many, where that is all that they leave out.
    pub(crate) fn part(&self, axis: usize, shape: &[usize]) -> Option<[usize; 2]> {
        let distance = |axis: usize| shape[axis + 1..].iter().product::<usize>();
        let is_whole = |at: usize| at == axis || self.axes[at][0] == shape[at];
        let is_part = self.axes.len() == shape.len()
            && (0..shape.len()).all(|at| self.axes[at][1] == distance(at) && is_whole(at));
        is_part.then(|| [self.offset / distance(axis), self.axes[axis][0]])
    }

    /// Of a tensor of this shape that is part of another one from `start` on along an axis, where that has an extent of `whole`.
    pub(crate) fn inside(shape: &[usize], axis: usize, start: usize, whole: usize) -> Self {
        let inner: usize = shape[axis + 1..].iter().product();
        let outer: usize = shape[..axis].iter().product();
        let axes = vec![[outer, whole * inner], [shape[axis] * inner, 1]];
        Self { offset: start * inner, axes }
    }

    /// The coordinate of an element along each axis.
    fn coordinates(&self, mut at: usize) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::with_capacity(self.axes.len());
        for [extent, _] in self.axes.iter().rev() {
            found.push(at % extent);
            at /= extent;
        }
        found.reverse();
        found
    }
}

/// The places of a tensor's elements in another one; `None` where these are no sums for rows, columns and channels.
pub(crate) fn places(tensor: Form, strides: &Strides, other: Form) -> Option<Places> {
    let start = other.place(strides.offset);
    let mut along = vec![0; strides.axes.len()];
    let mut furthest = start;
    let parts = [0, 1, 2].map(|axis| {
        let coordinates = |at| strides.coordinates(at * tensor.steps[axis]);
        let all: Vec<Vec<usize>> = (0..tensor.sides[axis]).map(coordinates).collect();
        let place = |all: &Vec<usize>| {
            other.place(all.iter().zip(&strides.axes).map(|(at, [_, step])| at * step).sum())
        };
        let places: Vec<[usize; 3]> = all.iter().map(place).collect();
        let most = |of: &dyn Fn(usize) -> usize| (0..all.len()).map(of).max().unwrap_or(0);
        (0..along.len()).for_each(|at| along[at] += most(&|each| all[each][at]));
        (0..3).for_each(|at| furthest[at] += most(&|each| places[each][at]));
        places
    });
    // Sums of coordinates that stay within their axes carry nothing over from one axis to the next.
    let adds_up = along.iter().zip(&strides.axes).all(|(most, [extent, _])| most < extent)
        && furthest.iter().zip(&other.sides).all(|(most, side)| most < side);
    let [mut rows, columns, channels] = parts;
    rows.iter_mut().for_each(|row| *row = [0, 1, 2].map(|at| row[at] + start[at]));
    adds_up.then_some(Places { parts: [rows, columns, channels] })
}
