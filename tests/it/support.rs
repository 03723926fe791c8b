//! Networks made in a test, seeded weights, and arrays from `fixtures/`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use burncam::record::InputRecord;
use burncam::{DeviceName, Heatmap, Model, Score, Subject};
use burncam_engine::{Evidence, Network};
use burncam_graph::card::{Card, Node, Op, Task};
use burncam_model::import::{ImportRequest, Imported, import};
use burncam_model::{StoredTensor, arch};
use burncam_picture::input::Placement;

/// A model in a directory that goes away with it.
pub(crate) struct Made {
    pub(crate) model: Model,
    _directory: tempfile::TempDir,
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

pub(crate) fn device(name: &str) -> DeviceName {
    name.parse().unwrap()
}

pub(crate) fn tensor(name: &str, shape: &[usize], values: &[f32]) -> StoredTensor {
    StoredTensor::floats(name, shape.to_vec(), values.to_vec())
}

/// Saves a card with its tensors and opens the file.
pub(crate) fn made(card: &Card, tensors: Vec<StoredTensor>) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made.bpk");
    Model::save(&path, card, tensors, false).unwrap();
    Made { model: Model::open(&path, None).unwrap(), _directory: directory }
}

/// A card around the nodes of a graph on a grey picture of the given size.
pub(crate) fn card(height: usize, width: usize, nodes: &str, output: &str) -> Card {
    let text = format!(
        r#"{{ "schema_version": 1, "name": "made", "graph": {{
            "input": {{ "name": "input", "channels": 1, "height": {height}, "width": {width} }},
            "nodes": [{nodes}], "output": "{output}" }},
            "preprocess": {{ "resize": {{ "policy": "none" }}, "color": "gray" }} }}"#
    );
    Card::from_json(&text).unwrap()
}

/// A convolution and a linear layer on the mean of 12x16 pixels: an embedding of three numbers.
pub(crate) fn embedding(padding: [usize; 4]) -> Made {
    let nodes = format!(
        r#"{{ "name": "conv", "op": "conv2d", "padding": {padding:?}, "inputs": ["input"], "params": {{ "weight": "w" }} }},
        {{ "name": "relu", "op": "relu", "inputs": ["conv"] }},
        {{ "name": "pool", "op": "global_avg_pool", "inputs": ["relu"] }},
        {{ "name": "flat", "op": "flatten", "inputs": ["pool"] }},
        {{ "name": "fc", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "v" }} }}"#
    );
    let mut card = card(12, 16, &nodes, "fc");
    card.preprocess.resize =
        serde_json::from_str(r#"{ "policy": "stretch", "height": 12, "width": 16 }"#).unwrap();
    card.task = Some(Task::Embedding);
    let tensors = [("w", vec![4, 1, 3, 3]), ("v", vec![4, 3])]
        .map(|(name, shape)| tensor(name, &shape, &seeded(&format!("{name}.weight"), &shape)));
    made(&card, tensors.into())
}

/// The trained network of the set of shapes. As if a picture had one shape, unless `change` says otherwise: then the network is sure of
/// nearly every picture.
pub(crate) fn shapes(change: impl FnOnce(&mut ImportRequest)) -> Made {
    let mut request =
        ImportRequest { source: fixture("cases/shapes/network.onnx"), ..ImportRequest::default() };
    (request.adjust.mean, request.adjust.std) = (Some(vec![0.5; 3]), Some(vec![1.0; 3]));
    change(&mut request);
    let Imported { card, tensors, .. } = import(&request).unwrap();
    made(&card, tensors)
}

/// The file of one of its 24 pictures, from 0.
pub(crate) fn picture_of_shapes(at: usize) -> PathBuf {
    fixture(&format!("cases/shapes/pictures/s{at:02}.png"))
}

/// A built-in architecture with ten classes, a 96x96 input and weights that follow from their names.
pub(crate) fn seeded_architecture(name: &str) -> Made {
    seeded_architecture_of(name, 96)
}

/// The same with an input of another size.
pub(crate) fn seeded_architecture_of(name: &str, side: usize) -> Made {
    let built = arch::build(name, 10, Some([side, side])).unwrap();
    let tensors = built
        .parameters
        .iter()
        .map(|(name, shape)| {
            if let Some(derived) = built.derived.get(name) {
                let sources = &derived.sources;
                let values: Vec<_> = sources.iter().map(|(name, shape)| seeded(name, shape)).collect();
                return tensor(name, shape, &derived.make(&values));
            }
            let node = built.graph.nodes.iter().find(|node| node.params.values().any(|param| param == name));
            tensor(name, shape, &seeded_parameter(node.unwrap(), name, shape))
        })
        .collect();
    let card = Card {
        schema_version: 1,
        name: name.to_owned(),
        arch: None,
        num_classes: None,
        graph: Some(built.graph),
        preprocess: serde_json::from_str(&format!(
            r#"{{ "resize": {{ "policy": "stretch", "height": {side}, "width": {side} }} }}"#
        ))
        .unwrap(),
        task: None,
        output: None,
        classes: vec![],
        source: None,
    };
    made(&card, tensors)
}

/// The values of a tensor in Burn's layout; they are defined on PyTorch's names and layout.
fn seeded_parameter(node: &Node, name: &str, shape: &[usize]) -> Vec<f32> {
    let role = node.params.iter().find(|(_, param)| *param == name).map_or("", |(role, _)| role.as_str());
    let torch = match role {
        "gamma" => name.replace(".gamma", ".weight"),
        "beta" => name.replace(".beta", ".bias"),
        _ => name.to_owned(),
    };
    if !(matches!(node.op, Op::Linear {}) && shape.len() == 2) {
        return seeded(&torch, shape);
    }
    let (inputs, outputs) = (shape[0], shape[1]);
    let rows = seeded(&torch, &[outputs, inputs]);
    let at = |index: usize| rows[(index % outputs) * inputs + index / outputs];
    (0..inputs * outputs).map(at).collect()
}

/// `fixtures/scripts/seeded.py` again: SplitMix64 from the FNV-1a hash of the name.
pub(crate) fn seeded(name: &str, shape: &[usize]) -> Vec<f32> {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    let fan_in = shape.iter().skip(1).product::<usize>() as f64;
    let value = |unit: f64| match name.rsplit('.').next() {
        Some("input") => (unit - 0.5) * 4.0,
        Some("running_var") => 0.5 + unit,
        Some("weight") if shape.len() == 1 => 0.5 + unit,
        Some("weight") => (2.0 * unit - 1.0) * (6.0 / fan_in).sqrt(),
        _ => (unit - 0.5) * 0.2,
    };
    let count = shape.iter().product::<usize>() as u64;
    (1..=count).map(|index| value(unit(seed, index)) as f32).collect()
}

fn unit(seed: u64, index: u64) -> f64 {
    let mut z = seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}

/// A `.npy` file of float32.
pub(crate) fn array(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(fixture("reference").join(name)).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

/// The evidence at one layer for one class, with the logit as score.
pub(crate) fn evidence(
    model: &Model,
    layer: &str,
    class: usize,
    input: &[f32],
    device_name: &str,
) -> Evidence {
    let choice = model.choose_layer(&layer.parse::<burncam::LayerRequest>().unwrap()).unwrap();
    let network = Network::load(model, &[choice.index], &device(device_name)).unwrap();
    let trunk = network.trunk(input.to_vec()).unwrap();
    network.record(&trunk).unwrap().evidence(&Score::Logit, class).unwrap().remove(0)
}

/// The files of a folder in `fixtures/` with these endings, by name.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|own| endings.iter().any(|ending| own == *ending)));
    files.sort();
    files
}

/// Shape and numbers of one array of an `.npz`.
pub(crate) fn npz(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    let file = npyz::NpyFile::new(&bytes[..]).unwrap();
    let shape = file.shape().iter().map(|side| *side as usize).collect();
    let numbers = match file.dtype().descr().contains("u1") {
        true => file.into_vec::<u8>().unwrap().into_iter().map(f32::from).collect(),
        false => file.into_vec().unwrap(),
    };
    (shape, numbers)
}

/// The input with channels first.
pub(crate) fn picture(model: &Model, path: &Path) -> Vec<f32> {
    let (shape, numbers) = npz(path, "input");
    let spec = &model.graph().input;
    if shape == [1, spec.channels, spec.height, spec.width] {
        return numbers;
    }
    // A signal has no axis of rows in its file.
    let sides = &[spec.height, spec.width][usize::from(spec.is_signal() && shape.len() == 3)..];
    assert_eq!(shape, [&[1], sides, &[spec.channels]].concat());
    let pixels = spec.height * spec.width;
    (0..spec.channels)
        .flat_map(|c| (0..pixels).map(move |at| (at, c)))
        .map(|(at, c)| numbers[at * spec.channels + c])
        .collect()
}

/// A tensor of this size, of which only the numbers matter.
pub(crate) fn subject(height: usize, width: usize, values: Vec<f32>) -> Subject {
    Subject {
        picture: image::RgbImage::new(width as u32, height as u32),
        values,
        placement: Placement::whole(width, height),
        is_tensor: true,
        labels: vec![],
        warnings: vec![],
        file: InputRecord {
            path: "made".into(),
            file: None,
            sha256: String::new(),
            format: "npy".into(),
            width,
            height,
            exif_orientation: 1,
            profile: None,
            reduced: None,
        },
    }
}

/// What the graph's last node gives.
fn output(model: &Model, input: Vec<f32>) -> Vec<f32> {
    Network::load_whole(model, &DeviceName::default()).unwrap().logits(input).unwrap()
}

/// What is wrong with an imported file: its answer differs from the array `role` next to it by more than `limit` of the largest
/// number, or is not finite.
pub(crate) fn difference(imported: &Imported, path: &Path, role: &str, limit: f32) -> Option<String> {
    let Made { model, .. } = &made(&imported.card, imported.tensors.clone());
    let reference = path.with_extension("npz");
    let found = output(model, picture(model, &reference));
    let (_, expected) = npz(&reference, role);
    let difference = distance(&found, &expected) / magnitude(&expected);
    let is_wrong = difference > limit || found.iter().any(|number| !number.is_finite());
    is_wrong.then(|| format!("{}: differs by {difference:e}", path.display()))
}

pub(crate) fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

/// The greatest absolute difference.
#[track_caller]
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The greatest magnitude.
pub(crate) fn magnitude(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).fold(0.0, f32::max)
}

/// Share of a map's heat inside a box of the picture, given the map at the picture's size.
pub(crate) fn share_inside(
    placed: &burncam_picture::render::Placed,
    [left, top, right, bottom]: [usize; 4],
) -> f64 {
    let values = placed.values();
    let total: f64 = values.iter().map(|value| f64::from(*value)).sum();
    let inside = values.chunks(placed.width()).take(bottom).skip(top);
    let inside: f64 = inside.flat_map(|row| &row[left..right]).map(|value| f64::from(*value)).sum();
    inside / total
}

/// A map with its greatest value made one, for comparison of shapes.
pub(crate) fn to_unit(height: usize, width: usize, raw: &[f32]) -> Heatmap {
    Heatmap::new(height, width, raw.to_vec()).unwrap().rectified_to_unit()
}
