//! Which values a TIFF says are black and white, for samples that have no white of their own: floats and signed numbers.

use super::ifd::Ifd;

/// What is written in `SMinSampleValue` and `SMaxSampleValue`, or by ImageJ in the description as the range that it shows.
pub(super) fn stated(ifd: &Ifd<'_>) -> Option<[f64; 2]> {
    // One for each sample: all channels are shown alike.
    let of = |tag: u16, choose: fn(f64, f64) -> f64| ifd.reals(tag)?.into_iter().reduce(choose);
    let tags = of(340, f64::min).zip(of(341, f64::max));
    let window = tags.or_else(|| described(ifd.bytes_of(270)?));
    window.map(<[f64; 2]>::from).filter(|[black, white]| black < white && (white - black).is_finite())
}

fn described(text: &[u8]) -> Option<(f64, f64)> {
    let text = std::str::from_utf8(text).ok()?.trim_end_matches('\0');
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    if text.starts_with("ImageJ=") { of("min=").zip(of("max=")) } else { None }
}
