//! Picture files of every kind: the cases that were once decoded wrongly, and equality with what training pipelines decode.

use std::path::{Path, PathBuf};

use burncam::Picture;
use burncam_graph::card::{InputSpec, Preprocess};
use burncam_picture::input::{Npz, ReadOptions, preprocess};
use image::RgbImage;

use crate::support::fixture;

const WHITE: [u8; 3] = [255; 3];

fn case(name: &str) -> PathBuf {
    fixture("cases/pictures").join(name)
}

#[track_caller]
fn open(name: &str) -> Picture {
    Picture::open(&case(name), WHITE).unwrap()
}

/// The mean distance of two pictures' levels.
#[track_caller]
fn distance(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.iter().zip(other.iter()).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    sum as f64 / one.len() as f64
}

#[test]
fn files_that_were_decoded_wrongly_show_the_picture() {
    let reference = open("reference.png").rgb;
    // What quality 85 and a palette of 64 colours change, in levels on average.
    for (name, most) in [
        ("non_interleaved_420.jpg", 2.0),
        ("jfif_and_adobe_transform_0.jpg", 2.0),
        ("arithmetic.jpg", 2.0),
        ("jpeg_in_tiff.tif", 3.0),
        ("palette.tif", 4.0),
    ] {
        let picture = open(name);
        let distance = distance(&picture.rgb, &reference);
        assert!(distance < most, "{name}: {distance}");
        assert_eq!(picture.warnings.len(), 0, "{name}");
    }
}

#[test]
fn what_the_decoder_filled_in_is_said_and_refused_where_that_is_asked_for() {
    let sound = open("restart_undamaged.jpg");
    assert_eq!(sound.warnings.len(), 0);
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    for name in ["restart_16_bytes_damaged.jpg", "cut_half_with_end_marker.jpg"] {
        let picture = open(name);
        assert_eq!(
            picture.warnings,
            ["the jpeg is damaged: the decoder filled in what it could not read"],
            "{name}"
        );
        let error = Picture::open(&case(name), strict).unwrap_err().to_string();
        assert!(error.contains("the jpeg is damaged: ") && error.ends_with(')'), "{error}");
    }
    // Behind the next restart marker the picture goes on.
    let damaged = open("restart_16_bytes_damaged.jpg").rgb;
    assert!(distance(&damaged, &sound.rgb) < 3.0);
    let last = damaged.height() - 1;
    assert!((0..damaged.width()).all(|x| damaged.get_pixel(x, last) == sound.rgb.get_pixel(x, last)));
}

#[test]
fn planes_alpha_and_orientation_are_read() {
    let tiled = open("tiled_planar.tif").rgb;
    assert_eq!(tiled.dimensions(), (278, 374));
    // Colours multiplied by their alpha are darker, unless white is added where they are transparent.
    let premultiplied = open("premultiplied_alpha.tiff").rgb;
    assert_eq!(premultiplied.dimensions(), (120, 80));
    let turned = open("exif_prefix_orientation_6.webp");
    assert_eq!((turned.orientation, turned.rgb.dimensions()), (6, (80, 120)));
}

#[test]
fn a_photo_from_a_phone_is_named_for_what_it_is() {
    let error = Picture::open(&case("photo.heic"), WHITE).unwrap_err().to_string();
    assert!(error.contains("is a HEIC/HEIF picture, expected PNG, JPEG"), "{error}");
}

/// Every picture of a pack that `fixtures/scripts/picture_parity.py` made, with its pixels.
fn packed(path: &Path, mut each: impl FnMut(&str, &[u8], &RgbImage)) -> usize {
    let mut pack = Npz::open(path).unwrap();
    let mut bytes = |name: &str| {
        let array = pack.array(name, |_| Ok(())).unwrap();
        let bytes: Vec<u8> = array.values.iter().map(|value| *value as u8).collect();
        (array.shape, bytes)
    };
    let names = String::from_utf8(bytes("names").1).unwrap();
    for name in names.lines() {
        let (_, file) = bytes(name);
        let (shape, pixels) = bytes(&format!("{name}.pixels"));
        each(name, &file, &RgbImage::from_raw(shape[1] as u32, shape[0] as u32, pixels).unwrap());
    }
    names.lines().count()
}

#[test]
fn jpeg_and_tiff_files_have_the_pixels_that_pillow_and_tifffile_have() {
    let compare = |name: &str, file: &[u8], expected: &RgbImage| {
        let picture = Picture::from_bytes(file, name, WHITE).unwrap();
        assert!(picture.rgb == *expected, "{name}");
        assert_eq!(picture.warnings.len(), 0, "{name}");
    };
    assert!(packed(&case("parity.npz"), compare) > 70);
}

/// The pack is not committed; `BURNCAM_PACK` names it.
#[test]
#[ignore = "needs a pack that picture_parity.py makes"]
#[expect(clippy::print_stdout, reason = "the distance is what it is run for")]
fn the_networks_input_of_tiny_jpegs_is_what_pillow_decodes() {
    let spec: Preprocess =
        serde_json::from_str(r#"{ "resize": { "policy": "none" }, "scale": 1.0 }"#).unwrap();
    let mut greatest = 0.0f32;
    let count = packed(Path::new(&std::env::var("BURNCAM_PACK").unwrap()), |name, file, expected| {
        let picture = Picture::from_bytes(file, name, WHITE).unwrap();
        let (height, width) = (expected.height() as usize, expected.width() as usize);
        let input =
            InputSpec { name: "input".into(), channels: 3, height, width, layout: Default::default() };
        let values = preprocess(&picture.rgb, &spec, &input).unwrap().values;
        for (at, value) in values.iter().enumerate() {
            let (channel, pixel) = (at / (height * width), at % (height * width));
            greatest = greatest.max((value - f32::from(expected.as_raw()[pixel * 3 + channel])).abs());
        }
    });
    println!("{count} pictures, at most {greatest} levels from Pillow");
    assert!(greatest <= 1.0);
}

#[test]
fn a_large_jpeg_without_a_picture_is_decoded_in_part_and_the_record_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let photo = image::open(fixture("images/coffee.png")).unwrap().into_rgb8();
    let large = image::imageops::resize(&photo, 3000, 2100, image::imageops::FilterType::CatmullRom);
    let path = directory.path().join("large.jpg");
    large.save(&path).unwrap();
    let run = |arguments: &[&str], out: &str| -> serde_json::Value {
        let out = directory.path().join(out);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_burncam"));
        let output =
            command.args(["explain", "-q"]).arg(&path).arg("-o").arg(&out).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&std::fs::read(out.join("large.gradcam.json")).unwrap()).unwrap()
    };
    let (whole, part) = (run(&[], "whole"), run(&["--save", "record"], "part"));
    assert_eq!((whole["input"].get("reduced"), &part["input"]["reduced"]), (None, &serde_json::json!(2)));
    for same in ["width", "height", "sha256"] {
        assert_eq!(whole["input"][same], part["input"][same], "{same}");
    }
    assert_eq!(whole["network_input"], part["network_input"]);
    // The tolerance that docs/performance.md states, and boxes in the file's pixels.
    for (one, other) in
        whole["predictions"].as_array().unwrap().iter().zip(part["predictions"].as_array().unwrap())
    {
        assert_eq!(one["target"], other["target"]);
        let logit = |of: &serde_json::Value| of["logit"].as_f64().unwrap();
        assert!((logit(one) - logit(other)).abs() < 0.15, "{one} {other}");
    }
    let edge = |of: &serde_json::Value, edge: &str| of["targets"][0]["boxes"][0][edge].as_f64().unwrap();
    for side in ["left", "top", "right", "bottom"] {
        assert!((edge(&whole, side) - edge(&part, side)).abs() < 60.0, "{side}");
    }
}
