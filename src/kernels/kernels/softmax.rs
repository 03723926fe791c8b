//! Softmax over the channels of each pixel, forward and backward.

use std::cell::Cell;

use super::Unit;
use super::activation::exp;
use super::channels::Channels;
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// Pixels of a unit: what they have of all blocks should stay in a first-level cache for the passes over it.
const STRIP: usize = 8;

/// `y = e^(x - max x)` over its sum; with a gradient `g` of that, and `y` as the input, the one of `x`: `y (g - sum(g y))`.
#[derive(Debug)]
pub(crate) struct Softmax {
    pub(crate) input: View,
    pub(crate) gradient: Option<View>,
    pub(crate) output: View,
    strip: Compiled<Strips>,
}

/// Pixels of a row, from the first one on, with the distance from one block to the next.
#[derive(Debug, Clone, Copy)]
struct Strip<'a> {
    x: (&'a [f32], usize),
    gradient: Option<(&'a [f32], usize)>,
    y: (&'a [Cell<f32>], usize),
    pixels: usize,
    channels: usize,
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
            let channels = Channels::new(simd, s.channels, pixel);
            match s.gradient {
                None => forward(simd, &s, channels),
                Some(gradient) => backward(simd, &s, channels, gradient),
            }
        }
    }
}

#[inline(always)]
fn forward<S: Simd>(simd: S, s: &Strip<'_>, channels: Channels<S>) {
    let ((x, x_step), (y, y_step)) = (s.x, s.y);
    let most = simd.splat(-channels.greatest(|block| channels.load(x, x_step, block)));
    let sum = channels.total(|block| {
        let power = exp(simd, simd.add(channels.load(x, x_step, block), most));
        let power = channels.masked(block, power);
        channels.store(y, y_step, block, power);
        power
    });
    let scale = simd.splat((1.0 / sum) as f32);
    for block in 0..channels.blocks {
        let power = channels.load_cells(y, y_step, block);
        channels.store(y, y_step, block, simd.mul(power, scale));
    }
}

#[inline(always)]
fn backward<S: Simd>(simd: S, s: &Strip<'_>, channels: Channels<S>, (gradient, step): (&[f32], usize)) {
    let ((value, value_step), (y, y_step)) = (s.x, s.y);
    let own = |block| channels.load(value, value_step, block);
    let given = |block| channels.load(gradient, step, block);
    let mean = simd.splat(-channels.total(|block| simd.mul(own(block), given(block))) as f32);
    for block in 0..channels.blocks {
        channels.store(y, y_step, block, simd.mul(own(block), simd.add(given(block), mean)));
    }
}

impl Softmax {
    /// Backward where there is a gradient; then the input is what the pass forward gave.
    pub(crate) fn new(
        instructions: Instructions,
        [input, output]: [View; 2],
        gradient: Option<View>,
    ) -> Self {
        Self { input, gradient, output, strip: instructions.compile::<Strips>() }
    }

    fn strips(&self) -> usize {
        self.output.width.div_ceil(STRIP)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.strips() * self.output.height * batch
    }

    /// Computes a strip of one row of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (strips, height, batch) = (self.strips(), self.output.height, unit.run.batch);
        let (image, row) = (unit.index / (strips * height), unit.index / strips % height);
        let first = unit.index % strips * STRIP;
        // SAFETY: what is read is no unit's output; a unit accesses the pixels of its strip.
        let (x, gradient, y) = unsafe {
            let gradient = self.gradient.as_ref().map(|view| (view, unit.read(view.range(batch, image))));
            let x = unit.read(self.input.range(batch, image));
            (x, gradient, unit.cells(self.output.range(batch, image)))
        };
        self.strip.call(Strip {
            x: (&x[self.input.at(0, row, first)..], self.input.block()),
            gradient: gradient.map(|(view, values)| (&values[view.at(0, row, first)..], view.block())),
            y: (&y[self.output.at(0, row, first)..], self.output.block()),
            pixels: STRIP.min(self.output.width - first),
            channels: self.output.channels,
        });
    }
}
