//! Files that were once imported wrongly or refused, each with onnxruntime's numbers.

use burncam::Model;
use burncam::check::{CheckRequest, Status, check};
use burncam_engine::Evidence;
use burncam_graph::card::OutputKind;
use burncam_model::import::Imported;

use super::{model_of, read, said};
use crate::support::{Made, difference, evidence, fixture, made, picture};

/// Largest difference to onnxruntime, relative to the largest number.
const TOLERANCE: f32 = 2e-5;

/// Of a file whose reference was computed in 16 bits.
const HALF: f32 = 2e-3;

fn case(name: &str) -> Made {
    model_of(&format!("cases/import/{name}.onnx"))
}

fn agree(names: &[&str]) {
    for name in names {
        let limit = if name.starts_with("fp16") { HALF } else { TOLERANCE };
        let path = fixture(&format!("cases/import/{name}.onnx"));
        let wrong = difference(&read(&path).unwrap(), &path, "output", limit);
        assert_eq!(wrong, None);
    }
}

#[test]
fn constants_are_stored_in_the_order_of_their_indices() {
    agree(&[
        "added_constant_slice",
        "blurpool_torchscript_export",
        "weight_concat_axis1",
        "weight_slice_axis1",
        "weight_tile",
    ]);
}

#[test]
fn a_resize_takes_the_cells_that_the_file_says() {
    agree(&[
        "pytorch_upsample_1.5_dynamo",
        "resize_keep_aspect_ratio",
        "resize_linear_scale_2.5",
        "resize_nearest_half_pixel_floor",
        "resize_pytorch_half_pixel_to_1x1",
    ]);
}

#[test]
fn settings_are_applied_and_not_dropped() {
    agree(&["lpnormalization_of_zeros", "prelu_slope_by_width", "space_to_depth_crd"]);
}

#[test]
fn nodes_may_stand_in_any_order() {
    agree(&["fp16_float_io_unsorted"]);
}

#[test]
fn a_border_of_minus_infinity_is_one_that_no_maximum_takes() {
    agree(&["pad_minus_infinity"]);
}

/// The head is a linear layer on mean and standard deviation of 32 channels, some of which are dead. There PyTorch takes
/// the slope of the deviation as 0.
#[test]
fn the_gradient_of_a_standard_deviation_is_that_of_pytorch() {
    agree(&["std_pool_gradient"]);
    let imported = read(&fixture("cases/import/std_pool_gradient.onnx")).unwrap();
    let head = imported.tensors.iter().find(|tensor| tensor.name == "head.l.weight").unwrap();
    assert_eq!(head.shape.to_vec(), [64, 7]);
    let bytes = head.to_bytes().unwrap();
    let weights: Vec<f64> =
        bytes.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
    let Made { model, .. } = &made(&imported.card, imported.tensors);
    let input = picture(model, &fixture("cases/import/std_pool_gradient.npz"));
    for name in ["flex", "ndarray"] {
        let mut dead = 0;
        let Evidence { activations, gradients } = evidence(model, "auto", 0, &input, name);
        let cells = activations.height * activations.width;
        let channels = activations.values.chunks(cells).zip(gradients.values.chunks(cells));
        for (channel, (values, slopes)) in channels.enumerate() {
            let count = cells as f64;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
            let squares = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>();
            let deviation = (squares / (count - 1.0)).sqrt();
            dead += usize::from(deviation == 0.0);
            for (value, slope) in values.iter().zip(slopes) {
                let centred = f64::from(*value) - mean;
                let spread = if deviation > 0.0 { centred / (deviation * (count - 1.0)) } else { 0.0 };
                let expected = weights[channel * 7] / count + weights[(32 + channel) * 7] * spread;
                assert!((f64::from(*slope) - expected).abs() < 1e-6, "{name}: {slope}, expected {expected}");
            }
        }
        assert!(dead > 0, "{name}: no channel is dead");
    }
}

#[test]
fn a_grey_picture_may_become_three_channels() {
    agree(&["grey_normalised_to_rgb", "grey_repeat"]);
    let assumed = |name: &str| said(&read(&fixture(&format!("cases/import/{name}.onnx"))).unwrap());
    assert!(assumed("grey_normalised_to_rgb").contains("preset 'raw'"));
    assert!(assumed("grey_repeat").contains("preset 'imagenet'"), "repeating is no normalising");
}

#[test]
fn constants_may_meet_the_picture_and_the_batch() {
    agree(&["coordconv", "range_up_to_the_batch", "bgr_swap_dynamo_gathernd"]);
}

#[test]
fn a_picture_of_bytes_enters_as_it_is() {
    agree(&["uint8_nhwc"]);
    let imported = read(&fixture("cases/import/uint8_nhwc.onnx")).unwrap();
    assert!(said(&imported).contains("the input takes whole numbers: preset 'raw'"));
}

#[test]
fn scores_are_taken_and_not_the_features_before_them() {
    agree(&["features_then_logits"]);
    let imported = read(&fixture("cases/import/features_then_logits.onnx")).unwrap();
    let said = said(&imported);
    let expected = "'30' is taken, the first that has one number a class, not onnx::ReduceMean_28 (ImportRequest::output_name chooses)";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn files_of_other_kinds_are_named_with_a_way_out() {
    let error = read(&fixture("cases/import/git_lfs_pointer.onnx")).unwrap_err().to_string();
    let expected = "is a Git LFS pointer and not the file itself, which holds no network that can be read here (git lfs pull fetches it)";
    assert!(error.contains(expected), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    let files: [(&str, &[u8], &str); 11] = [
        ("a.onnx", b"", "an empty file"),
        ("b.onnx", b"<!DOCTYPE html><html><body>404", "a web page"),
        ("c.xml", b"<?xml version=\"1.0\"?>\n<net name=\"x\" version=\"11\">", "an OpenVINO model"),
        ("d.tflite", b"\x1c\0\0\0TFL3\0\0", "a TensorFlow Lite model"),
        ("f.json", b"{\"architectures\": [\"ViTForImageClassification\"]}", "a Hugging Face configuration"),
        ("g.json", b"{\"answer\": 42}", "a JSON file"),
        ("h.gguf", b"GGUF\x03\0\0\0", "a GGUF file"),
        ("i.mlmodel", b"\x08\x01\x12\x10\x0a\x0e\x0a\x05image\x1a\x05", "a Core ML model"),
        ("j.pb", b"\x0a\x14\x0a\x05input\x12\x0bPlaceholder", "a TensorFlow graph"),
        (
            "k.pdmodel",
            b"\x0a\x20\x08\0\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a",
            "a PaddlePaddle model",
        ),
        ("l.bin", b"Entry not found", "a text file"),
    ];
    for (name, bytes, expected) in files {
        let error = named(name, bytes);
        assert!(error.contains(&format!("is {expected}")), "{name}: {error}");
    }
    // The length that safetensors begin with may look like a brace.
    let header = format!("{:<115}", r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#);
    let safetensors =
        [&[b'{', 0, 0, 0, 0, 0, 0, 0][..], format!("{header:<123}").as_bytes(), &[0; 4]].concat();
    let error = named("m.safetensors", &safetensors);
    assert!(error.contains("its tensors are those of no architecture"), "{error}");
}

#[test]
fn directories_are_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let refused = || read(folder.path()).unwrap_err().to_string();
    assert!(refused().contains("is a directory, expected a file"), "{}", refused());
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    assert!(refused().contains("is a Hugging Face directory"), "{}", refused());
    std::fs::write(folder.path().join("saved_model.pb"), "").unwrap();
    assert!(refused().contains("python -m tf2onnx.convert --saved-model"), "{}", refused());
}

#[test]
fn a_model_that_cannot_be_opened_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bpk");
    let Imported { mut card, tensors, .. } = read(&fixture("cases/import/grey_repeat.onnx")).unwrap();
    let fine = card.clone();
    card.classes = vec!["one".into()];
    let error = Model::create(&path, &card, tensors.clone(), false).unwrap_err().to_string();
    assert!(error.starts_with("model 'model.bpk': its card names 1 classes"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(Model::create(&path, &fine, tensors.clone(), false).unwrap().file_name(), "model.bpk");
    let error = Model::create(&path, &fine, tensors, false).unwrap_err().to_string();
    assert!(error.contains("already exists (use overwrite to replace it)"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_saturated_sigmoid_passes_the_check() {
    let Made { model, .. } = &case("saturated_sigmoid");
    let reference = Some(fixture("cases/import/saturated_sigmoid.npz"));
    let report = check(model, &CheckRequest { reference, ..CheckRequest::default() }).unwrap();
    let found = &report.references[0];
    assert_eq!((found.gives, found.status), (OutputKind::Sigmoid, Status::Ok), "{found:?}");
}
