//! NumPy files written by `npyz` or by hand, and what is read from them.

use half::f16;
use npyz::{AutoSerialize, Order, Serialize, WriteOptions, WriterBuilder as _};

use super::*;

fn npy<T: AutoSerialize + Serialize + Clone>(shape: &[u64], order: Order, values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = WriteOptions::new().default_dtype().order(order).shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values.iter().cloned()).unwrap();
    writer.finish().unwrap();
    bytes
}

fn input(channels: usize) -> InputSpec {
    InputSpec { name: "input".into(), channels, height: 2, width: 3, layout: Layout::default() }
}

fn counted(count: usize) -> Vec<f32> {
    (0..count).map(|value| value as f32).collect()
}

fn read(bytes: &[u8], layout: Layout, channels: usize) -> Result<Vec<f32>> {
    npy_from_bytes(bytes, "x.npy", layout, &input(channels))
}

fn problem(bytes: &[u8], layout: Layout, channels: usize) -> String {
    read(bytes, layout, channels).unwrap_err().to_string()
}

#[test]
fn every_accepted_shape_gives_channels_first() {
    let plain = counted(12);
    for shape in [&[1, 2, 2, 3][..], &[2, 2, 3]] {
        assert_eq!(read(&npy(shape, Order::C, &plain), Layout::ChannelsFirst, 2).unwrap(), plain);
    }
    let split = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0];
    for shape in [&[1, 2, 3, 2][..], &[2, 3, 2]] {
        assert_eq!(read(&npy(shape, Order::C, &plain), Layout::ChannelsLast, 2).unwrap(), split);
    }
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        assert_eq!(read(&npy(&[2, 3], Order::C, &counted(6)), layout, 1).unwrap(), counted(6));
    }
}

#[test]
fn a_channels_last_model_takes_both_orders_and_prefers_its_own() {
    let read = |bytes: &[u8], layout, size: usize| {
        let input = InputSpec { layout: Layout::ChannelsLast, height: size, ..input(2) };
        npy_from_bytes(bytes, "x.npy", layout, &input)
    };
    let plain = counted(12);
    let split = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0];
    for shape in [&[1, 2, 3, 2][..], &[2, 3, 2]] {
        assert_eq!(read(&npy(shape, Order::C, &plain), Layout::ChannelsFirst, 2).unwrap(), split);
    }
    assert_eq!(read(&npy(&[1, 2, 2, 3], Order::C, &plain), Layout::ChannelsFirst, 2).unwrap(), plain);
    // An explicit layout accepts nothing else.
    let error = read(&npy(&[2, 2, 3], Order::C, &plain), Layout::ChannelsLast, 2).unwrap_err().to_string();
    assert!(error.ends_with("expected [2, 3, 2] or [1, 2, 3, 2] (is its layout channels-first?)"), "{error}");
    let error = read(&npy(&[12], Order::C, &plain), Layout::ChannelsFirst, 2).unwrap_err().to_string();
    assert!(error.ends_with("has shape [12], expected [2, 3, 2] or [1, 2, 3, 2]"), "{error}");
    // Two rows of two pixels of two channels are ambiguous; the model's own order decides.
    let square = InputSpec { layout: Layout::ChannelsLast, height: 2, width: 2, ..input(2) };
    let bytes = npy(&[2, 2, 2], Order::C, &counted(8));
    let found = npy_from_bytes(&bytes, "x.npy", Layout::ChannelsFirst, &square).unwrap();
    assert_eq!(found, [0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]);
}

#[test]
fn fortran_order_is_turned_round() {
    // The array [[0, 1, 2], [3, 4, 5]] in column order.
    let bytes = npy(&[2, 3], Order::Fortran, &[0.0f32, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(read(&bytes, Layout::ChannelsFirst, 1).unwrap(), counted(6));
}

#[test]
fn numbers_of_every_width_are_read() {
    let shape = [2, 3];
    let bytes = [
        npy(&shape, Order::C, &[0.0f64, 1.0, 2.0, 3.0, 4.0, 5.0]),
        npy(&shape, Order::C, &[0u8, 1, 2, 3, 4, 5]),
        npy(&shape, Order::C, &[0i32, 1, 2, 3, 4, 5]),
        npy(&shape, Order::C, &[0i64, 1, 2, 3, 4, 5]),
    ];
    for bytes in bytes {
        assert_eq!(read(&bytes, Layout::ChannelsFirst, 1).unwrap(), counted(6));
    }
    // A float16 file equals a uint16 file except for the three letters of its type.
    let halves: Vec<u16> = counted(6).iter().map(|value| f16::from_f32(*value).to_bits()).collect();
    let mut bytes = npy(&shape, Order::C, &halves);
    let at = bytes.windows(3).position(|letters| letters == b"<u2").unwrap();
    bytes[at + 1] = b'f';
    assert_eq!(read(&bytes, Layout::ChannelsFirst, 1).unwrap(), counted(6));
}

#[test]
fn the_row_of_a_signal_may_be_left_out() {
    let input =
        |channels| InputSpec { name: "x".into(), channels, height: 1, width: 3, layout: Layout::default() };
    let read = |shape: &[u64], layout, channels| {
        let count = shape.iter().product::<u64>() as usize;
        npy_from_bytes(&npy(shape, Order::C, &counted(count)), "x.npy", layout, &input(channels))
    };
    for shape in [&[1, 2, 1, 3][..], &[1, 2, 3], &[2, 1, 3], &[2, 3]] {
        assert_eq!(read(shape, Layout::ChannelsFirst, 2).unwrap(), counted(6), "{shape:?}");
    }
    for shape in [&[1, 1, 1, 3][..], &[1, 1, 3], &[1, 3], &[3]] {
        assert_eq!(read(shape, Layout::ChannelsFirst, 1).unwrap(), counted(3), "{shape:?}");
    }
    let values = counted(6);
    let turned: Vec<f32> = [0, 2, 4, 1, 3, 5].map(|at: usize| values[at]).to_vec();
    for shape in [&[1, 1, 3, 2][..], &[1, 3, 2], &[3, 2]] {
        assert_eq!(read(shape, Layout::ChannelsLast, 2).unwrap(), turned, "{shape:?}");
    }
    let error = read(&[4, 2, 3], Layout::ChannelsFirst, 2).unwrap_err().to_string();
    assert_eq!(
        error,
        "image 'x.npy': has shape [4, 2, 3], expected [2, 3] or [1, 2, 3] (save one picture a file)"
    );
    assert!(read(&[6], Layout::ChannelsFirst, 2).is_err());
}

#[test]
fn a_wrong_shape_names_what_was_expected_and_what_was_got() {
    let bytes = npy(&[2, 3, 2], Order::C, &counted(12));
    assert_eq!(
        problem(&bytes, Layout::ChannelsFirst, 2),
        "image 'x.npy': has shape [2, 3, 2], expected [2, 2, 3] or [1, 2, 2, 3] (is its layout channels-last?)"
    );
    let two = npy(&[2, 2, 2, 3], Order::C, &counted(24));
    assert!(problem(&two, Layout::ChannelsFirst, 2).ends_with("(save one picture a file)"));
    assert!(problem(&npy(&[7], Order::C, &counted(7)), Layout::ChannelsLast, 2).contains("has shape [7]"));
}

#[test]
fn a_number_that_is_not_finite_is_named_with_its_place() {
    let mut values = counted(6);
    values[5] = f32::NAN;
    let text = problem(&npy(&[2, 3], Order::C, &values), Layout::ChannelsFirst, 1);
    assert_eq!(text, "image 'x.npy': the value at [1, 2] is NaN, expected finite numbers");
}

#[test]
fn what_is_no_npy_or_ends_too_early_is_refused() {
    assert!(problem(b"hello", Layout::ChannelsFirst, 1).contains("not a sound .npy file"));
    let bytes = npy(&[2, 3], Order::C, &counted(6));
    let text = problem(&bytes[..bytes.len() - 3], Layout::ChannelsFirst, 1);
    assert!(text.contains("ends before its last number"), "{text}");
}

#[test]
fn a_map_survives_the_way_to_numpy_and_back() {
    let bytes = write_npy_2d(2, 3, &counted(6)).unwrap();
    assert_eq!(bytes.len() % 64, 24);
    assert_eq!(read(&bytes, Layout::ChannelsFirst, 1).unwrap(), counted(6));
    assert!(write_npy_2d(2, 3, &counted(5)).is_err());
}

#[test]
fn the_picture_of_a_tensor_undoes_the_preprocessing() {
    let spec: Preprocess = serde_json::from_str(
        r#"{ "resize": { "policy": "none" }, "color": "bgr",
             "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225] }"#,
    )
    .unwrap();
    let picture = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8 * 100, y as u8 * 255, 77]));
    let prepared = crate::input::preprocess(&picture, &spec, &input(3)).unwrap();
    assert_eq!(picture_from_tensor(&prepared.values, &spec, &input(3)), picture);

    let gray: Preprocess =
        serde_json::from_str(r#"{ "resize": { "policy": "none" }, "color": "gray" }"#).unwrap();
    let drawn = picture_from_tensor(&[0.0, 1.0, 0.5, -3.0, 9.0, f32::NAN], &gray, &input(1));
    let levels: Vec<u8> = drawn.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(levels, [0, 255, 128, 0, 255, 0]);
}
