//! Golden pictures: decoded, within one level, with a triptych on failure. `BLESS=1` rewrites them and fails.

use image::{GenericImage as _, Rgb, RgbImage};

use crate::support::fixture;

/// Compares with `fixtures/golden/NAME`; a failure leaves expected, difference and actual side by side in `target/`.
#[track_caller]
pub(crate) fn check(actual: &RgbImage, name: &str) {
    let path = fixture("golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(fixture("golden")).unwrap();
        actual.save(&path).unwrap();
        panic!("'{}' was rewritten: look at it, and run again without BLESS", path.display());
    }
    let expected = image::open(&path).unwrap().to_rgb8();
    assert_eq!(actual.dimensions(), expected.dimensions(), "the golden picture has another size");
    let differs = |(a, b): (&Rgb<u8>, &Rgb<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 1);
    let count = actual.pixels().zip(expected.pixels()).filter(|pair| differs(*pair)).count();
    if count > 0 {
        let shown = triptych(&expected, actual, name);
        panic!("{count} pixels of '{name}' differ; expected, difference and actual are in '{shown}'");
    }
}

fn triptych(expected: &RgbImage, actual: &RgbImage, name: &str) -> String {
    let (width, height) = expected.dimensions();
    let difference = RgbImage::from_fn(width, height, |x, y| {
        let (a, b) = (expected.get_pixel(x, y).0, actual.get_pixel(x, y).0);
        Rgb([0, 1, 2].map(|channel| a[channel].abs_diff(b[channel]).saturating_mul(16)))
    });
    let mut sheet = RgbImage::new(3 * width, height);
    for (at, picture) in [expected, &difference, actual].into_iter().enumerate() {
        sheet.copy_from(picture, at as u32 * width, 0).unwrap();
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    sheet.save(&path).unwrap();
    path.display().to_string()
}
