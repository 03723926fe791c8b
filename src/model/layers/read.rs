//! The part of each tensor that the scores read.
//!
//! Receives the graph with its shapes; gives, for each node, a range of indices along every axis. It is a bound: what is outside moves no
//! score, what is inside may move one. Behind the last attention of a transformer it is often the class token alone, and the patches
//! there have gradients of zero.

use std::ops::Range;

use super::Model;
use crate::axes::range_of_part;
use crate::card::{Class, Node, Op, PadMode, ValueId};
use crate::layout::Form;

/// From a range of the output to that of the input.
type Source<'a> = Box<dyn Fn(&Range<usize>) -> Range<usize> + 'a>;

/// One range for each axis.
pub(super) type Part = Vec<Range<usize>>;

impl Model {
    /// Indices of the layers with a grid of several cells of which the scores read some, in order.
    pub(super) fn with_read_cells(&self) -> Vec<usize> {
        self.cells_in(&self.read_parts())
    }

    /// The layers with a grid of several cells of which `parts` hold some.
    pub(super) fn cells_in(&self, parts: &[Option<Part>]) -> Vec<usize> {
        let has_cells = |at: &usize| parts[*at].as_ref().is_some_and(|part| self.is_of_cells(*at, part));
        (0..self.scores).filter(|at| self.has_extent(*at) && has_cells(at)).collect()
    }

    /// Whether a part of a layer has cells of its grid, and not only tokens before them.
    pub(super) fn is_of_cells(&self, at: usize, part: &Part) -> bool {
        !matches!(self.grids[at].map(|grid| grid.form), Some(Form::Tokens { prefix }) if part[1].end <= prefix)
    }

    /// For each node the part of its output that the scores read; `None` where they read nothing.
    pub(super) fn read_parts(&self) -> Vec<Option<Part>> {
        let mut parts: Vec<Option<Part>> = vec![None; self.graph.nodes.len()];
        parts[self.scores] = Some(whole(&self.shapes[self.scores]));
        for index in (0..=self.scores).rev() {
            let Some(part) = parts[index].clone() else { continue };
            for slot in 0..self.graph.nodes[index].inputs.len() {
                let Some(at) = self.graph.nodes[index].inputs[slot].node() else { continue };
                if let Some(read) = self.read_of(index, slot, &part) {
                    parts[at] = Some(match parts[at].take() {
                        Some(known) => known.iter().zip(&read).map(|(a, b)| around(a, b)).collect(),
                        None => read,
                    });
                }
            }
        }
        parts
    }

    /// What a node reads of an input to give `part` of its output; `None` for nothing.
    pub(super) fn read_of(&self, index: usize, slot: usize, part: &Part) -> Option<Part> {
        let node = &self.graph.nodes[index];
        let shape = &self.shapes[node.inputs[slot].node()?];
        if let Some((axis, source)) = self.along_axis(index, slot) {
            let mut read = part.clone();
            let along = source(&part[axis]);
            read[axis] = along.start.min(shape[axis])..along.end.min(shape[axis]);
            return (!read[axis].is_empty()).then_some(read);
        }
        Some(match (&node.op, node.op.class()) {
            (Op::Transpose { perm }, _) => {
                let mut read = whole(shape);
                perm.iter().zip(part).for_each(|(from, range)| read[*from] = range.clone());
                read
            }
            (_, Class::Movement) => reshaped(part, &self.shapes[index], shape),
            (_, Class::Pointwise(_) | Class::Channelwise | Class::Arithmetic | Class::Nothing) => {
                broadcast(part, shape)
            }
            (Op::Linear {} | Op::LayerNorm { .. }, _) => {
                let gamma = node.params.get("gamma").and_then(|name| self.pack.shapes.get(name));
                all_of_last(part, shape, gamma.map_or(1, Vec::len))
            }
            // Rows of the first matrix give rows of the product.
            (_, Class::Product) if slot == 0 && shape.len() == part.len() => all_of_last(part, shape, 1),
            _ => whole(shape),
        })
    }

    /// For operations that only take elements along one axis: that axis, and where a range of the output comes from.
    fn along_axis(&self, index: usize, slot: usize) -> Option<(usize, Source<'_>)> {
        let node = &self.graph.nodes[index];
        match &node.op {
            Op::Slice { axis, start, step, .. } => Some((
                *axis,
                Box::new(move |range: &Range<usize>| {
                    start + range.start * step..start + (range.end - 1) * step + 1
                }),
            )),
            Op::Split { axis, sizes, part } => {
                let before = range_of_part(sizes, *part).start;
                Some((*axis, Box::new(move |range: &Range<usize>| before + range.start..before + range.end)))
            }
            Op::Gather { axis, indices } => {
                let taken = move |range: &Range<usize>| {
                    let taken = indices.get(range.clone()).unwrap_or(indices);
                    let (least, most) = (taken.iter().min(), taken.iter().max());
                    least.copied().unwrap_or(0)..most.map_or(0, |most| most + 1)
                };
                Some((*axis, Box::new(taken)))
            }
            Op::Concat { axis, at } => {
                let before = self.before(node, slot, (*axis, *at), self.shapes[index][*axis]);
                Some((*axis, behind(before)))
            }
            // Rows before the first and after the last are nothing of the input.
            Op::Pad { padding: [top, bottom, 0, 0], mode: PadMode::Constant, .. } if *top + *bottom > 0 => {
                Some((self.shapes[index].len() - 2, behind(*top)))
            }
            _ => None,
        }
    }

    /// Elements along the axis of a join before input number `slot`; a stored part, if there is one, stands before input number `at`.
    fn before(&self, node: &Node, slot: usize, (axis, at): (usize, usize), whole: usize) -> usize {
        let input = &self.graph.input;
        let picture = [1, input.channels, input.height, input.width];
        let size = |id: &ValueId| id.node().map_or(&picture[..], |at| &self.shapes[at])[axis];
        let sizes: Vec<usize> = node.inputs.iter().map(size).collect();
        let stored = whole - sizes.iter().sum::<usize>().min(whole);
        sizes.iter().take(slot).sum::<usize>() + if slot >= at { stored } else { 0 }
    }
}

fn whole(shape: &[usize]) -> Part {
    shape.iter().map(|size| 0..*size).collect()
}

/// The source of what stands behind `before` other elements.
fn behind(before: usize) -> Source<'static> {
    Box::new(move |range: &Range<usize>| range.start.saturating_sub(before)..range.end.saturating_sub(before))
}

/// The least range that holds both.
fn around(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}

/// The part with all of its last axes.
fn all_of_last(part: &Part, shape: &[usize], axes: usize) -> Part {
    let kept = shape.len().saturating_sub(axes);
    whole(shape)
        .into_iter()
        .enumerate()
        .map(|(at, all)| if at < kept { part[at].clone() } else { all })
        .collect()
}

/// What a tensor that meets others element by element gives to a part: axes of size 1 are repeated, missing ones are the first.
fn broadcast(part: &Part, shape: &[usize]) -> Part {
    let missing = part.len().saturating_sub(shape.len());
    let of = |(at, size): (usize, &usize)| match part.get(missing + at) {
        Some(range) if *size > 1 && range.end <= *size => range.clone(),
        _ => 0..*size,
    };
    shape.iter().enumerate().map(of).collect()
}

/// What a reshape from `shape` to `shown` reads: first and last axes that both have keep their ranges, of the others it may be all.
fn reshaped(part: &Part, shown: &[usize], shape: &[usize]) -> Part {
    let first = shown.iter().zip(shape).take_while(|(a, b)| a == b).count();
    let most = shown.len().min(shape.len()) - first;
    let last = shown.iter().rev().zip(shape.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let of = |(at, size): (usize, &usize)| match at {
        at if at < first => part[at].clone(),
        at if at >= shape.len() - last => part[at + shown.len() - shape.len()].clone(),
        _ => 0..*size,
    };
    shape.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reshape_keeps_the_ranges_of_axes_that_stay() {
        // Heads of an attention come apart behind the tokens, and single axes go away.
        let part = vec![0..1, 0..1, 0..8, 0..40];
        assert_eq!(reshaped(&part, &[1, 50, 8, 40], &[1, 50, 320]), [0..1, 0..1, 0..320]);
        assert_eq!(
            reshaped(&vec![0..1, 2..3, 0..40], &[1, 50, 40], &[1, 1, 50, 40]),
            [0..1, 0..1, 2..3, 0..40]
        );
        assert_eq!(reshaped(&vec![0..1, 0..7], &[1, 12], &[1, 3, 4]), [0..1, 0..3, 0..4]);
    }

    #[test]
    fn repeated_axes_are_read_as_a_whole() {
        let part = vec![0..1, 3..5, 0..4];
        assert_eq!(broadcast(&part, &[1, 9, 1]), [0..1, 3..5, 0..1]);
        assert_eq!(broadcast(&part, &[9, 4]), [3..5, 0..4]);
    }
}
