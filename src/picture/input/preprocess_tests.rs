//! What preprocessing gives, against hand-worked cases, Pillow's pixels and properties.

use image::Rgb;
use proptest::prelude::*;

use super::*;
use crate::input::Picture;

fn spec(json: &str) -> Preprocess {
    serde_json::from_str(json).unwrap()
}

fn input(channels: usize, height: usize, width: usize) -> InputSpec {
    InputSpec { name: "input".into(), channels, height, width, layout: crate::card::Layout::default() }
}

/// A picture whose red is the column and green the row.
fn ruler(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 9]))
}

/// Preprocessing that keeps the levels 0..=255.
fn levels(resize: &str, crop: &str) -> Preprocess {
    spec(&format!(r#"{{ "resize": {resize}, {crop} "scale": 1.0 }}"#))
}

fn assert_rectangle(placement: Placement, expected: [f64; 4]) {
    let got = [placement.left, placement.top, placement.right, placement.bottom];
    assert!(got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-9), "{got:?}");
}

#[test]
fn resize_and_crop_equal_pillow_and_torchvision_within_one_level() {
    let coffee = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/coffee.png");
    let coffee = Picture::open(coffee.as_ref(), [255; 3]).unwrap().rgb;
    for filter in ["nearest", "bilinear", "bicubic", "lanczos"] {
        let resize = format!(r#"{{ "policy": "shortest-side", "size": 256, "filter": "{filter}" }}"#);
        let spec = levels(&resize, r#""crop": { "policy": "center", "height": 224, "width": 224 },"#);
        let values = preprocess(&coffee, &spec, &input(3, 224, 224)).unwrap().values;

        let name = format!("/../../fixtures/reference/resize/coffee_256_224_{filter}.png");
        let expected = format!("{}{name}", env!("CARGO_MANIFEST_DIR"));
        let expected = Picture::open(expected.as_ref(), [255; 3]).unwrap().rgb;
        for (x, y, pixel) in expected.enumerate_pixels() {
            let at = (y as usize * 8 + 4) * 224 + x as usize * 8 + 4;
            for (channel, level) in pixel.0.into_iter().enumerate() {
                let got = values[channel * 224 * 224 + at];
                assert!((got - f32::from(level)).abs() <= 1.0, "{filter} {x},{y}: {got} and {level}");
            }
        }
    }
}

#[test]
fn stretch_covers_the_whole_picture() {
    let spec = levels(r#"{ "policy": "stretch", "height": 4, "width": 6 }"#, "");
    let prepared = preprocess(&ruler(30, 10), &spec, &input(3, 4, 6)).unwrap();
    assert_eq!(prepared.placement, Placement::whole(30, 10));
    assert_eq!(prepared.values.len(), 3 * 4 * 6);
}

#[test]
fn a_center_crop_of_the_shortest_side_leaves_out_both_ends() {
    let spec = levels(
        r#"{ "policy": "shortest-side", "size": 5 }"#,
        r#""crop": { "policy": "center", "height": 4, "width": 4 },"#,
    );
    // 30x10 becomes 15x5. Remainders 11 and 1: halves 5.5 and 0.5 round to even, 6 and 0. One resized pixel is 2.
    let prepared = preprocess(&ruler(30, 10), &spec, &input(3, 4, 4)).unwrap();
    assert_rectangle(prepared.placement, [12.0, 0.0, 20.0, 8.0]);
}

#[test]
fn a_crop_larger_than_the_picture_adds_black_as_torchvision_does() {
    let spec =
        levels(r#"{ "policy": "none" }"#, r#""crop": { "policy": "center", "height": 2, "width": 5 },"#);
    let prepared = preprocess(&ruler(2, 2), &spec, &input(3, 2, 5)).unwrap();
    // Three columns are missing: one goes left, two right.
    let red = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let blue = [0.0, 9.0, 9.0, 0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0];
    assert_eq!(prepared.values[..10], red);
    assert_eq!(prepared.values[20..], blue);
    assert_rectangle(prepared.placement, [-1.0, 0.0, 4.0, 2.0]);
}

#[test]
fn a_letterbox_puts_bars_of_its_fill_around_the_picture() {
    let spec = levels(r#"{ "policy": "letterbox", "height": 4, "width": 4, "fill": 114 }"#, "");
    let white = RgbImage::from_pixel(16, 8, Rgb([255; 3]));
    let prepared = preprocess(&white, &spec, &input(3, 4, 4)).unwrap();
    let rows: Vec<f32> = prepared.values[..16].iter().step_by(4).copied().collect();
    assert_eq!(rows, [114.0, 255.0, 255.0, 114.0]);
    assert_rectangle(prepared.placement, [0.0, -4.0, 16.0, 12.0]);
}

#[test]
fn a_line_one_pixel_high_still_fits_a_letterbox() {
    let spec = levels(r#"{ "policy": "letterbox", "height": 8, "width": 8 }"#, "");
    let prepared = preprocess(&ruler(10_000, 1), &spec, &input(3, 8, 8)).unwrap();
    assert_eq!(prepared.values.len(), 3 * 64);
    // The single row is row 3 of 8, so the input extends 3 rows above it and 4 below.
    assert_rectangle(prepared.placement, [0.0, -3.0, 10_000.0, 5.0]);
}

#[test]
fn a_line_that_would_grow_without_bounds_is_refused() {
    let spec = levels(
        r#"{ "policy": "shortest-side", "size": 256 }"#,
        r#""crop": { "policy": "center", "height": 224, "width": 224 },"#,
    );
    let error = preprocess(&ruler(10_000, 1), &spec, &input(3, 224, 224)).unwrap_err().to_string();
    assert!(error.contains("resizing makes it 2560000x256 pixels"), "{error}");
}

#[test]
fn the_channels_come_in_the_networks_order_scaled_with_their_own_mean() {
    let picture = RgbImage::from_pixel(1, 1, Rgb([10, 20, 40]));
    let bgr = spec(
        r#"{ "resize": { "policy": "none" }, "color": "bgr", "scale": 0.5,
             "mean": [1.0, 2.0, 3.0], "std": [2.0, 4.0, 8.0] }"#,
    );
    // (40/2 - 1)/2, (20/2 - 2)/4, (10/2 - 3)/8
    assert_eq!(preprocess(&picture, &bgr, &input(3, 1, 1)).unwrap().values, [9.5, 2.0, 0.25]);

    let gray = spec(r#"{ "resize": { "policy": "none" }, "color": "gray", "scale": 1.0 }"#);
    // 0.299 * 10 + 0.587 * 20 + 0.114 * 40 = 19.29
    assert_eq!(preprocess(&picture, &gray, &input(1, 1, 1)).unwrap().values, [19.0]);
}

#[test]
fn a_size_that_is_not_the_networks_names_both_and_the_field() {
    let spec = levels(r#"{ "policy": "shortest-side", "size": 8 }"#, "");
    let error = preprocess(&ruler(16, 8), &spec, &input(3, 8, 8)).unwrap_err().to_string();
    assert!(
        error.contains("'preprocess.resize'") && error.contains("16x8") && error.contains("8x8 ("),
        "{error}"
    );

    let gray = levels(r#"{ "policy": "none" }"#, r#""color": "gray","#);
    let error = preprocess(&ruler(8, 8), &gray, &input(3, 8, 8)).unwrap_err().to_string();
    assert!(error.contains("'preprocess.color'") && error.contains("1 channels"), "{error}");
}

#[test]
fn a_long_thin_picture_is_resized_along_its_long_side_first() {
    // In the other order, 300 x 400000 pixels in between are more than the limit.
    let picture = RgbImage::from_fn(2, 400_000, |x, y| Rgb([(y / 200_000) as u8 * 200 + x as u8 * 50; 3]));
    let spec = levels(r#"{ "policy": "stretch", "height": 2, "width": 300, "filter": "nearest" }"#, "");
    let values = preprocess(&picture, &spec, &input(3, 2, 300)).unwrap().values;
    let corners = [0, 299, 300, 599].map(|at| values[at]);
    assert_eq!(corners, [0.0, 50.0, 200.0, 250.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_constant_picture_stays_constant(
        width in 1u32..80, height in 1u32..80, level: u8, filter in 0usize..4, side in 1usize..40,
    ) {
        let filter = ["nearest", "bilinear", "bicubic", "lanczos"][filter];
        let resize =
            format!(r#"{{ "policy": "stretch", "height": {side}, "width": 7, "filter": "{filter}" }}"#);
        let picture = RgbImage::from_pixel(width, height, Rgb([level; 3]));
        let prepared = preprocess(&picture, &levels(&resize, ""), &input(3, side, 7)).unwrap();
        prop_assert!(prepared.values.iter().all(|value| *value == f32::from(level)));
        prop_assert_eq!(prepared.placement, Placement::whole(width as usize, height as usize));
    }

    #[test]
    fn a_letterbox_shows_the_whole_picture(width in 1u32..300, height in 1u32..300, side in 1usize..64) {
        let resize = format!(r#"{{ "policy": "letterbox", "height": {side}, "width": {side} }}"#);
        let picture = RgbImage::new(width, height);
        let placement = preprocess(&picture, &levels(&resize, ""), &input(3, side, side)).unwrap().placement;
        prop_assert!(placement.left <= 0.0 && placement.top <= 0.0);
        prop_assert!(placement.right >= f64::from(width) && placement.bottom >= f64::from(height));
    }
}

#[test]
fn a_picture_is_reduced_while_it_stays_four_times_finer_than_the_network_needs() {
    let shorter = levels(r#"{ "policy": "shortest-side", "size": 256 }"#, "");
    let sizes = [
        ([640, 480], 1),
        ([2046, 3000], 1),
        ([2047, 3000], 2),
        ([4000, 3000], 2),
        ([4093, 6000], 4),
        ([9000, 8200], 8),
    ];
    for (size, by) in sizes {
        assert_eq!(reduction(size, &shorter), by, "{size:?}");
    }
    let stretch = levels(r#"{ "policy": "stretch", "height": 100, "width": 400 }"#, "");
    assert_eq!([[4000, 3000], [3200, 3000], [3100, 3000]].map(|size| reduction(size, &stretch)), [2, 2, 1]);
    let nearest = levels(r#"{ "policy": "stretch", "height": 10, "width": 10, "filter": "nearest" }"#, "");
    assert_eq!(reduction([4000, 3000], &nearest), 1);
    assert_eq!(reduction([4000, 3000], &levels(r#"{ "policy": "none" }"#, "")), 1);
}

#[test]
fn a_reduced_picture_has_the_placement_and_nearly_the_levels_of_the_whole() {
    let photo = RgbImage::from_fn(331, 243, |x, y| Rgb([(x / 2) as u8, y as u8, ((x + y) / 3) as u8]));
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&photo).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let spec = levels(
        r#"{ "policy": "shortest-side", "size": 20 }"#,
        r#""crop": { "policy": "center", "height": 16, "width": 16 },"#,
    );
    let whole = Picture::open(file.path(), [255; 3]).unwrap();
    let part = Picture::open_for(file.path(), [255; 3], &spec).unwrap();
    assert_eq!((whole.size, whole.reduced, whole.rgb.dimensions()), ([331, 243], 1, (331, 243)));
    assert_eq!((part.size, part.reduced, part.rgb.dimensions()), ([331, 243], 2, (166, 122)));
    let [whole, part] = [whole, part]
        .map(|picture| preprocess_reduced(&picture.rgb, picture.size, &spec, &input(3, 16, 16)).unwrap());
    assert_eq!(whole.placement, part.placement);
    let far =
        whole.values.iter().zip(&part.values).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    assert!(far <= 2.0, "{far}");
}
