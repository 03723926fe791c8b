//! Luma and chroma that are not in a JPEG stream: blocks of pixels that share their chroma, as TIFF 6.0 has them in section 21.
//!
//! Receives the plain bytes of a strip or tile; gives its pixels as RGB. Chroma is not smoothed between blocks, as in libtiff.

use super::ifd::Ifd;
use crate::input::raster::Fault;

/// How colours were made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ycc {
    /// Pixels that share their chroma, across and down.
    pub(super) block: [usize; 2],
    /// The shares of red, green and blue in the luma.
    luma: [f64; 3],
    /// The codes of black and white of the luma, and of no colour and full colour of each chroma.
    codes: [f64; 6],
}

impl Ycc {
    pub(super) fn read(ifd: &Ifd<'_>) -> Result<Self, Fault> {
        let block: [usize; 2] = match ifd.numbers(530).as_deref() {
            None => [2, 2],
            Some([across @ (1 | 2 | 4), down @ (1 | 2 | 4)]) => [*across as usize, *down as usize],
            Some(other) => return Err(Fault::Unsupported(format!("chroma for blocks of {other:?} pixels"))),
        };
        let known = |tag: u16| ifd.reals(tag).filter(|all| all.iter().all(|number| number.is_finite()));
        let luma = known(529).and_then(|all| <[f64; 3]>::try_from(all).ok()).unwrap_or([0.299, 0.587, 0.114]);
        let codes = known(532).and_then(|all| <[f64; 6]>::try_from(all).ok());
        let codes = codes.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let is_sound = luma[1] != 0.0 && codes.chunks_exact(2).all(|pair| pair[0] != pair[1]);
        if is_sound {
            Ok(Self { block, luma, codes })
        } else {
            Err(Fault::Damaged("its luma has no green, or its codes no range".to_owned()))
        }
    }

    /// Bytes of one row of blocks this many pixels wide: the luma of each pixel, and two chromas for each block.
    pub(super) fn row_bytes(&self, width: usize) -> usize {
        width.div_ceil(self.block[0]) * self.unit()
    }

    /// Bytes of a block.
    fn unit(&self) -> usize {
        self.block[0] * self.block[1] + 2
    }

    /// The pixels of a chunk, `width` to a row, as many whole rows of blocks as there are.
    pub(super) fn rgb(&self, chunk: &[u8], width: usize) -> Vec<u8> {
        let [across, down] = self.block;
        let row = self.row_bytes(width);
        let mut rgb = vec![0; chunk.len() / row * down * width * 3];
        for (y, blocks) in chunk.chunks_exact(row).enumerate() {
            for (x, unit) in blocks.chunks_exact(self.unit()).enumerate() {
                let (luma, chroma) = unit.split_at(across * down);
                for (at, luma) in luma.iter().enumerate() {
                    let (x, y) = (x * across + at % across, y * down + at / across);
                    if x < width {
                        let pixel = (y * width + x) * 3;
                        rgb[pixel..pixel + 3].copy_from_slice(&self.colour(*luma, chroma));
                    }
                }
            }
        }
        rgb
    }

    fn colour(&self, luma: u8, chroma: &[u8]) -> [u8; 3] {
        let of = |code: u8, at: usize, range: f64| {
            (f64::from(code) - self.codes[at]) * range / (self.codes[at + 1] - self.codes[at])
        };
        let (luma, blue, red) = (of(luma, 0, 255.0), of(chroma[0], 2, 127.0), of(chroma[1], 4, 127.0));
        let [in_red, in_green, in_blue] = self.luma;
        let red = luma + red * (2.0 - 2.0 * in_red);
        let blue = luma + blue * (2.0 - 2.0 * in_blue);
        let green = (luma - in_blue * blue - in_red * red) / in_green;
        // `as` saturates.
        [red, green, blue].map(|level| level.round() as u8)
    }
}
