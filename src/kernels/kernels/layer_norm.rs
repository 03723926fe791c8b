//! Layer norm over the channels of each pixel, forward and backward.
//!
//! Reference: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016.

use std::cell::Cell;

use super::channels::Channels;
use super::{Packed, Unit};
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// Pixels of a unit: what they have of all blocks should stay in a first-level cache for the passes over it.
const STRIP: usize = 8;

/// `z gamma + beta` with `z = (x - mean) / sqrt(variance + epsilon)`; with a gradient `g` of that, the one of `x`: `(h - mean(h) - z
/// mean(h z)) / sqrt(variance + epsilon)` with `h = g gamma`.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) input: View,
    pub(crate) gradient: Option<View>,
    pub(crate) output: View,
    epsilon: f32,
    strip: Compiled<Strips>,
}

/// Pixels of a row, from the first one on.
#[derive(Debug, Clone, Copy)]
struct Strip<'a> {
    x: &'a [f32],
    /// From one block to the next.
    x_block: usize,
    /// The gradient, and from one of its blocks to the next.
    gradient: Option<(&'a [f32], usize)>,
    y: &'a [Cell<f32>],
    y_block: usize,
    gamma: &'a [f32],
    beta: &'a [f32],
    pixels: usize,
    channels: usize,
    epsilon: f32,
}

/// [`Strip`] as arguments, and the loop over it.
#[derive(Debug)]
struct Strips;

impl Arguments for Strips {
    type With<'a> = Strip<'a>;
}

impl InnerLoop for Strips {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, s: Strip<'_>) {
        for pixel in 0..s.pixels {
            let p = Pixel::new(simd, &s, pixel);
            match s.gradient {
                None => p.forward(),
                Some(gradient) => p.backward(gradient),
            }
        }
    }
}

/// One pixel of a strip.
#[derive(Clone, Copy)]
struct Pixel<'a, S: Simd> {
    simd: S,
    strip: &'a Strip<'a>,
    channels: Channels<S>,
    /// What standardises an element: it is added, and the sum is multiplied by `scale`.
    shift: S::Register,
    scale: S::Register,
}

impl<'a, S: Simd> Pixel<'a, S> {
    #[inline(always)]
    fn new(simd: S, strip: &'a Strip<'a>, pixel: usize) -> Self {
        let count = strip.channels as f64;
        let channels = Channels::new(simd, strip.channels, pixel);
        let [shift, scale] = [0.0, 1.0].map(|value| simd.splat(value));
        let mut p = Self { simd, strip, channels, shift, scale };
        p.shift = simd.splat(-(channels.total(|block| p.x(block)) / count) as f32);
        let variance = channels.total(|block| simd.mul(p.centred(block), p.centred(block))) / count;
        p.scale = simd.splat((1.0 / (variance + f64::from(strip.epsilon)).sqrt()) as f32);
        p
    }

    #[inline(always)]
    fn forward(&self) {
        let Self { simd, strip, .. } = *self;
        for block in 0..self.channels.blocks {
            let beta = simd.load(&strip.beta[block * S::LANES..]);
            self.store(block, simd.mul_add(self.standard(block), self.gamma(block), beta));
        }
    }

    #[inline(always)]
    fn backward(&self, gradient: (&[f32], usize)) {
        let (simd, count) = (self.simd, self.strip.channels as f64);
        let even = self.channels.total(|block| self.scaled(gradient, block)) / count;
        let along = |block| simd.mul(self.scaled(gradient, block), self.standard(block));
        let along = self.channels.total(along) / count;
        let [even, along] = [even, along].map(|mean| simd.splat(-mean as f32));
        for block in 0..self.channels.blocks {
            let rest = simd.add(self.scaled(gradient, block), even);
            self.store(block, simd.mul(simd.mul_add(self.standard(block), along, rest), self.scale));
        }
    }

    #[inline(always)]
    fn x(&self, block: usize) -> S::Register {
        self.channels.load(self.strip.x, self.strip.x_block, block)
    }

    #[inline(always)]
    fn centred(&self, block: usize) -> S::Register {
        self.channels.masked(block, self.simd.add(self.x(block), self.shift))
    }

    #[inline(always)]
    fn standard(&self, block: usize) -> S::Register {
        self.simd.mul(self.centred(block), self.scale)
    }

    #[inline(always)]
    fn gamma(&self, block: usize) -> S::Register {
        self.simd.load(&self.strip.gamma[block * S::LANES..])
    }

    /// The gradient times gamma.
    #[inline(always)]
    fn scaled(&self, (gradient, step): (&[f32], usize), block: usize) -> S::Register {
        self.simd.mul(self.channels.load(gradient, step, block), self.gamma(block))
    }

    #[inline(always)]
    fn store(&self, block: usize, value: S::Register) {
        self.channels.store(self.strip.y, self.strip.y_block, block, value);
    }
}

impl LayerNorm {
    /// Backward where there is a gradient.
    pub(crate) fn new(
        instructions: Instructions,
        epsilon: f32,
        [input, output]: [View; 2],
        gradient: Option<View>,
    ) -> Self {
        Self { input, gradient, output, epsilon, strip: instructions.compile::<Strips>() }
    }

    /// Packs a factor and a shift per channel.
    pub(crate) fn pack(&self, gamma: &[f32], beta: Option<&[f32]>, packed: &mut Packed) {
        let Packed { weights, bias } = packed;
        for (values, memory) in [(gamma, weights), (beta.unwrap_or_default(), bias)] {
            memory.grow_with(values, self.output.channels.next_multiple_of(self.output.lanes));
        }
    }

    fn strips(&self) -> usize {
        self.output.width.div_ceil(STRIP)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.strips() * self.output.height * batch
    }

    /// Computes a strip of one row of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let (strips, height) = (self.strips(), self.output.height);
        let (image, row) = (unit.index / (strips * height), unit.index / strips % height);
        let first = unit.index % strips * STRIP;
        let batch = unit.run.batch;
        // SAFETY: what is read is no unit's output; a unit accesses the pixels of its strip.
        let (x, gradient, y) = unsafe {
            let gradient = self.gradient.as_ref().map(|view| (view, unit.read(view.range(batch, image))));
            let x = unit.read(self.input.range(batch, image));
            (x, gradient, unit.cells(self.output.range(batch, image)))
        };
        self.strip.call(Strip {
            x: &x[self.input.at(0, row, first)..],
            x_block: self.input.block(),
            gradient: gradient.map(|(view, values)| (&values[view.at(0, row, first)..], view.block())),
            y: &y[self.output.at(0, row, first)..],
            y_block: self.output.block(),
            gamma: packed.weights.as_slice(),
            beta: packed.bias.as_slice(),
            pixels: STRIP.min(self.output.width - first),
            channels: self.output.channels,
            epsilon: self.epsilon,
        });
    }
}
