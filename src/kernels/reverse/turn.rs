//! A convolution turned around: convolutions of its output's gradient that together give the gradient of its input.
//!
//! Receives a convolution's settings, gives those of the others and their weights. Of a convolution `y[j] = sum_t x[j s + t d - p] w[t]`
//! the gradient is `dx[i] = sum dy[j] w[t]` over all `j` and `t` with `j s + t d - p = i`. With a stride `s` the pixels `i = m s + r` with
//! the same remainder `r` see the same weights, those with `t d = r + p (mod s)`, at `j = m + (r + p - t d) / s`: for each remainder a
//! convolution of stride 1, so that no product with an inserted zero is computed. Where a picture has few channels, all remainders are
//! computed as channels of one convolution, which fill a register together.

use crate::error::{Error, Result};
use crate::kernels::conv::ConvGeometry;
use crate::kernels::filters::{Filters, merged_groups};
use crate::threads;

/// Most convolutions that one is turned into: a stride of 8 along both axes.
const MOST: usize = 64;
/// Channels in and out that are transposed at once: 16 weights are a cache line.
const TILE: usize = 16;

/// One of these convolutions.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// The weights of the convolution that is turned.
    forward: Filters,
    axes: [Axis; 2],
}

/// Along one axis: which remainders are computed and with which taps.
#[derive(Debug, Clone)]
struct Axis {
    remainders: Vec<usize>,
    /// How far before pixel `m` of the gradient the first tap is.
    before: usize,
    taps: usize,
    dilation: usize,
    /// Of the convolution that is turned: cells of the kernel, stride, dilation, padding.
    kernel: usize,
    stride: usize,
    spread: usize,
    padding: usize,
}

/// The convolutions that give the gradient of the input of one; `None` where kernels cannot run them.
pub(crate) fn turns(
    filters: Filters,
    geometry: &ConvGeometry,
    depthwise: bool,
    lanes: usize,
) -> Option<Vec<Turn>> {
    let axis = |axis: usize, remainders: Vec<usize>| Axis::new(geometry, axis, remainders);
    let [rows, columns] = geometry.stride;
    if rows.checked_mul(columns)? > MOST && (filters.groups > 1 || geometry.dilation != [1, 1]) {
        return None;
    }
    let apart = || {
        let pairs = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
        let turn = |[row, column]: [usize; 2]| {
            Some(Turn { forward: filters, axes: [axis(0, vec![row])?, axis(1, vec![column])?] })
        };
        pairs.filter_map(turn).collect::<Vec<_>>()
    };
    let together = || {
        let all = [axis(0, (0..rows).collect())?, axis(1, (0..columns).collect())?];
        Some(Turn { forward: filters, axes: all })
    };
    let fits = |turn: &Turn| {
        depthwise || merged_groups(turn.filters().shape, turn.filters().groups, lanes, lanes).is_some()
    };
    let cost = |turn: &Turn| {
        let [out, _, rows, columns] = turn.filters().shape;
        out.div_ceil(lanes) * rows * columns
    };
    let found = match (filters.groups == 1 && geometry.dilation == [1, 1] && rows * columns > 1)
        .then(together)
    {
        Some(Some(one)) if rows * columns > MOST || cost(&one) < apart().iter().map(cost).sum() => vec![one],
        _ => apart(),
    };
    found.iter().all(fits).then_some(found)
}

impl Axis {
    /// `None` where no tap meets these remainders.
    fn new(geometry: &ConvGeometry, axis: usize, remainders: Vec<usize>) -> Option<Self> {
        let (kernel, stride, spread, padding) =
            (geometry.kernel[axis], geometry.stride[axis], geometry.dilation[axis], geometry.padding[axis]);
        let meets = |remainder: &usize| {
            let remainder = *remainder;
            (0..kernel).filter_map(move |tap| place(remainder, tap, [stride, spread, padding]))
        };
        let places: Vec<isize> = remainders.iter().flat_map(meets).collect();
        let (first, last) = (*places.iter().min()?, *places.iter().max()?);
        // Taps that meet the same remainder are this far apart; those of several remainders have all distances.
        let dilation = if remainders.len() == 1 { spread / common_divisor(stride, spread) } else { 1 };
        // Kernels cannot begin after a pixel: taps of zero weight lead there from it.
        let late = usize::try_from(first).unwrap_or(0).div_ceil(dilation) * dilation;
        let before = late.checked_add_signed(-first)?;
        let taps = usize::try_from(last - first).ok()? / dilation + 1 + late / dilation;
        Some(Self { remainders, before, taps, dilation, kernel, stride, spread, padding })
    }

    /// Which tap of the convolution that is turned is at a tap of this one.
    fn tap(&self, remainder: usize, at: usize) -> Option<usize> {
        let settings = [self.stride, self.spread, self.padding];
        let wanted = isize::try_from(at * self.dilation).ok()? - isize::try_from(self.before).ok()?;
        (0..self.kernel).find(|tap| place(remainder, *tap, settings) == Some(wanted))
    }

    fn cells(&self, side: usize) -> usize {
        side.saturating_sub(self.remainders[0]).div_ceil(self.stride)
    }
}

/// `(r + p - t d) / s` where that is whole.
fn place(remainder: usize, tap: usize, [stride, spread, padding]: [usize; 3]) -> Option<isize> {
    let [end, start, stride] =
        [remainder + padding, tap * spread, stride].map(|number| isize::try_from(number).ok());
    let distance = end? - start?;
    (distance % stride? == 0).then_some(distance / stride?)
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Turn {
    /// The weights of this convolution: those of the other with inputs and outputs exchanged, once for each place.
    pub(crate) fn filters(&self) -> Filters {
        let Filters { shape: [out, per_group, ..], groups } = self.forward;
        let shape =
            [self.places().len() * per_group * groups, out / groups, self.axes[0].taps, self.axes[1].taps];
        Filters { shape, groups }
    }

    pub(crate) fn geometry(&self) -> ConvGeometry {
        ConvGeometry {
            kernel: [self.axes[0].taps, self.axes[1].taps],
            stride: [1, 1],
            dilation: [self.axes[0].dilation, self.axes[1].dilation],
            padding: [self.axes[0].before, self.axes[1].before],
        }
    }

    /// Where its results belong: the remainders of rows and columns.
    pub(crate) fn places(&self) -> Vec<[usize; 2]> {
        let [rows, columns] = [&self.axes[0], &self.axes[1]].map(|axis| &axis.remainders);
        rows.iter().flat_map(|row| columns.iter().map(|column| [*row, *column])).collect()
    }

    /// Shape of what it gives, for an input of the convolution that is turned.
    pub(crate) fn output(&self, [channels, height, width]: [usize; 3]) -> [usize; 3] {
        [self.places().len() * channels, self.axes[0].cells(height), self.axes[1].cells(width)]
    }

    /// The weights, from those of the convolution that is turned.
    ///
    /// # Errors
    /// When these have another shape.
    pub(crate) fn weights(&self, (values, shape): &(Vec<f32>, Vec<usize>)) -> Result<(Vec<f32>, Vec<usize>)> {
        let Filters { shape: forward, groups } = self.forward;
        if shape[..] != forward || values.len() != forward.iter().product::<usize>() {
            let found = format!("a weight has shape {shape:?}, expected {forward:?}");
            return Err(Error::internal(found));
        }
        let turned = self.filters().shape;
        let (per_group, per_turned, area) = (forward[1], turned[1], turned[2] * turned[3]);
        let (old_area, taps) = (forward[2] * forward[3], self.taps());
        let mut all = vec![0.0; turned.iter().product()];
        let one = per_turned * area;
        let tiles = all.chunks_mut(TILE * one).enumerate().collect();
        threads::share(tiles, |(tile, part): (usize, &mut [f32])| {
            // A few outputs at a time, whose weights then are in the first-level cache for all inputs of the tile.
            for first in (0..per_turned).step_by(TILE) {
                for (at, filter) in (tile * TILE..).zip(part.chunks_mut(one)) {
                    let (place, channel) = (at / (per_group * groups), at % (per_group * groups));
                    let (group, inside) = (channel / per_group, channel % per_group);
                    for out in first..(first + TILE).min(per_turned) {
                        let from = ((group * per_turned + out) * per_group + inside) * old_area;
                        let to = filter[out * area..][..area].iter_mut();
                        let weight = &values[from..][..old_area];
                        to.zip(&taps[place]).for_each(|(to, tap)| *to = tap.map_or(0.0, |tap| weight[tap]));
                    }
                }
            }
        });
        Ok((all, turned.to_vec()))
    }

    /// For each place: which tap of the convolution that is turned is at each tap of this one.
    fn taps(&self) -> Vec<Vec<Option<usize>>> {
        let [rows, columns] = &self.axes;
        let at = |[row, column]: [usize; 2], tap: usize| {
            let (y, x) = (rows.tap(row, tap / columns.taps)?, columns.tap(column, tap % columns.taps)?);
            Some(y * columns.kernel + x)
        };
        let count = rows.taps * columns.taps;
        self.places().into_iter().map(|place| (0..count).map(|tap| at(place, tap)).collect()).collect()
    }
}
