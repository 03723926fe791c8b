//! Pictures, one target per format, so that each keeps a corpus of its own.

use burncam_picture::input::{ClassMask, Icc, Picture, ReadOptions};

use super::file;

pub(super) fn bmp(data: &[u8]) {
    with(data, |data| data.starts_with(b"BM"));
}

pub(super) fn gif(data: &[u8]) {
    with(data, |data| data.starts_with(b"GIF8"));
}

pub(super) fn jpeg(data: &[u8]) {
    with(data, |data| data.starts_with(b"\xff\xd8\xff"));
}

pub(super) fn jxl(data: &[u8]) {
    with(data, |data| data.starts_with(b"\xff\x0a") || data.get(4..8) == Some(b"JXL "));
}

pub(super) fn png(data: &[u8]) {
    with(data, |data| data.starts_with(b"\x89PNG\r\n\x1a\n"));
}

pub(super) fn pnm(data: &[u8]) {
    with(data, |data| data.starts_with(b"P"));
}

pub(super) fn tiff(data: &[u8]) {
    with(data, |data| data.starts_with(b"II") || data.starts_with(b"MM"));
}

pub(super) fn webp(data: &[u8]) {
    with(data, |data| data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP"));
}

/// A mask of classes, a PNG.
pub(super) fn mask(data: &[u8]) {
    file::with("mask.png", data, |path| {
        if let Ok(mask) = ClassMask::open(path) {
            assert_eq!(mask.values.len(), mask.height * mask.width);
        }
    });
}

fn with(data: &[u8], is_of_format: impl Fn(&[u8]) -> bool) {
    if !is_of_format(data) {
        return;
    }
    for (icc, window) in [(Icc::Keep, None), (Icc::Convert, Some([-100.0, 4095.0]))] {
        let options = ReadOptions { icc, window, ..ReadOptions::default() };
        let Ok(picture) = Picture::from_bytes(data, "a picture", options) else { continue };
        assert_eq!(<[u32; 2]>::from(picture.rgb.dimensions()), picture.size);
        if let Some(shown) = &picture.shown {
            assert_eq!(<[u32; 2]>::from(shown.dimensions()), picture.size);
        }
    }
}
