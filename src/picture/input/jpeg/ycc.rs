//! From planes of luma and chroma to RGB, to the last level as libjpeg-turbo's own C code does it.
//!
//! Receives the planes as they are stored, a few rows at a time; gives RGB rows. libjpeg does these steps sample by sample, and only its assembly, for which
//! a build needs `nasm`, does more at once. These loops the compiler turns into vector instructions: they take a third of the time.

use burncam_graph::wide;

use crate::fixed::product;

/// Rows of a component that libjpeg gives at once, for each of its sampling factors: those of one transform.
pub(super) const LINES: usize = 8;

/// Pixels that are converted together, in buffers on the stack.
const BATCH: usize = 64;

/// How much finer luma is than chroma, across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sampling {
    pub(super) across: usize,
    pub(super) down: usize,
}

/// Planes of a picture on their way to RGB. Only two groups of rows are kept of each.
#[derive(Debug)]
pub(super) struct Planes {
    size: [usize; 2],
    sampling: Sampling,
    /// Luma, then the two of chroma.
    planes: [Plane; 3],
    /// The first row that has not been given.
    next: usize,
    /// Chroma of one row, at the picture's width.
    chroma: [Vec<u8>; 2],
    /// A row of chroma with its neighbour above or below, and one more at either end.
    sums: Vec<u16>,
}

/// Two groups of rows of a component.
#[derive(Debug)]
struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// Rows of a group.
    rows: usize,
    /// Rows of the whole plane.
    height: usize,
}

impl Plane {
    fn new([width, height]: [usize; 2], finer: Sampling, units: usize) -> Self {
        let (stride, rows) = (units * LINES * finer.across, LINES * finer.down);
        debug_assert!(width <= stride);
        Self { samples: vec![0; 2 * rows * stride], stride, rows, height }
    }

    /// A row, the first or last one for those outside.
    fn row(&self, y: isize) -> &[u8] {
        let y = y.clamp(0, self.height as isize - 1) as usize % (2 * self.rows);
        &self.samples[y * self.stride..][..self.stride]
    }
}

impl Planes {
    /// For a picture of this size. `None` where libjpeg takes another way.
    pub(super) fn new([width, height]: [usize; 2], sampling: Sampling) -> Option<Self> {
        let Sampling { across, down } = sampling;
        let coarse = [width.div_ceil(across), height.div_ceil(down)];
        // libjpeg smooths no narrower plane.
        if !matches!((across, down), (1, 1) | (2, 1 | 2)) || coarse[0] <= 2 {
            return None;
        }
        let units = width.div_ceil(LINES * across);
        let one = Sampling { across: 1, down: 1 };
        let chroma = || Plane::new(coarse, one, units);
        Some(Self {
            size: [width, height],
            sampling,
            planes: [Plane::new([width, height], sampling, units), chroma(), chroma()],
            next: 0,
            chroma: [vec![0; coarse[0] * across], vec![0; coarse[0] * across]],
            sums: vec![0; coarse[0] + 2],
        })
    }

    pub(super) fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Number of groups of rows.
    pub(super) fn groups(&self) -> usize {
        self.size[1].div_ceil(LINES * self.sampling.down)
    }

    /// Where the rows of a group go, from the upper one on.
    pub(super) fn rows(&mut self, component: usize, group: usize) -> impl Iterator<Item = &mut [u8]> {
        let Plane { samples, stride, rows, .. } = &mut self.planes[component];
        let length = *rows * *stride;
        samples[group % 2 * length..][..length].chunks_exact_mut(*stride)
    }

    /// Bytes that [`Planes::give`] writes at most.
    pub(super) fn most(&self) -> usize {
        self.size[0] * 3 * (LINES + 1) * self.sampling.down
    }

    /// Writes the rows of the picture that are complete when this group is, and gives the number of bytes.
    pub(super) fn give(&mut self, group: usize, out: &mut [u8]) -> usize {
        give_wide(self, group, out)
    }

    #[inline(always)]
    fn give_rows(&mut self, group: usize, out: &mut [u8]) -> usize {
        let [width, height] = self.size;
        let read = (group + 1) * LINES * self.sampling.down;
        // The last row is mixed with the next row of chroma.
        let ready = if read < height { read - (self.sampling.down - 1) } else { height };
        let length = (ready - self.next) * width * 3;
        for (y, out) in (self.next..ready).zip(out.chunks_exact_mut(width * 3)) {
            for component in [0, 1] {
                self.widen(component, y);
            }
            let luma = &self.planes[0].row(y as isize)[..width];
            let [blue, red] = self.chroma.each_ref().map(|row| &row[..width]);
            convert([luma, blue, red], out);
        }
        self.next = ready;
        length
    }

    /// The chroma of a row at the picture's width: three parts of the nearest sample and one of the next, along both axes.
    #[inline(always)]
    fn widen(&mut self, component: usize, y: usize) {
        let Sampling { across, down } = self.sampling;
        let (plane, out) = (&self.planes[1 + component], &mut self.chroma[component]);
        let near = plane.row((y / down) as isize);
        let count = out.len() / across;
        if across == 1 {
            return out.copy_from_slice(&near[..count]);
        }
        let sums = &mut self.sums[1..=count];
        // libjpeg's halves: it rounds one of two neighbours up and one down.
        let (halves, shift) = if down == 2 {
            let far = plane.row((y / 2) as isize + if y.is_multiple_of(2) { -1 } else { 1 });
            for (sum, (near, far)) in sums.iter_mut().zip(near.iter().zip(far)) {
                *sum = u16::from(*near) * 3 + u16::from(*far);
            }
            ([8, 7], 4)
        } else {
            for (sum, near) in sums.iter_mut().zip(near) {
                *sum = (*near).into();
            }
            ([1, 2], 2)
        };
        // At its ends a row goes on as it ends.
        self.sums[0] = self.sums[1];
        self.sums[count + 1] = self.sums[count];
        let (left, middle, right) = (&self.sums[..count], &self.sums[1..=count], &self.sums[2..]);
        for (at, pair) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let nearest = middle[at] * 3;
            *pair = [
                ((nearest + left[at] + halves[0]) >> shift) as u8,
                ((nearest + right[at] + halves[1]) >> shift) as u8,
            ];
        }
    }
}

wide!(fn give_wide(planes: &mut Planes, group: usize, out: &mut [u8]) -> usize = Planes::give_rows);

/// JFIF's conversion of a row.
#[inline(always)]
fn convert(planes: [&[u8]; 3], out: &mut [u8]) {
    for (batch, out) in out.chunks_mut(3 * BATCH).enumerate() {
        let samples = planes.map(|plane| {
            let plane = &plane[batch * BATCH..];
            let mut samples = [0; BATCH];
            match plane.first_chunk() {
                Some(whole) => samples = *whole,
                None => samples[..plane.len()].copy_from_slice(plane),
            }
            samples
        });
        interleave(&colours(&samples), out);
    }
}

/// Red, green and blue, with libjpeg's constants of 16 fractional bits. What exceeds 16 bits of a constant is added as a whole.
#[inline(always)]
fn colours([luma, blue, red]: &[[u8; BATCH]; 3]) -> [[u8; BATCH]; 3] {
    let mut colours = [[0; BATCH]; 3];
    for at in 0..BATCH {
        let [y, b, r] = [luma[at], blue[at], red[at]].map(i16::from);
        let (b, r) = (b - 128, r - 128);
        // 1.402 is 65536 + 26345, 1.772 is 131072 - 14942, 0.71414 is 65536 - 18734 parts of 65536.
        let green = (-22554 * i32::from(b) + 18734 * i32::from(r) + 32768) >> 16;
        colours[0][at] = (y + r + product(26345, r)).clamp(0, 255) as u8;
        colours[1][at] = (y - r + green as i16).clamp(0, 255) as u8;
        colours[2][at] = (y + 2 * b + product(-14942, b)).clamp(0, 255) as u8;
    }
    colours
}

/// Three planes as pixels. Four pixels are put together in registers first: single bytes take three times as many writes.
#[inline(always)]
fn interleave([red, green, blue]: &[[u8; BATCH]; 3], out: &mut [u8]) {
    let mut words = [0_u32; BATCH];
    for (at, word) in words.iter_mut().enumerate() {
        *word = u32::from(red[at]) | u32::from(green[at]) << 8 | u32::from(blue[at]) << 16;
    }
    let (fours, rest) = out.as_chunks_mut::<12>();
    for (bytes, [a, b, c, d]) in fours.iter_mut().zip(words.as_chunks().0) {
        bytes[..4].copy_from_slice(&(a | b << 24).to_le_bytes());
        bytes[4..8].copy_from_slice(&(b >> 8 | c << 16).to_le_bytes());
        bytes[8..].copy_from_slice(&(c >> 16 | d << 8).to_le_bytes());
    }
    let done = 4 * fours.len();
    for (pixel, word) in rest.as_chunks_mut::<3>().0.iter_mut().zip(&words[done..]) {
        pixel.copy_from_slice(&word.to_le_bytes()[..3]);
    }
}

#[cfg(test)]
#[path = "ycc_tests.rs"]
mod tests;
