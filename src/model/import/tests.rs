//! Tests of the import: containers, names, shapes, damage.

mod checkpoints;
mod heads;
mod leftovers;
mod networks;
mod stated;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::card::{ColorOrder, Preprocess, Resize};
use crate::digest::hex;
use crate::error::ErrorKind;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
const CONTAINERS: [&str; 3] = ["zip.pth", "legacy.pth", "flat.safetensors"];

fn open(name: &str) -> Result<StateDict> {
    StateDict::open(&Path::new(FIXTURES).join("state-dicts").join(name))
}

#[test]
fn every_container_gives_the_same_weights() {
    let needed = BTreeSet::from(["conv.weight", "norm.weight", "norm.bias", "fc.weight"]);
    for container in CONTAINERS {
        let weights = select::matching(open(container).unwrap(), &needed).unwrap().weights;
        let names: Vec<&str> = weights.tensors.keys().map(String::as_str).collect();
        let all = ["conv.weight", "fc.weight", "norm.bias", "norm.num_batches_tracked", "norm.weight"];
        assert_eq!(names, all, "{container}");
        let read = |name: &str| weights.tensors[name].read().unwrap();
        assert_eq!(weights.tensors["conv.weight"].shape(), [2, 3, 1, 1]);
        assert_eq!(read("conv.weight"), [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75], "{container}");
        assert_eq!(read("norm.weight"), [1.5, -2.0], "{container}: bf16");
        assert_eq!(read("norm.bias"), [0.25, 3.0], "{container}: f16");
        assert_eq!(weights.tensors["fc.weight"].shape(), [3, 2]);
        assert_eq!(read("fc.weight"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0], "{container}: f64, a transposed view");
        assert_eq!(weights.weights().len(), 4, "{container}: counters are no weights");
        assert!(weights.tensors["norm.num_batches_tracked"].read().is_err());
    }
}

#[test]
fn a_key_is_taken_as_asked() {
    let weights = select::under_key(open("zip.pth").unwrap(), "state_dict").unwrap();
    assert!(weights.tensors.contains_key("module.conv.weight"));
    let problem = select::under_key(open("zip.pth").unwrap(), "weights").unwrap_err();
    assert_eq!(
        problem.to_string(),
        "has no tensors under the key 'weights', only under optimizer, state_dict"
    );
}

#[test]
fn two_sets_of_weights_need_a_choice() {
    let needed = BTreeSet::from(["conv.weight", "norm.weight", "norm.bias", "fc.weight"]);
    let problem = select::matching(open("two-sets.pth").unwrap(), &needed).err().unwrap();
    assert_eq!(
        problem.to_string(),
        "holds several sets of weights, under 'ema.module', 'model.module' (choose one with ImportRequest::key)"
    );
    let one = select::under_key(open("two-sets.pth").unwrap(), "ema").unwrap();
    assert!(select::matching(one, &needed).unwrap().weights.tensors.contains_key("conv.weight"));
}

#[test]
fn files_that_hold_no_tensors_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.pth");
    for (bytes, expected) in [
        (b"".as_slice(), "cannot be read as a PyTorch file"),
        (b"hello", "cannot be read as a PyTorch file"),
        (b"\x02\0\0\0\0\0\0\0{}", "holds no tensors"),
        (b"\xff\0\0\0\0\0\0\0{}", "its list of tensors claims 255 bytes"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = StateDict::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("model 'weights.pth': ") && error.contains(expected), "{error}");
    }
    let error = StateDict::open(&folder.path().join("none.pth")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// Any truncation and any flipped byte gives an error or other values, never a panic.
#[test]
fn damaged_files_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    for container in CONTAINERS {
        let whole = std::fs::read(Path::new(FIXTURES).join("state-dicts").join(container)).unwrap();
        let flipped = (0..whole.len()).map(|index| {
            let mut bytes = whole.clone();
            bytes[index] ^= 0x55;
            bytes
        });
        for bytes in (0..whole.len()).map(|end| whole[..end].to_vec()).chain(flipped) {
            // A new file: some file systems wait for the disk when a file is cut and written again.
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, bytes).unwrap();
            if let Ok(weights) = StateDict::open(&path) {
                for tensor in weights
                    .tensors
                    .values()
                    .filter(|tensor| tensor.shape().iter().product::<usize>() < 1 << 20)
                {
                    let _ = tensor.read();
                }
            }
        }
    }
}

/// Weights for an architecture in PyTorch's convention, each tensor filled with one value, as f16 safetensors.
fn write_weights(path: &Path, arch: &str, classes: usize, prefix: &str, number: impl Fn(&str) -> f32) {
    let built = arch::build(arch, classes, None).unwrap();
    let parameters: Vec<_> = names::parameters(&built, Convention::Torch)
        .into_iter()
        .map(|parameter| {
            let count = parameter.shape.iter().product();
            let half = half::f16::from_f32(number(&parameter.source_name)).to_le_bytes();
            (parameter.source_name.clone(), parameter.source_shape(), half.repeat(count))
        })
        .collect();
    let views: BTreeMap<String, TensorView<'_>> = parameters
        .iter()
        .map(|(name, shape, bytes)| {
            (format!("{prefix}{name}"), TensorView::new(Dtype::F16, shape.clone(), bytes).unwrap())
        })
        .collect();
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn request(source: &Path, arch: &str) -> ImportRequest {
    ImportRequest { source: source.into(), arch: Some(arch.into()), ..ImportRequest::default() }
}

#[test]
fn an_import_is_complete_and_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lite.safetensors");
    write_weights(&path, "efficientnet_lite0", 3, "model.module.", |name| match name {
        "_fc.weight" => 0.5,
        "_bn0.weight" => 2.0,
        _ => 0.0,
    });
    let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    let asked =
        ImportRequest { classes: classes.clone(), half: true, ..request(&path, "EfficientNet_Lite0") };
    let imported = import(&asked).unwrap();
    assert!(imported.diagnosis.is_clean() && imported.warnings.is_empty());

    let card = Card::from_json(&imported.card.to_json().unwrap()).unwrap();
    assert_eq!((card.name.as_str(), card.arch, card.classes), ("efficientnet_lite0", None, classes));
    assert!((card.preprocess.scale - 1.0).abs() < 1e-12 && card.preprocess.color == ColorOrder::Rgb);
    let source = card.source.unwrap();
    assert_eq!(source.file.as_deref(), Some("lite.safetensors"));
    assert_eq!(source.sha256.unwrap().len(), 64);

    let tensor = |name: &str| imported.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    assert_eq!(tensor("_fc.weight").shape.to_vec(), [1280, 3], "Burn's layout");
    assert_eq!(tensor("_fc.weight").to_bytes().unwrap()[..2], [0x00, 0x38], "0.5 as f16");
    assert_eq!(tensor("_bn0.gamma").to_bytes().unwrap()[..2], [0x00, 0x40], "2.0 as f16");
    let needed: BTreeSet<_> =
        card.graph.unwrap().nodes.into_iter().flat_map(|node| node.params.into_values()).collect();
    let given: BTreeSet<_> = imported.tensors.iter().map(|tensor| tensor.name.clone()).collect();
    assert_eq!(needed, given);
}

#[test]
fn what_does_not_fit_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("squeeze.safetensors");
    write_weights(&path, "squeezenet1_1", 7, "", |_| 0.0);

    let error = import(&request(&path, "squeezenet1_0")).unwrap_err().to_string();
    assert!(
        error.starts_with("model 'squeeze.safetensors': the weights do not fit 'squeezenet1_0': "),
        "{error}"
    );
    assert!(error.ends_with("(the weights fit ImportRequest::arch = squeezenet1_1)"), "{error}");

    let error =
        import(&ImportRequest { num_classes: Some(1000), ..request(&path, "squeezenet1_1") }).unwrap_err();
    let expected = "wrong shape: 'classifier.1.weight' has shape [7, 512, 1, 1], expected [1000, 512, 1, 1]";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(
        error.to_string().ends_with("(the weights have 7 classes: use ImportRequest::num_classes = 7)"),
        "{error}"
    );

    let error = import(&ImportRequest { classes: vec!["cat".into()], ..request(&path, "squeezenet1_1") })
        .unwrap_err();
    assert_eq!(error.to_string(), "class names: expected 7, one for each class of the weights, got 1");
}

/// Every tensor of a ResNet-18 is in a ResNet-34, with the same shape: it would load and give wrong results.
#[test]
fn a_deeper_network_of_the_family_is_not_taken_for_a_shallower_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.safetensors");
    write_weights(&path, "resnet34", 2, "", |_| 0.0);
    let error = import(&request(&path, "resnet18")).unwrap_err().to_string();
    assert!(error.contains("102 of 102 tensors fit, 80 unused"), "{error}");
    assert!(error.ends_with("(the weights fit ImportRequest::arch = resnet34)"), "{error}");
}

#[test]
fn weights_that_are_not_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.safetensors");
    write_weights(
        &path,
        "squeezenet1_1",
        2,
        "",
        |name| if name == "classifier.1.bias" { f32::NAN } else { 0.0 },
    );
    let error = import(&request(&path, "squeezenet1_1")).unwrap_err().to_string();
    assert!(error.contains("tensor 'classifier.1.bias': 2 of 2 numbers are not finite"), "{error}");
}

#[test]
fn another_input_size_keeps_the_share_that_the_crop_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zeros.safetensors");
    write_weights(&path, "squeezenet1_1", 2, "", |_| 0.0);
    let asked = ImportRequest { input: Some([320, 227]), ..request(&path, "squeezenet1_1") };
    let imported = import(&asked).unwrap();
    let preprocess = imported.card.preprocess;
    assert_eq!(preprocess.output_size(), Some([320, 227]));
    assert!(matches!(preprocess.resize, Resize::ShortestSide { size: 366, .. }));
}

/// What the Python libraries' own models have; see `fixtures/reference/README.md`.
#[derive(serde::Deserialize)]
struct Listed {
    parameters: Vec<(String, Vec<usize>)>,
    num_classes: usize,
}

#[derive(serde::Deserialize)]
struct Expected {
    tensors: usize,
    sha256: String,
}

fn reference<T: serde::de::DeserializeOwned>(file: &str) -> BTreeMap<String, T> {
    let text = std::fs::read_to_string(format!("{FIXTURES}/reference/{file}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Name and shape of the tensors that a PyTorch file of an architecture has.
fn needed(name: &str, classes: usize) -> BTreeSet<(String, Vec<usize>)> {
    let built = arch::build(name, classes, None).unwrap();
    let parameters = names::parameters(&built, Convention::Torch);
    parameters.iter().flat_map(names::Parameter::sources).collect()
}

#[test]
fn every_architecture_needs_exactly_the_reference_parameters() {
    let listed = reference::<Listed>("architectures.json");
    for (name, Listed { parameters, num_classes }) in &listed {
        let expected: BTreeSet<_> = parameters.iter().cloned().collect();
        assert_eq!(needed(name, *num_classes), expected, "{name}");
    }
    let digests = reference::<Expected>("architecture-digests.json");
    let mut wrong = Vec::new();
    for (arch, expected) in &digests {
        if arch::find(arch).is_err() {
            continue;
        }
        let needed = needed(arch, 10);
        let mut lines: Vec<String> = needed
            .iter()
            .map(|(name, shape)| {
                let rest = [shape[0], shape[1..].iter().product()];
                let sides = if arch.contains(':') { &rest[..] } else { shape };
                let sides = sides.iter().map(|side| format!(" {side}"));
                format!("{name}{}\n", sides.collect::<String>())
            })
            .collect();
        lines.sort();
        let sha256 = hex(&Sha256::digest(lines.concat()));
        if (lines.len(), sha256.as_str()) != (expected.tensors, expected.sha256.as_str()) {
            wrong.push(arch);
        }
    }
    assert!(wrong.is_empty(), "other tensors than the reference has: {wrong:?}");
    let without: Vec<_> =
        arch::names().filter(|name| !listed.contains_key(*name) && !digests.contains_key(*name)).collect();
    assert!(without.is_empty(), "no reference for {without:?}");
}
