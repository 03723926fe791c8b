//! PNG's filters: what is left of a row when each byte is predicted from its neighbours (PNG specification, section 9).

use burncam_graph::wide;

/// How the bytes of a row are predicted. The numbers are the standard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Not at all.
    None = 0,
    /// From the pixel to the left.
    Sub = 1,
    /// From the pixel above.
    Up = 2,
    /// From the mean of both.
    Average = 3,
    /// From the one of left, above and above left that is nearest to left + above - above left.
    Paeth = 4,
}

impl Filter {
    pub(super) const ALL: [Self; 5] = [Self::None, Self::Sub, Self::Up, Self::Average, Self::Paeth];

    /// Writes what is left of `row`, of pixels of `step` bytes. `above` is the row before it, or zeros.
    pub(super) fn apply(self, step: usize, above: &[u8], row: &[u8], out: &mut [u8]) {
        apply_wide(self, step, above, row, out);
    }

    #[inline(always)]
    fn write_rest(self, step: usize, above: &[u8], row: &[u8], out: &mut [u8]) {
        let length = row.len();
        let (above, out) = (&above[..length], &mut out[..length]);
        // Left of the first pixel everything is zero.
        for at in 0..step {
            let prediction = match self {
                Self::None | Self::Sub => 0,
                Self::Up | Self::Paeth => above[at],
                Self::Average => above[at] / 2,
            };
            out[at] = row[at].wrapping_sub(prediction);
        }
        let rest = length - step;
        let (left, corner) = (&row[..rest], &above[..rest]);
        let (row, above, out) = (&row[step..], &above[step..], &mut out[step..]);
        match self {
            Self::None => out.copy_from_slice(row),
            Self::Sub => subtract(row, out, |at| left[at]),
            Self::Up => subtract(row, out, |at| above[at]),
            Self::Average => {
                subtract(row, out, |at| (left[at] & above[at]) + ((left[at] ^ above[at]) >> 1));
            }
            Self::Paeth => subtract(row, out, |at| paeth(left[at], above[at], corner[at])),
        }
    }

    /// The filter that leaves the smallest numbers of `row`, read as signed bytes.
    pub(super) fn of(step: usize, above: &[u8], row: &[u8], scratch: &mut [u8]) -> Self {
        let mut cost = |filter: &Self| {
            filter.apply(step, above, row, scratch);
            magnitude_wide(&scratch[..row.len()])
        };
        Self::ALL.into_iter().min_by_key(|filter| cost(filter)).unwrap_or(Self::None)
    }
}

wide!(fn apply_wide(filter: Filter, step: usize, above: &[u8], row: &[u8], out: &mut [u8]) = Filter::write_rest);
wide!(fn magnitude_wide(bytes: &[u8]) -> u64 = magnitude);

/// A loop and no closure around another one, which would be compiled by itself.
#[inline(always)]
fn subtract(row: &[u8], out: &mut [u8], prediction: impl Fn(usize) -> u8) {
    for at in 0..row.len() {
        out[at] = row[at].wrapping_sub(prediction(at));
    }
}

#[inline(always)]
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(above), i16::from(corner));
    let (from_left, from_above) = ((b - c).abs(), (a - c).abs());
    let from_corner = (a + b - 2 * c).abs();
    let nearest = if from_above <= from_corner { above } else { corner };
    if from_left <= from_above && from_left <= from_corner { left } else { nearest }
}

/// The sum of all magnitudes. In blocks whose sum 32 bits hold, so that the loop vectorises.
#[inline(always)]
fn magnitude(bytes: &[u8]) -> u64 {
    let mut sum = 0;
    for chunk in bytes.chunks(256) {
        let mut of_chunk = 0;
        for byte in chunk {
            of_chunk += u32::from((*byte as i8).unsigned_abs());
        }
        sum += u64::from(of_chunk);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the standard's decoder makes of a filtered row, byte by byte.
    fn undone(filter: Filter, step: usize, above: &[u8], filtered: &[u8]) -> Vec<u8> {
        let mut row: Vec<u8> = vec![];
        for (at, byte) in filtered.iter().enumerate() {
            let left = at.checked_sub(step).map_or(0, |at| i32::from(row[at]));
            let corner = at.checked_sub(step).map_or(0, |at| i32::from(above[at]));
            let up = i32::from(above[at]);
            let nearest = [left, up, corner].into_iter().min_by_key(|each| (left + up - corner - each).abs());
            let prediction = match filter {
                Filter::None => 0,
                Filter::Sub => left,
                Filter::Up => up,
                Filter::Average => (left + up) / 2,
                Filter::Paeth => nearest.unwrap(),
            };
            row.push(byte.wrapping_add(prediction as u8));
        }
        row
    }

    #[test]
    fn a_decoder_undoes_every_filter_for_every_size_of_pixel() {
        let bytes = |seed: u32| -> Vec<u8> { (1..=120).map(|at| ((at * at * seed) >> 3) as u8).collect() };
        let (above, row) = (bytes(7), bytes(11));
        for step in [1, 2, 3, 4] {
            for filter in Filter::ALL {
                let mut filtered = vec![0; row.len()];
                filter.apply(step, &above, &row, &mut filtered);
                assert_eq!(undone(filter, step, &above, &filtered), row, "{filter:?} {step}");
            }
        }
    }

    #[test]
    fn the_filter_that_leaves_least_is_taken() {
        let of = |above: &[u8], row: &[u8]| Filter::of(1, above, row, &mut [0; 6]);
        assert_eq!(of(&[9, 50, 3, 80, 7, 60], &[9, 50, 3, 80, 7, 60]), Filter::Up);
        assert_eq!(of(&[200, 0, 9, 130, 77, 4], &[100; 6]), Filter::Sub);
        assert_eq!(of(&[0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 0]), Filter::None);
    }
}
