//! All channels of one pixel: what norms and softmax go over several times.

use std::cell::Cell;

use crate::simd::Simd;

/// The registers of a pixel. Lanes after the last channel hold anything in memory and are zeros here.
#[derive(Clone, Copy)]
pub(super) struct Channels<S: Simd> {
    simd: S,
    /// From the first lane of a block to this pixel's.
    first: usize,
    pub(super) blocks: usize,
    /// One in the lanes of the last block that hold channels.
    of_last: S::Register,
}

impl<S: Simd> Channels<S> {
    /// Of the pixel at a place among those that slices begin with.
    #[inline(always)]
    pub(super) fn new(simd: S, channels: usize, pixel: usize) -> Self {
        let last = (channels - 1) % S::LANES;
        let lanes: [f32; 16] = std::array::from_fn(|lane| if lane <= last { 1.0 } else { 0.0 });
        let (first, blocks) = (pixel * S::LANES, channels.div_ceil(S::LANES));
        Self { simd, first, blocks, of_last: simd.load(&lanes) }
    }

    /// Of a block; `step` is from one block to the next.
    #[inline(always)]
    pub(super) fn load(&self, values: &[f32], step: usize, block: usize) -> S::Register {
        self.masked(block, self.simd.load(&values[block * step + self.first..]))
    }

    /// As [`Channels::load`], of memory that is written, too.
    #[inline(always)]
    pub(super) fn load_cells(&self, values: &[Cell<f32>], step: usize, block: usize) -> S::Register {
        self.masked(block, self.simd.load_cells(&values[block * step + self.first..]))
    }

    #[inline(always)]
    pub(super) fn store(&self, to: &[Cell<f32>], step: usize, block: usize, value: S::Register) {
        self.simd.store(&to[block * step + self.first..], value);
    }

    /// Zero where there is no channel.
    #[inline(always)]
    pub(super) fn masked(&self, block: usize, value: S::Register) -> S::Register {
        match block + 1 == self.blocks {
            true => self.simd.above(self.of_last, self.simd.splat(0.0), value),
            false => value,
        }
    }

    /// The least number where there is no channel, of a register that is zero there.
    #[inline(always)]
    fn sunk(&self, block: usize, value: S::Register) -> S::Register {
        let simd = self.simd;
        match block + 1 == self.blocks {
            true => {
                let low = simd.splat(f32::MIN);
                let up = simd.above(self.of_last, simd.splat(0.0), simd.splat(-f32::MIN));
                simd.add(value, simd.add(low, up))
            }
            false => value,
        }
    }

    /// The sum over all channels, in double precision: their mean may be small next to them.
    #[inline(always)]
    pub(super) fn total(&self, value: impl Fn(usize) -> S::Register) -> f64 {
        let simd = self.simd;
        let mut sum = simd.widen(simd.splat(0.0));
        for block in 0..self.blocks {
            sum = simd.add_wide(sum, simd.widen(value(block)));
        }
        lanes(simd, simd.narrow(sum, 1.0)).take(S::LANES).map(f64::from).sum()
    }

    /// The greatest of all channels; NaN where one is.
    #[inline(always)]
    pub(super) fn greatest(&self, value: impl Fn(usize) -> S::Register) -> f32 {
        let simd = self.simd;
        let mut most = simd.splat(f32::NEG_INFINITY);
        for block in 0..self.blocks {
            most = simd.nan_max(most, self.sunk(block, value(block)));
        }
        let greater = |most: f32, lane: f32| if lane.is_nan() || lane > most { lane } else { most };
        lanes(simd, most).take(S::LANES).fold(f32::NEG_INFINITY, greater)
    }
}

#[inline(always)]
fn lanes<S: Simd>(simd: S, value: S::Register) -> impl Iterator<Item = f32> {
    let lanes: [Cell<f32>; 16] = std::array::from_fn(|_| Cell::new(0.0));
    simd.store(&lanes, value);
    lanes.into_iter().map(Cell::into_inner)
}
