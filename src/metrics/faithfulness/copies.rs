//! Copies of a picture by what was replaced in them, so that copies that are the same are scored once.
//!
//! Methods often rank pixels alike: with an average and one linear layer behind the explained layer Grad-CAM, HiResCAM and XGrad-CAM are
//! the same map. Receives sets of pixels; gives a digest of each. Knows neither values nor scores.

use sha2::{Digest as _, Sha256};

/// Distinguishes copies of one picture.
pub(super) type Key = [u8; 32];

/// Which pixels of a copy were replaced, and by what.
#[derive(Debug, Clone)]
pub(super) struct Replaced<'a> {
    filling: &'a str,
    /// One bit per pixel.
    pixels: Vec<u8>,
}

impl<'a> Replaced<'a> {
    /// The picture itself. `filling` says all on which the values of replaced pixels depend, besides the picture and which pixels these are.
    pub(super) fn none(filling: &'a str, pixels: usize) -> Self {
        Self { filling, pixels: vec![0; pixels.div_ceil(8)] }
    }

    /// Replaces pixels that were not, and returns those that were replaced.
    pub(super) fn flip(&mut self, pixels: &[usize]) {
        pixels.iter().for_each(|pixel| self.pixels[pixel / 8] ^= 1 << (pixel % 8));
    }

    pub(super) fn key(&self) -> Key {
        let digest = Sha256::new().chain_update(self.filling).chain_update([0]);
        digest.chain_update(&self.pixels).finalize().into()
    }
}
