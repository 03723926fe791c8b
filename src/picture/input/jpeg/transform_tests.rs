//! The transform on vectors against libjpeg's own, in whole files.

use std::ffi::c_int;

use image::{Rgb, RgbImage};

use super::super::markers::Markers;
use super::super::transform::jpeg_set_idct_method_selector;
use super::*;
use crate::render::encode_jpeg;

/// Keeps what libjpeg has chosen.
unsafe extern "C-unwind" fn keep<Transform>(
    _: *mut jpeg_decompress_struct,
    _: *mut mozjpeg_sys::jpeg_component_info,
    _: *mut Transform,
    _: *mut c_int,
) {
}

/// The samples of a file by this transform, or by libjpeg's; `None` where it gives up.
fn samples(bytes: &[u8], own: bool) -> Option<Vec<u8>> {
    let frame = Markers::read(bytes).frame?;
    let work = || {
        let mut decompressor = Decompressor::new();
        if !own {
            // SAFETY: it was created.
            unsafe { jpeg_set_idct_method_selector(decompressor.info, keep) };
        }
        decompressor.read(bytes, frame, Space::Rgb, (1, false)).ok().map(|found| found.samples)
    };
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

fn noise(at: u32) -> u8 {
    (at.wrapping_mul(2_654_435_761) >> 13).wrapping_mul(at | 1).to_le_bytes()[2]
}

/// Smooth on the left, rough in the middle, black and white on the right.
fn photo() -> RgbImage {
    RgbImage::from_fn(231, 90, |x, y| match x {
        0..80 => Rgb([(2 * x) as u8, y as u8, 90]),
        80..160 => Rgb([0, 1, 2].map(|channel| noise(3 * (231 * y + x) + channel))),
        _ => Rgb([255 * (noise(231 * y + x) & 1); 3]),
    })
}

#[test]
fn every_sample_is_libjpegs_at_every_quality() {
    for quality in [1, 5, 20, 50, 75, 89, 90, 100] {
        let bytes = encode_jpeg(&photo(), quality).unwrap();
        let own = samples(&bytes, true).unwrap();
        assert!(own == samples(&bytes, false).unwrap(), "{quality}");
    }
}

#[test]
fn numbers_beyond_16_bits_are_left_to_libjpeg() {
    let sound = encode_jpeg(&photo(), 100).unwrap();
    let tables = sound.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    let scan = sound.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let mut compared = 0;
    for seed in 0..60 {
        let mut damaged = sound.clone();
        // Greater steps than any encoder takes, and codes of other blocks.
        damaged[tables + 5..tables + 5 + 64].fill(255);
        let end = damaged.len();
        for at in 0..seed {
            damaged[scan + 20 + (noise(seed * 977 + at) as usize * 53) % (end - scan - 30)] =
                noise(at) & 0x7f;
        }
        let found = [true, false].map(|own| samples(&damaged, own));
        assert!(found[0] == found[1], "{seed}");
        compared += usize::from(found[0].is_some());
    }
    assert!(compared > 30, "only {compared} were read");
}
