//! The native kernels against Burn: convolutions over random settings, every network among the fixtures, every structure that
//! is built in. Both are compared with other libraries elsewhere; here they must agree, on every instruction set.

use std::num::NonZero;

use burncam::{Engine, LayerRequest, Method, Model, Runtime, Score};
use burncam_engine::{Isa, Network};
use proptest::prelude::*;

use crate::onnx;
use crate::support::{
    Made, array, card, distance, files, fixture, made, magnitude, seeded, seeded_architecture, tensor,
};

/// The most that an operation may be off, in parts of the largest number.
pub(crate) const ERROR: f32 = 1e-5;
/// The most that a map within 0 to 1 may be off; the same for logits, as a share of the largest.
const MAP_ERROR: f32 = 1e-4;

pub(crate) fn burn() -> Runtime {
    Runtime { engine: Engine::Burn, ..Runtime::default() }
}

/// The native kernels of every available instruction set.
pub(crate) fn native() -> impl Iterator<Item = Runtime> {
    let here = Isa::ALL.iter().copied().filter(|isa| isa.is_available());
    here.zip([2, 1, 3].into_iter().cycle()).map(|(isa, threads)| Runtime {
        engine: Engine::Native(Some(isa)),
        threads: NonZero::new(threads),
        ..Runtime::default()
    })
}

fn logits(model: &Model, input: &[f32], runtime: &Runtime) -> Vec<f32> {
    Network::load(model, &[], runtime).unwrap().logits(input.to_vec()).unwrap()
}

/// Logits of both engines, within `limit` of the largest.
#[track_caller]
fn logits_agree(what: &str, model: &Model, input: &[f32], limit: f32) {
    let expected = logits(model, input, &burn());
    for runtime in native() {
        let found = logits(model, input, &runtime);
        let gap = distance(&found, &expected) / magnitude(&expected).max(1e-3);
        assert!(gap <= limit, "{what}, {}: logits differ by {gap:e}", runtime.engine);
    }
}

/// Grad-CAM's map at a layer for a class, between 0 and 1.
fn map(model: &Model, layer: usize, input: &[f32], class: usize, runtime: &Runtime) -> Vec<f32> {
    let network = Network::load(model, &[layer], runtime).unwrap();
    let trunk = network.trunk(input.to_vec()).unwrap();
    let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, class).unwrap().remove(0);
    let raw = Method::GradCam.raw_map(&evidence).unwrap();
    let most = raw.iter().copied().fold(0.0, f32::max);
    raw.iter().map(|value| if most > 0.0 { value.max(0.0) / most } else { 0.0 }).collect()
}

/// Logits and, where a layer can be explained, maps of both engines. Whether there were maps with anything in them.
#[track_caller]
fn agrees(what: &str, model: &Model, layer: &str, input: &[f32]) -> bool {
    logits_agree(what, model, input, MAP_ERROR);
    let Ok(choice) = model.choose_layer(&layer.parse::<LayerRequest>().unwrap()) else { return false };
    let scores = logits(model, input, &burn());
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    let expected = map(model, choice.index, input, best, &burn());
    for runtime in native() {
        let gap = distance(&map(model, choice.index, input, best, &runtime), &expected);
        assert!(gap <= MAP_ERROR, "{what}, {}: maps at {} differ by {gap:e}", runtime.engine, choice.name);
    }
    magnitude(&expected) > 0.0
}

#[derive(Debug, Clone)]
struct Convolution {
    /// Groups, channels a group in and out.
    groups: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
    size: [usize; 2],
    /// Bias, residual, ReLU.
    ends: [bool; 3],
}

fn convolution() -> impl Strategy<Value = Convolution> {
    let channels = || prop_oneof![Just(1_usize), Just(3), Just(5), Just(16), Just(17), Just(33), 1..40_usize];
    let groups = prop_oneof![
        3 => (channels(), channels()).prop_map(|(i, o)| [1, i, o]),
        1 => (1..4_usize, 1..3_usize, 1..3_usize).prop_map(|(groups, i, o)| [groups, 16 * i, 16 * o]),
        1 => (1..6_u32, 0..4_u32, 0..4_u32).prop_map(|(groups, i, o)| [1 << groups, 1 << i, 1 << o]),
        1 => channels().prop_map(|channels| [channels, 1, 1]),
        1 => [2..6_usize, 1..6_usize, 1..6_usize],
    ];
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let padding = [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize];
    (groups, pair(1..6), pair(1..4), padding, pair(1..4), pair(1..20), any::<[bool; 3]>()).prop_map(
        |(groups, kernel, stride, padding, dilation, size, ends)| {
            let least = |axis: usize| {
                let reach = (kernel[axis] - 1) * dilation[axis] + 1;
                reach.saturating_sub(padding[2 * axis] + padding[2 * axis + 1]).max(size[axis])
            };
            let size = [least(0), least(1)];
            Convolution { groups, kernel, stride, padding, dilation, size, ends }
        },
    )
}

impl Convolution {
    /// The grey picture folded into channels, convolved, perhaps added to a second convolution, perhaps kept above zero.
    fn network(&self) -> Made {
        let Self { groups: [groups, per_group, out], kernel, stride, padding, dilation, size, ends } = self;
        let (channels, [height, width]) = (groups * per_group, size);
        let settings = format!(
            r#""op": "conv2d", "inputs": ["x"], "groups": {groups}, "stride": {stride:?}, "padding": {padding:?},
            "dilation": {dilation:?}"#
        );
        let bias = if ends[0] { r#", "bias": "bias""# } else { "" };
        let mut nodes = format!(
            r#"{{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, {channels}, {height}, {width}] }},
            {{ "name": "a", {settings}, "params": {{ "weight": "a.weight"{bias} }} }},"#
        );
        let mut last = "a";
        if ends[1] {
            nodes += &format!(
                r#"{{ "name": "b", {settings}, "params": {{ "weight": "b.weight" }} }},
                {{ "name": "sum", "op": "add", "inputs": ["a", "b"] }},"#
            );
            last = "sum";
        }
        if ends[2] {
            nodes += &format!(r#"{{ "name": "relu", "op": "relu", "inputs": ["{last}"] }},"#);
            last = "relu";
        }
        nodes += &format!(r#"{{ "name": "flat", "op": "flatten", "inputs": ["{last}"] }}"#);
        let shape = [groups * out, *per_group, kernel[0], kernel[1]];
        let mut tensors = vec![tensor("a.weight", &shape, &seeded("a.weight", &shape))];
        if ends[0] {
            tensors.push(tensor("bias", &[groups * out], &seeded("bias", &[groups * out])));
        }
        if ends[1] {
            tensors.push(tensor("b.weight", &shape, &seeded("b.weight", &shape)));
        }
        made(&card(channels * height, *width, &nodes, "flat"), tensors)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_are_burns(convolution in convolution(), batch in 1..6_usize) {
        let network = convolution.network();
        let [groups, per_group, _] = convolution.groups;
        let one = groups * per_group * convolution.size[0] * convolution.size[1];
        let input = seeded("input", &[batch, one]);
        logits_agree(&format!("{convolution:?}"), &network.model, &input, ERROR);
    }
}

/// Every ONNX network among the fixtures that can be imported: its name, itself, and an input.
pub(crate) fn fixture_networks() -> impl Iterator<Item = (String, Made, Vec<f32>)> {
    let paths = ["onnx", "parity"].into_iter().flat_map(|folder| files(folder, &["onnx"]));
    paths.filter_map(|path| {
        let imported = onnx::read(&path).ok()?;
        let network = made(&imported.card, imported.tensors);
        let spec = &network.model.graph().input;
        let input = seeded("input", &[1, spec.channels, spec.height, spec.width]);
        Some((path.file_stem()?.to_string_lossy().into_owned(), network, input))
    })
}

#[test]
fn fixture_networks_have_the_same_maps() {
    let agree =
        |(what, network, input): &(String, Made, Vec<f32>)| agrees(what, &network.model, "auto", input);
    let maps = fixture_networks().filter(agree).count();
    assert!(maps > 15, "only {maps} maps had anything in them");
}

#[test]
fn trained_networks_have_the_same_maps() {
    let lite = Model::embedded().unwrap();
    let input = array("efficientnet_lite0.coffee.input.npy");
    assert!(agrees("efficientnet_lite0", &lite, "auto", &input));
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    assert!(agrees("squeezenet1_1", &squeezenet, "auto", &array("squeezenet1_1.coffee.input.npy")));
}

/// One of each structure.
#[test]
fn architectures_have_the_same_maps() {
    for name in
        ["resnet18", "resnet50", "squeezenet1_0", "mobilenet_v2", "densenet121", "alexnet", "vgg11_bn"]
    {
        let network = seeded_architecture(name);
        assert!(agrees(name, &network.model, "auto", &seeded("input", &[1, 3, 96, 96])), "{name} has no map");
    }
}

#[test]
#[ignore = "all of them, some of 500 MB: minutes"]
fn all_architectures_have_the_same_maps() {
    for name in burncam_model::arch::names() {
        let network = seeded_architecture(name);
        assert!(agrees(name, &network.model, "auto", &seeded("input", &[1, 3, 96, 96])), "{name} has no map");
    }
}

/// Neither how many pictures go together nor how many threads there are changes a bit.
#[test]
fn company_and_threads_change_nothing() {
    let model = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let one = array("squeezenet1_1.coffee.input.npy");
    let input: Vec<f32> =
        (0..6).flat_map(|at| one.iter().map(move |value| value * (1.0 - at as f32 / 7.0))).collect();
    for runtime in native() {
        let alone: Vec<f32> = input.chunks(one.len()).flat_map(|one| logits(&model, one, &runtime)).collect();
        for threads in 1..=3 {
            let runtime = Runtime { threads: NonZero::new(threads), ..runtime.clone() };
            assert_eq!(logits(&model, &input, &runtime), alone, "{}, {threads} threads", runtime.engine);
        }
    }
}

/// A network that is loaded for one picture gives the same numbers, also where more come.
#[test]
fn thrift_changes_nothing() {
    let model = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let input = array("squeezenet1_1.coffee.input.npy");
    let two: Vec<f32> = input.iter().chain(&input).copied().collect();
    for runtime in native() {
        let expected = logits(&model, &input, &runtime);
        let twice = [&expected[..], &expected].concat();
        let network = Network::load(&model, &[], Runtime { low_memory: true, ..runtime }).unwrap();
        for _ in 0..3 {
            assert_eq!(network.logits(input.clone()).unwrap(), expected);
        }
        assert_eq!(network.logits(two.clone()).unwrap(), twice);
    }
}
