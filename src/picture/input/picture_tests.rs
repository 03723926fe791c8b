//! Pictures of every format, sound and damaged.

use std::io::Cursor;

use image::{DynamicImage, Luma, LumaA, Rgb, Rgba, RgbaImage};

use super::*;
use crate::error::Piece;

const WHITE: [u8; 3] = [255; 3];

fn encoded(picture: impl Into<DynamicImage>, kind: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, kind).unwrap();
    bytes.into_inner()
}

fn problem(bytes: &[u8]) -> String {
    Picture::from_bytes(bytes, "x", WHITE).unwrap_err().to_string()
}

#[test]
fn lossless_formats_give_the_pixels_back_whatever_the_name_says() {
    let rgb = RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8 * 40, y as u8 * 90, 7]));
    for (kind, format) in [
        (ImageFormat::Png, "png"),
        (ImageFormat::Bmp, "bmp"),
        (ImageFormat::Tiff, "tiff"),
        (ImageFormat::Pnm, "pnm"),
        (ImageFormat::WebP, "webp"),
    ] {
        let picture = Picture::from_bytes(&encoded(rgb.clone(), kind), "x.jpg", WHITE).unwrap();
        assert_eq!(picture.rgb, rgb, "{format}");
        assert_eq!((picture.format.as_str(), picture.orientation), (format, 1));
    }
}

#[test]
fn sixteen_bits_are_rounded_to_eight_and_grey_becomes_three_channels() {
    let grey = image::ImageBuffer::<Luma<u16>, _>::from_vec(3, 1, vec![128, 129, 65535]).unwrap();
    let picture = Picture::from_bytes(&encoded(grey, ImageFormat::Png), "x", WHITE).unwrap();
    assert_eq!(picture.rgb.into_raw(), [0, 0, 0, 1, 1, 1, 255, 255, 255]);
}

#[test]
fn transparency_shows_the_background() {
    let rgba = RgbaImage::from_vec(3, 1, vec![9, 8, 7, 255, 9, 8, 7, 0, 100, 0, 200, 51]).unwrap();
    let picture = Picture::from_bytes(&encoded(rgba, ImageFormat::Png), "x", [10, 20, 30]).unwrap();
    // 51 of 255 is one fifth: (100 + 4 * 10) / 5 = 28, 4 * 20 / 5 = 16, (200 + 4 * 30) / 5 = 64.
    assert_eq!(picture.rgb.into_raw(), [9, 8, 7, 10, 20, 30, 28, 16, 64]);

    let grey = image::ImageBuffer::<LumaA<u8>, _>::from_vec(1, 1, vec![40, 0]).unwrap();
    let picture = Picture::from_bytes(&encoded(grey, ImageFormat::Png), "x", WHITE).unwrap();
    assert_eq!(picture.rgb.into_raw(), [255, 255, 255]);
}

#[test]
fn a_jpeg_is_turned_as_it_says() {
    // Of several groups of rows with chroma at half of the resolution, and a last one that is not full.
    let photo = RgbImage::from_fn(75, 61, |x, y| Rgb([3 * x as u8, 4 * y as u8, (x * y) as u8]));
    let plain = crate::render::encode_jpeg(&photo, 80).unwrap();
    let stored = DynamicImage::from(Picture::from_bytes(&plain, "x", WHITE).unwrap().rgb);
    for number in 1..=8 {
        let tag = [
            &b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
            &[number, 0, 0, 0, 0, 0, 0, 0][..],
        ];
        let tag = tag.concat();
        let head = [0xff, 0xe1, 0, tag.len() as u8 + 2];
        let picture = [&plain[..2], &head, &tag, &plain[2..]].concat();
        let picture = Picture::from_bytes(&picture, "x", WHITE).unwrap();
        let mut expected = stored.clone();
        expected.apply_orientation(image::metadata::Orientation::from_exif(number).unwrap());
        assert!(picture.rgb == expected.into_rgb8(), "{number}");
        assert_eq!((picture.orientation, picture.size), (number, picture.rgb.dimensions().into()));
    }
}

#[test]
fn the_first_frame_of_an_animation_counts() {
    let mut bytes = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
            encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(4, 4, Rgba(colour)))).unwrap();
        }
    }
    let picture = Picture::from_bytes(&bytes, "x", WHITE).unwrap();
    assert_eq!(picture.format, "gif");
    assert!(picture.rgb.pixels().all(|pixel| pixel.0 == [255, 0, 0]));
}

#[test]
fn what_is_no_picture_is_refused_in_plain_words() {
    assert_eq!(problem(b""), "image 'x': the file is empty");
    assert!(problem(b"hello, I am a text file").contains("not a picture: expected PNG, JPEG"));
    let whole = encoded(RgbImage::new(64, 64), ImageFormat::Png);
    let cut = problem(&whole[..whole.len() / 2]);
    assert!(cut.contains("damaged or cut short") && !cut.contains('\n'), "{cut}");
    let whole = encoded(RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8; 3])), ImageFormat::Jpeg);
    // What there is of a JPEG is given, with a warning, and refused where that is asked for.
    let cut = &whole[..whole.len() - 40];
    let picture = Picture::from_bytes(cut, "x", WHITE).unwrap();
    assert_eq!(picture.warnings, ["the jpeg is cut short: the decoder filled in what is missing"]);
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let refused = Picture::from_bytes(cut, "x", strict).unwrap_err().to_string();
    assert!(refused.starts_with("image 'x': the jpeg is cut short: "), "{refused}");
    assert!(Picture::from_bytes(&whole, "x", strict).unwrap().warnings.is_empty());
}

#[test]
fn a_size_beyond_the_limit_is_refused_before_decoding() {
    let bomb = b"P6 100000 100000 255 ";
    assert_eq!(
        problem(bomb),
        "image 'x': 100000x100000 pixels is more than the limit of 300 megapixels (shrink it first)"
    );
}

#[test]
fn a_png_of_which_only_checksums_are_wrong_is_read_with_a_warning() {
    let rgb = RgbImage::from_fn(9, 7, |x, y| Rgb([x as u8 * 20, y as u8 * 30, 5]));
    let mut bytes = encoded(rgb.clone(), ImageFormat::Png);
    let data = bytes.windows(4).position(|name| name == b"IDAT").unwrap();
    let length = u32::from_be_bytes(*bytes[data - 4..].first_chunk().unwrap()) as usize;
    bytes[data + 4 + length] ^= 1;
    let picture = Picture::from_bytes(&bytes, "x", WHITE).unwrap();
    assert_eq!(picture.rgb, rgb);
    assert_eq!(
        picture.warnings,
        ["the png is damaged: its checksums do not fit, so its pixels may be wrong"]
    );
}

/// A PNG with a colour profile.
fn with_profile(pixels: &RgbImage, profile: &moxcms::ColorProfile) -> Vec<u8> {
    use image::ImageEncoder as _;
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile.encode().unwrap()).unwrap();
    let (width, height) = pixels.dimensions();
    encoder.write_image(pixels, width, height, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn colours_of_another_profile_are_kept_with_a_warning_or_converted() {
    // Display P3's coordinates of sRGB's pure red, by colour.js: 0.917488, 0.200287, 0.138561.
    let stored = RgbImage::from_pixel(2, 1, Rgb([234, 51, 35]));
    let bytes = with_profile(&stored, &moxcms::ColorProfile::new_display_p3());
    let kept = Picture::from_bytes(&bytes, "x", WHITE).unwrap();
    assert_eq!(kept.rgb, stored);
    let near = |rgb: &RgbImage| {
        rgb.pixels().all(|pixel| pixel.0.iter().zip([255, 0, 0]).all(|(a, b)| a.abs_diff(b) <= 2))
    };
    assert!(near(kept.shown.as_ref().unwrap()), "{:?}", kept.shown);
    let [warning] = &kept.warnings[..] else { panic!("{:?}", kept.warnings) };
    let text = warning.to_string();
    assert!(text.contains("P3") && text.contains("as stored"), "{text}");
    assert!(
        matches!(&warning.pieces()[1], Piece::Set(OptionName::Icc, value) if value == "convert"),
        "{warning:?}"
    );

    let options = ReadOptions { icc: Icc::Convert, ..ReadOptions::default() };
    let converted = Picture::from_bytes(&bytes, "x", options).unwrap();
    assert!(near(&converted.rgb) && converted.shown.is_none() && converted.warnings.is_empty());
    assert!(converted.profile.unwrap().converted);
}

#[test]
fn srgb_is_told_from_other_profiles_by_its_colours() {
    let stored = RgbImage::from_pixel(2, 1, Rgb([9, 99, 200]));
    let read = |profile: moxcms::ColorProfile| {
        Picture::from_bytes(&with_profile(&stored, &profile), "x", WHITE).unwrap()
    };
    let srgb = read(moxcms::ColorProfile::new_srgb());
    assert_eq!((srgb.profile, srgb.warnings.len(), srgb.shown), (None, 0, None));
    for other in [moxcms::ColorProfile::new_adobe_rgb(), moxcms::ColorProfile::new_pro_photo_rgb()] {
        assert_eq!(read(other).warnings.len(), 1);
    }
    // A profile for grey on a picture of colours.
    let grey = read(moxcms::ColorProfile::new_gray_with_gamma(2.2));
    assert!(grey.warnings[0].to_string().contains("cannot be used"), "{:?}", grey.warnings);
}

#[test]
fn a_frame_larger_than_its_screen_is_held_to_the_limit() {
    // A screen of 8x8, and a first frame of 19000x19000 (0x4a38).
    let gif = b"GIF89a\x08\0\x08\0\0\0\0!\xfe\x02hi\0,\0\0\0\0\x38\x4a\x38\x4a\0\x02\0;";
    assert_eq!(
        problem(gif),
        "image 'x': 19000x19000 pixels is more than the limit of 300 megapixels (shrink it first)"
    );
}

#[test]
fn a_jpeg_of_thousands_of_scans_is_refused() {
    let mut bytes = encoded(RgbImage::new(4000, 1000), ImageFormat::Jpeg);
    let end = bytes.len() - 2;
    let scan = [0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0];
    bytes.splice(end..end, std::iter::repeat_n(scan, 1000).flatten());
    assert!(
        problem(&bytes).contains("it has 1001 scans, far more than a picture has"),
        "{}",
        problem(&bytes)
    );
}

#[test]
fn kinds_of_jpeg_that_are_not_decoded_are_named() {
    let whole = encoded(RgbImage::new(8, 8), ImageFormat::Jpeg);
    let frame = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[frame + at] = byte;
        problem(&bytes)
    };
    assert!(with(1, 0xc3).contains("a kind of jpeg that cannot be read: lossless JPEG (save it as"));
    assert!(with(1, 0xf7).contains("JPEG-LS"));
    assert!(with(1, 0xc5).contains("hierarchical JPEG"));
    assert!(with(4, 12).contains("12 bits per sample"));
    assert!(with(9, 2).contains("2 colour components"));
}

#[test]
fn a_small_version_of_a_jpeg_has_its_longer_side_at_least() {
    let photo = RgbImage::from_fn(300, 800, |x, y| Rgb([(x / 2) as u8, (y / 4) as u8, 90]));
    let file = tempfile::NamedTempFile::new().unwrap();
    for (kind, side, by) in [
        (ImageFormat::Jpeg, 801, 1),
        (ImageFormat::Jpeg, 400, 2),
        (ImageFormat::Jpeg, 201, 2),
        (ImageFormat::Jpeg, 200, 4),
        (ImageFormat::Jpeg, 50, 8),
        (ImageFormat::Png, 50, 1),
    ] {
        std::fs::write(file.path(), encoded(photo.clone(), kind)).unwrap();
        let small = Picture::open_small(file.path(), WHITE, side).unwrap();
        assert_eq!((small.reduced, small.size), (by, [300, 800]), "{kind:?} {side}");
        let (width, height) = small.rgb.dimensions();
        assert_eq!([width, height], [300_u32.div_ceil(by), 800_u32.div_ceil(by)]);
        let [expected, got] = [photo[(150, 400)], small.rgb[(width / 2, height / 2)]].map(|pixel| pixel.0);
        assert!(expected.iter().zip(got).all(|(one, other)| one.abs_diff(other) < 4), "{expected:?} {got:?}");
    }
}
