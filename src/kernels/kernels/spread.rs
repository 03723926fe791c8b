//! Pixels that were computed apart are put between each other: the last step backward through a strided convolution.

use std::cell::Cell;

use super::Unit;
use crate::view::View;

/// Pixel `[m, n]` of the input goes to `[m, n] step + place` of the output. With several places the input's channels are the
/// output's, once for each place in turn.
#[derive(Debug)]
pub(crate) struct Spread {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) step: [usize; 2],
    pub(crate) places: Vec<[usize; 2]>,
    /// The output is zero elsewhere.
    pub(crate) clear: bool,
}

impl Spread {
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Fills one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (input, output, batch) = (&self.input, &self.output, unit.run.batch);
        let (image, block) = (unit.index / output.blocks(), unit.index % output.blocks());
        // SAFETY: the input is no unit's output; a unit writes the pixels of its block.
        let (from, to) = unsafe {
            (unit.read(input.range(batch, image)), unit.cells(output.block_range(batch, image, block)))
        };
        if self.clear {
            for row in 0..output.height {
                let pixels = &to[output.at(0, row, 0)..][..output.width * output.lanes];
                pixels.iter().for_each(|cell| cell.set(0.0));
            }
        }
        for (at, place) in self.places.iter().enumerate() {
            // A picture narrower than the step has no pixel at some places.
            if self.count(*place).contains(&0) {
                continue;
            }
            if at == 0 && self.places.len() == 1 && input.lanes == output.lanes {
                self.whole_block(&from[block * input.block()..], to, *place);
                continue;
            }
            for lane in 0..output.lanes_of(block) {
                let channel = at * output.channels + block * output.lanes + lane;
                self.channel(from, channel, (to, lane), *place);
            }
        }
    }

    /// Rows and columns of the output that a place has.
    fn count(&self, [top, left]: [usize; 2]) -> [usize; 2] {
        let cells = |side: usize, first: usize, step: usize| side.saturating_sub(first).div_ceil(step);
        [cells(self.output.height, top, self.step[0]), cells(self.output.width, left, self.step[1])]
    }

    /// All lanes of a block, which are the same on both sides.
    fn whole_block(&self, from: &[f32], to: &[Cell<f32>], place: [usize; 2]) {
        let (input, output, [rows, columns]) = (&self.input, &self.output, self.count(place));
        let lanes = output.lanes;
        for row in 0..rows {
            let from = &from[input.at(0, row, 0)..][..columns * lanes];
            let to = &to[output.at(0, place[0] + row * self.step[0], place[1])..];
            for (from, to) in from.chunks_exact(lanes).zip(to.chunks(self.step[1] * lanes)) {
                to[..lanes].iter().zip(from).for_each(|(to, from)| to.set(*from));
            }
        }
    }

    fn channel(&self, from: &[f32], channel: usize, (to, lane): (&[Cell<f32>], usize), place: [usize; 2]) {
        let (input, output, [rows, columns]) = (&self.input, &self.output, self.count(place));
        for row in 0..rows {
            let from = &from[input.at(channel / input.lanes, row, 0) + channel % input.lanes..];
            let to = &to[output.at(0, place[0] + row * self.step[0], place[1]) + lane..];
            let pixels = from.iter().step_by(input.lanes).zip(to.iter().step_by(self.step[1] * output.lanes));
            pixels.take(columns).for_each(|(from, to)| to.set(*from));
        }
    }
}
