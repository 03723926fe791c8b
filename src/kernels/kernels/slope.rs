//! Backward through a function of each element: the gradient times the slope, and what can be done in the same pass.

use std::cell::Cell;

use super::activation::times_slope;
use super::{Packed, Unit};
use crate::card::PointwiseKernel;
use crate::rule::{Passage, Rectifier};
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// `gradient slope(kept) scale + added`.
#[derive(Debug)]
pub(crate) struct Slope {
    pub(crate) gradient: View,
    /// The function's value or its argument: see [`slope_of_value`](super::activation::slope_of_value).
    pub(crate) kept: View,
    pub(crate) output: View,
    pub(crate) added: Option<View>,
    /// One factor per channel: the packed weights.
    pub(crate) is_scaled: bool,
    function: PointwiseKernel,
    /// Which rectifier it is, for rules that replace its derivative.
    rectifier: Option<Rectifier>,
    row: Compiled<Rows>,
}

/// A row of pixels of one block.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    gradient: &'a [f32],
    kept: &'a [f32],
    added: Option<&'a [f32]>,
    scale: &'a [f32],
    y: &'a [Cell<f32>],
    function: PointwiseKernel,
    passage: Passage,
}

/// [`Row`] as arguments, and the loop over it.
#[derive(Debug)]
struct Rows;

impl Arguments for Rows {
    type With<'a> = Row<'a>;
}

impl InnerLoop for Rows {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, r: Row<'_>) {
        let (zero, function) = (simd.splat(0.0), r.function);
        let positive = |gradient| simd.above(gradient, zero, gradient);
        // Three copies of the loop, so that it has no branch.
        match r.passage {
            Passage::Derivative => row(simd, &r, |x, g| times_slope(function, simd, x, g)),
            Passage::PositiveDerivative => row(simd, &r, |x, g| times_slope(function, simd, x, positive(g))),
            Passage::Positive => row(simd, &r, |_, g| positive(g)),
        }
    }
}

#[inline(always)]
fn row<S: Simd>(simd: S, r: &Row<'_>, passed: impl Fn(S::Register, S::Register) -> S::Register) {
    let scale = simd.load(r.scale);
    let pixels = r.gradient.chunks_exact(S::LANES).zip(r.kept.chunks_exact(S::LANES));
    for (at, ((gradient, kept), y)) in pixels.zip(r.y.chunks_exact(S::LANES)).enumerate() {
        let passed = passed(simd.load(kept), simd.load(gradient));
        let added = match r.added {
            Some(added) => simd.load(&added[at * S::LANES..]),
            None => simd.splat(0.0),
        };
        simd.store(y, simd.mul_add(passed, scale, added));
    }
}

/// What is a factor where there is none.
static ONES: [f32; 16] = [1.0; 16];

impl Slope {
    pub(crate) fn new(
        instructions: Instructions,
        (function, rectifier): (PointwiseKernel, Option<Rectifier>),
        [gradient, kept, output]: [View; 3],
        added: Option<View>,
        is_scaled: bool,
    ) -> Self {
        let row = instructions.compile::<Rows>();
        Self { gradient, kept, output, added, is_scaled, function, rectifier, row }
    }

    /// Packs one factor per channel.
    pub(crate) fn pack(&self, scale: &[f32], packed: &mut Packed) {
        packed.weights.grow_with(scale, scale.len().next_multiple_of(self.output.lanes));
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let (image, block) = (unit.index / self.output.blocks(), unit.index % self.output.blocks());
        let (batch, lanes) = (unit.run.batch, self.output.lanes);
        // SAFETY: what is read is no unit's output; a unit writes the pixels of its block.
        let ([gradient, kept], added, y) = unsafe {
            let read = |view: &View| unit.read(view.block_range(batch, image, block));
            let added = self.added.as_ref().map(|view| (view, read(view)));
            let output = self.output.block_range(batch, image, block);
            ([&self.gradient, &self.kept].map(read), added, unit.cells(output))
        };
        let scale = if self.is_scaled { &packed.weights.as_slice()[block * lanes..] } else { &ONES };
        let pixels = self.output.width * lanes;
        for row in 0..self.output.height {
            self.row.call(Row {
                gradient: &gradient[self.gradient.at(0, row, 0)..][..pixels],
                kept: &kept[self.kept.at(0, row, 0)..][..pixels],
                added: added.map(|(view, values)| &values[view.at(0, row, 0)..][..pixels]),
                scale,
                y: &y[self.output.at(0, row, 0)..][..pixels],
                function: self.function,
                passage: unit.run.rule.passage(self.rectifier),
            });
        }
    }
}
