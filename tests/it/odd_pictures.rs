//! Pictures in every odd format and state of repair, made by `fixtures/scripts/odd_pictures.py`.

use std::path::PathBuf;

use burncam::Picture;
use image::RgbImage;

const WHITE: [u8; 3] = [255; 3];

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/images/odd/")).join(name)
}

fn open(name: &str) -> Picture {
    Picture::open(&path(name), WHITE).unwrap()
}

fn problem(name: &str) -> String {
    Picture::open(&path(name), WHITE).unwrap_err().to_string()
}

/// The greatest difference of two pictures of one size, in levels.
fn distance(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn lossless_formats_hold_one_and_the_same_picture() {
    let expected = open("rgb.png").rgb;
    for (name, format) in [("rgb.bmp", "bmp"), ("rgb.tiff", "tiff"), ("rgb.webp", "webp")] {
        let picture = open(name);
        assert_eq!((picture.rgb == expected, picture.format.as_str()), (true, format), "{name}");
    }
    // The samples are up to 6 of 65535 above 257 times the 8-bit ones, which rounding takes back.
    assert_eq!(open("rgb16.png").rgb, expected);
    assert_eq!(open("grey16.png").rgb, open("grey8.png").rgb);
    assert_eq!(open("palette.png").rgb, open("rgb.gif").rgb);
}

#[test]
fn every_orientation_comes_upright() {
    let expected = open("rgb.png").rgb;
    for orientation in 1..=8 {
        let picture = open(&format!("exif_{orientation}.jpg"));
        assert_eq!((picture.orientation, picture.format.as_str()), (orientation, "jpeg"));
        let distance = distance(&picture.rgb, &expected);
        assert!(distance <= JPEG_TOLERANCE, "orientation {orientation}: {distance} levels");
    }
}

/// What JPEG at quality 95 may change in the base picture, in levels (17 at most). A wrong turn changes far more.
const JPEG_TOLERANCE: u8 = 20;

#[test]
fn grey_and_cmyk_jpegs_come_as_rgb() {
    let grey = open("grey.jpg").rgb;
    assert!(grey.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]));
    assert!(distance(&grey, &open("grey8.png").rgb) <= JPEG_TOLERANCE);
    assert!(distance(&open("cmyk.jpg").rgb, &open("rgb.png").rgb) <= JPEG_TOLERANCE);
}

#[test]
fn transparency_shows_the_background_that_was_asked_for() {
    let opaque = open("rgb.png").rgb;
    let over_black = Picture::open(&path("alpha.png"), [0; 3]).unwrap().rgb;
    let over_white = open("alpha.png").rgb;
    for (x, y, pixel) in opaque.enumerate_pixels() {
        let (black, white) = (over_black.get_pixel(x, y), over_white.get_pixel(x, y));
        match x {
            0..24 => assert_eq!((black, white), (pixel, pixel)),
            24..36 => {
                let half = |under: u32| {
                    pixel.0.map(|level| ((u32::from(level) * 128 + under * 127 + 127) / 255) as u8)
                };
                assert_eq!((black.0, white.0), (half(0), half(255)));
            }
            _ => assert_eq!((black.0, white.0), ([0; 3], WHITE)),
        }
    }
}

#[test]
fn broken_files_are_refused_in_plain_words() {
    assert!(problem("truncated.png").contains("damaged or cut short"));
    assert!(problem("not_an_image.jpg").contains("not a picture: expected PNG, JPEG"));
    assert!(problem("empty.png").ends_with("the file is empty"));
    assert!(
        problem("huge_claim.png")
            .ends_with("100000x100000 pixels is more than the limit of 300 megapixels (shrink it first)")
    );
    assert!(problem("no_such_file.png").starts_with("cannot read '"));
}

#[test]
fn the_fingerprint_is_the_files_own() {
    // sha256sum fixtures/images/odd/rgb.png
    assert_eq!(open("rgb.png").sha256, "74b6228d8f5d1cfc34514f8a18b81a532b6acc2ca82f164ea4fa86ea2baf891f");
}
