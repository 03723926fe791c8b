//! Operations that look at one pixel at a time: a factor and a shift a channel, sums and products of two values,
//! activations.

use super::activation::Activation;
use super::{Packed, Run, compiled};
use crate::memory::Memory;
use crate::simd::{Isa, Simd};
use crate::view::View;

/// What is done before the activation.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `x scale + shift`, both one a channel: the packed weights and bias.
    Affine,
    /// `x scale + shift`, both the same for all.
    Line { scale: [f32; 16], shift: [f32; 16] },
    /// `x + other`.
    Add(View),
    /// `x other`.
    Mul(View),
}

/// One such operation.
#[derive(Debug)]
pub(crate) struct Pointwise {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) kind: Kind,
    pub(crate) activation: Activation,
    row: unsafe fn(&Row),
}

/// One row of pixels of one block.
#[derive(Debug)]
struct Row {
    x: *const f32,
    y: *mut f32,
    pixels: usize,
    /// `x scale + shift`, the distance from pixel to pixel being these.
    scale: Operand,
    shift: Operand,
    activation: Activation,
}

#[derive(Debug, Clone, Copy)]
struct Operand {
    at: *const f32,
    step: usize,
}

/// # Safety
/// The row's pointers are good for all its pixels, and the instruction set is there.
#[inline(always)]
unsafe fn row<S: Simd>(r: &Row) {
    // SAFETY: the caller's promise.
    unsafe {
        for pixel in 0..r.pixels {
            let x = S::load(r.x.add(pixel * S::LANES));
            let scale = S::load(r.scale.at.add(pixel * r.scale.step));
            let shift = S::load(r.shift.at.add(pixel * r.shift.step));
            let y = r.activation.apply::<S>(S::mul_add(x, scale, shift));
            S::store(r.y.add(pixel * S::LANES), y);
        }
    }
}

compiled!(compiled_row(Row) = row);

static ONES: [f32; 16] = [1.0; 16];
static ZEROS: [f32; 16] = [0.0; 16];

impl Pointwise {
    pub(crate) fn new(isa: Isa, kind: Kind, [input, output]: [View; 2], activation: Activation) -> Self {
        Self { input, output, kind, activation, row: compiled_row(isa) }
    }

    /// Orders one factor and one shift a channel.
    pub(crate) fn pack(&self, scale: &[f32], shift: &[f32], packed: &mut Packed) {
        for (values, memory) in [(scale, &mut packed.weights), (shift, &mut packed.bias)] {
            let to = memory.grow(values.len().next_multiple_of(self.output.lanes));
            to.fill(0.0);
            to[..values.len()].copy_from_slice(values);
        }
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let (image, block) = (unit / self.output.blocks(), unit % self.output.blocks());
        let lanes = self.output.lanes;
        let constant = |values: &Memory| Operand { at: values.as_slice()[block * lanes..].as_ptr(), step: 0 };
        let fixed = |values: &[f32; 16]| Operand { at: values.as_ptr(), step: 0 };
        let of = |view: &View, row: usize| {
            let single = view.height * view.width == 1;
            let at = view.at(run.batch, image, block, if single { 0 } else { row }, 0);
            Operand { at: run.read(at), step: if single { 0 } else { lanes } }
        };
        for row in 0..self.output.height {
            let (scale, shift) = match &self.kind {
                Kind::Affine => (constant(&packed.weights), constant(&packed.bias)),
                Kind::Line { scale, shift } => (fixed(scale), fixed(shift)),
                Kind::Add(other) => (fixed(&ONES), of(other, row)),
                Kind::Mul(other) => (of(other, row), fixed(&ZEROS)),
            };
            let row = Row {
                x: run.read(self.input.at(run.batch, image, block, row, 0)),
                y: run.write(self.output.at(run.batch, image, block, row, 0)),
                pixels: self.output.width,
                scale,
                shift,
                activation: self.activation,
            };
            // SAFETY: a row of each view, or one register that is read again and again.
            unsafe { (self.row)(&row) };
        }
    }
}
