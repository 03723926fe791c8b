//! Elements moved to other places: reshapes, axes in another order, slices and joins.

use std::cell::Cell;

use super::Unit;
use super::places::Places;
use crate::view::View;

/// Which way elements go between a tensor and their places in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the places to the tensor.
    Gather,
    /// From the tensor to the places.
    Scatter,
    /// As `Scatter`, with zeros everywhere else.
    ScatterAndClear,
}

/// One such movement.
#[derive(Debug)]
pub(crate) struct Move {
    /// The tensor whose elements are gone through, and the one that has the places.
    tensor: View,
    other: View,
    way: Way,
    /// By row, column and channel of the tensor: what each adds to the distance of the pixel in the other, and to the channel there.
    parts: [Vec<[usize; 2]>; 3],
    /// By channel of the other tensor: its distance from the pixel's first lane.
    lanes: Vec<usize>,
    /// By block of the tensor: whether its channels are channels of one pixel, one after another.
    runs: Vec<bool>,
}

impl Move {
    pub(crate) fn new(places: &Places, way: Way, [input, output]: [View; 2]) -> Self {
        let (tensor, other) = if way == Way::Gather { (output, input) } else { (input, output) };
        let part = |[row, column, channel]: [usize; 3]| [row * other.row() + column * other.lanes, channel];
        let mut parts =
            places.parts.each_ref().map(|parts| parts.iter().copied().map(part).collect::<Vec<_>>());
        parts[0].iter_mut().for_each(|[distance, _]| *distance += other.at(0, 0, 0));
        let lane = |channel: usize| channel / other.lanes * other.block() + channel % other.lanes;
        let follow = |part: &[[usize; 2]]| part.windows(2).all(|two| two[1] == [two[0][0], two[0][1] + 1]);
        let is_run =
            |part: &[[usize; 2]]| tensor.lanes == other.lanes && part.len() == tensor.lanes && follow(part);
        let runs = parts[2].chunks(tensor.lanes).map(is_run).collect();
        Self { tensor, other, way, parts, lanes: (0..other.channels).map(lane).collect(), runs }
    }

    pub(crate) fn input(&self) -> &View {
        if self.way == Way::Gather { &self.other } else { &self.tensor }
    }

    pub(crate) fn output(&self) -> &View {
        if self.way == Way::Gather { &self.tensor } else { &self.other }
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        match self.way {
            // The zeros are there before any element is.
            Way::ScatterAndClear => batch,
            _ => self.tensor.height * self.tensor.blocks() * batch,
        }
    }

    /// Moves what a row of one image has of one block, or all of the image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (blocks, batch) = (self.tensor.blocks(), unit.run.batch);
        let strips = self.tensor.height * blocks;
        let (image, part) = match self.way {
            Way::ScatterAndClear => (unit.index, 0..strips),
            _ => (unit.index / strips, unit.index % strips..unit.index % strips + 1),
        };
        // SAFETY: the input is no unit's output; a unit writes the pixels of its strips, or their places, which no others share.
        let (from, to) = unsafe {
            (unit.read(self.input().range(batch, image)), unit.cells(self.output().range(batch, image)))
        };
        if self.way == Way::ScatterAndClear {
            self.clear(to);
        }
        part.for_each(|strip| self.strip([strip / blocks, strip % blocks], from, to));
    }

    fn clear(&self, to: &[Cell<f32>]) {
        let other = &self.other;
        let strips = (0..other.blocks()).flat_map(|block| (0..other.height).map(move |row| (block, row)));
        for (block, row) in strips {
            let pixels = &to[other.at(block, row, 0)..][..other.width * other.lanes];
            pixels.iter().for_each(|cell| cell.set(0.0));
        }
    }

    /// Moves what a row has of one block.
    fn strip(&self, [row, block]: [usize; 2], from: &[f32], to: &[Cell<f32>]) {
        let lanes = self.tensor.lanes_of(block);
        let channels = &self.parts[2][block * self.tensor.lanes..][..lanes];
        for (column, part) in self.parts[1].iter().enumerate() {
            let [distance, channel] = [0, 1].map(|at| self.parts[0][row][at] + part[at]);
            let here = self.tensor.at(block, row, column);
            let there = |[pixel, lane]: [usize; 2]| distance + pixel + self.lanes[channel + lane];
            if self.runs[block] && (channel + channels[0][1]).is_multiple_of(lanes) {
                self.copy(lanes, [here, there(channels[0])], from, to);
                continue;
            }
            for (lane, part) in channels.iter().enumerate() {
                self.copy(1, [here + lane, there(*part)], from, to);
            }
        }
    }

    #[inline]
    fn copy(&self, count: usize, [here, there]: [usize; 2], from: &[f32], to: &[Cell<f32>]) {
        let (source, target) = if self.way == Way::Gather { (there, here) } else { (here, there) };
        let pairs = to[target..][..count].iter().zip(&from[source..][..count]);
        pairs.for_each(|(to, from)| to.set(*from));
    }
}
