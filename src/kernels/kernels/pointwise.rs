//! Operations on one pixel at a time: a scale and a shift per channel, sums and products of two tensors, activations.

use std::cell::Cell;

use super::activation::apply;
use super::{Packed, Unit};
use crate::card::PointwiseKernel;
use crate::memory::Memory;
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::{Region, View};

/// What is computed before the activation.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `x scale + shift`, one of each per channel: the packed weights and bias.
    Affine,
    /// `x scale + shift`, the same for all channels.
    Line { scale: [f32; 16], shift: [f32; 16] },
    /// `x + other`.
    Add(View),
    /// `x other`.
    Mul(View),
    /// The sum of `x` and numbers that are packed, or their product.
    Stored(Stored),
}

/// Numbers that are combined with a tensor: of some of its rows, of all or one of its columns and channels each.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) is_product: bool,
    /// For each row of the tensor the stored one.
    pub(crate) rows: Vec<usize>,
    /// Columns and channels.
    pub(crate) inner: [usize; 2],
}

impl Stored {
    /// How many numbers there are.
    pub(crate) fn elements(&self) -> usize {
        let rows = self.rows.iter().max().map_or(0, |last| last + 1);
        rows * self.inner.iter().product::<usize>()
    }
}

/// One such operation.
#[derive(Debug)]
pub(crate) struct Pointwise {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) kind: Kind,
    pub(crate) activation: PointwiseKernel,
    row: Compiled<Rows>,
}

/// One row of pixels of one block: `activation(x scale + shift)`.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    x: &'a [f32],
    y: &'a [Cell<f32>],
    scale: Operand<'a>,
    shift: Operand<'a>,
    activation: PointwiseKernel,
}

#[derive(Debug, Clone, Copy)]
enum Operand<'a> {
    /// The same register for every pixel.
    Constant(&'a [f32]),
    /// One register per pixel.
    Pixels(&'a [f32]),
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
        use Operand::{Constant, Pixels};
        let at = |values: &[f32], pixel: usize| simd.load(&values[pixel * S::LANES..]);
        // Four copies of the loop, so that what is the same for a row stays in a register and the loop has no branch.
        match (r.scale, r.shift) {
            (Constant(scale), Constant(shift)) => {
                let (scale, shift) = (simd.load(scale), simd.load(shift));
                row(simd, &r, |_| scale, |_| shift);
            }
            (Constant(scale), Pixels(shift)) => {
                let scale = simd.load(scale);
                row(simd, &r, |_| scale, |pixel| at(shift, pixel));
            }
            (Pixels(scale), Constant(shift)) => {
                let shift = simd.load(shift);
                row(simd, &r, |pixel| at(scale, pixel), |_| shift);
            }
            (Pixels(scale), Pixels(shift)) => {
                row(simd, &r, |pixel| at(scale, pixel), |pixel| at(shift, pixel));
            }
        }
    }
}

#[inline(always)]
fn row<S: Simd>(
    simd: S,
    r: &Row<'_>,
    scale: impl Fn(usize) -> S::Register,
    shift: impl Fn(usize) -> S::Register,
) {
    for (pixel, (x, y)) in r.x.chunks_exact(S::LANES).zip(r.y.chunks_exact(S::LANES)).enumerate() {
        let sum = simd.mul_add(simd.load(x), scale(pixel), shift(pixel));
        simd.store(y, apply(r.activation, simd, sum));
    }
}

// Sums and products run through the multiply-add of `row`: neither `x 1 + other` nor `x other + 0` adds a rounding.
static ONES: [f32; 16] = [1.0; 16];
static ZEROS: [f32; 16] = [0.0; 16];

impl Pointwise {
    pub(crate) fn new(
        instructions: Instructions,
        kind: Kind,
        [input, output]: [View; 2],
        activation: PointwiseKernel,
    ) -> Self {
        Self { input, output, kind, activation, row: instructions.compile::<Rows>() }
    }

    /// The same operation, with the same packed parameters, on a region.
    pub(crate) fn window(&self, region: &Region) -> Self {
        let second = |view: &View| match view.sides() == self.output.sides() {
            true => view.window(region),
            // One element per channel, for every pixel.
            false => *view,
        };
        let kind = match &self.kind {
            Kind::Affine => Kind::Affine,
            Kind::Line { scale, shift } => Kind::Line { scale: *scale, shift: *shift },
            Kind::Add(other) => Kind::Add(second(other)),
            Kind::Mul(other) => Kind::Mul(second(other)),
            Kind::Stored(stored) => Kind::Stored(stored.clone()),
        };
        let [input, output] = [self.input, self.output].map(|view| view.window(region));
        Self { input, output, kind, ..*self }
    }

    /// Packs one scale and one shift per channel.
    pub(crate) fn pack(&self, scale: &[f32], shift: &[f32], packed: &mut Packed) {
        for (values, memory) in [(scale, &mut packed.weights), (shift, &mut packed.bias)] {
            memory.grow_with(values, values.len().next_multiple_of(self.output.lanes));
        }
    }

    /// Packs what is stored for each row: `[row][block][column][lane]`.
    pub(crate) fn pack_stored(&self, values: &[f32], [columns, channels]: [usize; 2], packed: &mut Packed) {
        let View { width, lanes, .. } = self.output;
        let (blocks, rows) = (self.output.blocks(), values.chunks_exact(columns * channels));
        let to = packed.weights.grow(rows.len() * blocks * width * lanes);
        for (from, to) in rows.zip(to.chunks_exact_mut(blocks * width * lanes)) {
            for (at, to) in to.iter_mut().enumerate() {
                let (column, channel) = (at / lanes % width, at / (lanes * width) * lanes + at % lanes);
                let is_there = channel < self.output.channels;
                // One column stands for all, and one channel.
                *to = if is_there { from[column % columns * channels + channel % channels] } else { 0.0 };
            }
        }
    }

    /// Whether [`Pointwise::window`] gives the same values with the same packed parameters.
    pub(crate) fn has_windows(&self) -> bool {
        !matches!(self.kind, Kind::Stored(_))
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    pub(crate) fn unit<'r>(&'r self, unit: &Unit<'r>, packed: &'r Packed) {
        let (image, block) = (unit.index / self.output.blocks(), unit.index % self.output.blocks());
        let (batch, lanes) = (unit.run.batch, self.output.lanes);
        // SAFETY: what is read is no unit's output; a unit writes the pixels of its block.
        let (x, other, y) = unsafe {
            let other = match &self.kind {
                Kind::Affine | Kind::Line { .. } | Kind::Stored(_) => None,
                Kind::Add(other) | Kind::Mul(other) => {
                    Some((other, unit.read(other.block_range(batch, image, block))))
                }
            };
            let x = unit.read(self.input.block_range(batch, image, block));
            (x, other, unit.cells(self.output.block_range(batch, image, block)))
        };
        let constant = |values: &'r Memory| Operand::Constant(&values.as_slice()[block * lanes..]);
        for row in 0..self.output.height {
            let (scale, shift) = match (&self.kind, other) {
                (Kind::Line { scale, shift }, _) => (Operand::Constant(scale), Operand::Constant(shift)),
                (Kind::Add(_), Some(other)) => (Operand::Constant(&ONES), operand(other, row)),
                (Kind::Mul(_), Some(other)) => (operand(other, row), Operand::Constant(&ZEROS)),
                (Kind::Stored(stored), _) => {
                    let size = self.output.width * lanes;
                    let at = (stored.rows[row] * self.output.blocks() + block) * size;
                    let other = Operand::Pixels(&packed.weights.as_slice()[at..at + size]);
                    let [one, zero] = [&ONES, &ZEROS].map(|values| Operand::Constant(values));
                    if stored.is_product { (other, zero) } else { (one, other) }
                }
                _ => (constant(&packed.weights), constant(&packed.bias)),
            };
            self.row.call(Row {
                x: &x[self.input.at(0, row, 0)..][..self.input.width * lanes],
                y: &y[self.output.at(0, row, 0)..][..self.output.width * lanes],
                scale,
                shift,
                activation: self.activation,
            });
        }
    }
}

/// A row of a block of the second tensor, or its only pixel for every pixel.
fn operand<'a>((view, values): (&View, &'a [f32]), row: usize) -> Operand<'a> {
    if view.height * view.width == 1 {
        Operand::Constant(&values[view.at(0, 0, 0)..])
    } else {
        Operand::Pixels(&values[view.at(0, row, 0)..][..view.width * view.lanes])
    }
}
