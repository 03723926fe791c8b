//! `--precision bf16` and `int8` against `f32`, on photographs through trained networks: classes, probabilities, maps. On a
//! machine that cannot do it, that it says so.
//!
//! `cargo test --release --test it precision -- --nocapture` prints what it costs.

use burncam::{
    Engine, Explainer, LayerRequest, Method, Model, Picture, Precision, Request, Runtime, Score, Subject,
};
use burncam_engine::{Isa, Network};
use image::imageops::{crop_imm, flip_horizontal_in_place};

use crate::support::{distance, fixture, to_unit};

/// How much a lower precision may change.
struct Bounds {
    precision: Precision,
    /// The best class leads by this much, in f32, where it must be the best in the lower precision too.
    clear: f64,
    /// The least that a map may agree (Pearson's correlation over its cells), and the most that a cell within 0 to 1 may be off.
    correlation: f64,
    cell: f32,
    /// The most that a probability may change.
    probability: f64,
}

const BF16: Bounds =
    Bounds { precision: Precision::Bf16, clear: 0.05, correlation: 0.995, cell: 0.06, probability: 0.02 };
/// Twice as much as with AVX512-VNNI, which quantises more convolutions than AVX2 does.
const INT8: Bounds =
    Bounds { precision: Precision::Int8, clear: 0.1, correlation: 0.95, cell: 0.25, probability: 0.25 };

fn rounded(precision: Precision) -> Runtime {
    Runtime { precision, ..Runtime::default() }
}

/// Every photograph, whole and in five parts of three quarters of its sides, each also in a mirror: 48 views.
fn views() -> Vec<Picture> {
    let mut views = Vec::new();
    for name in ["coffee.png", "camera.png", "chelsea.png", "rocket.jpg"] {
        let whole = Picture::open(&fixture("images").join(name), [255; 3]).unwrap();
        let (width, height) = whole.rgb.dimensions();
        let part = |x: u32, y: u32| {
            crop_imm(&whole.rgb, width * x / 8, height * y / 8, width * 3 / 4, height * 3 / 4).to_image()
        };
        let mut all = vec![whole.rgb.clone()];
        all.extend([(0, 0), (2, 0), (0, 2), (2, 2), (1, 1)].map(|(x, y)| part(x, y)));
        for rgb in all {
            let mut mirrored = rgb.clone();
            flip_horizontal_in_place(&mut mirrored);
            views.extend([rgb, mirrored].map(|rgb| Picture { rgb, ..whole.clone() }));
        }
    }
    views
}

/// Probabilities, and Grad-CAM's map within 0 to 1 for a class or the best one.
fn look(network: &Network, values: &[f32], class: Option<usize>) -> (Vec<f64>, usize, Vec<f32>) {
    let mut recording = network.record(&network.trunk(values.to_vec()).unwrap()).unwrap();
    let logits = recording.logits().unwrap();
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let parts: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = parts.iter().sum();
    let class = class.unwrap_or_else(|| logits.iter().position(|logit| *logit == most).unwrap());
    let evidence = recording.evidence(&Score::Logit, class).unwrap().remove(0);
    let raw = Method::GradCam.raw_map(&evidence).unwrap();
    let map = to_unit(evidence.activations.height, evidence.activations.width, &raw);
    (parts.iter().map(|part| part / sum).collect(), class, map.values().to_vec())
}

/// Pearson's.
fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean =
        |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let [mut ab, mut aa, mut bb] = [0.0; 3];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (f64::from(*a) - of_a, f64::from(*b) - of_b);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    ab / (aa * bb).sqrt()
}

/// What a network sees in all views, in both precisions.
#[expect(clippy::print_stdout, reason = "the figures of docs/performance.md")]
fn compare(bounds: &Bounds, model: &Model, layer: &str) {
    let index = model.choose_layer(&layer.parse::<LayerRequest>().unwrap()).unwrap().index;
    let [single, half] = [Runtime::default(), rounded(bounds.precision)]
        .map(|runtime| Network::load(model, &[index], &runtime).unwrap());
    let (mut same, mut changed, mut least, mut cell) = (0, 0.0_f64, 1.0_f64, 0.0_f32);
    let views = views();
    for picture in &views {
        let values = Subject::from_picture(picture.clone(), "view", model).unwrap().values;
        let (expected, class, map) = look(&single, &values, None);
        let (found, _, of_half) = look(&half, &values, Some(class));
        let best = (0..found.len()).max_by(|a, b| found[*a].total_cmp(&found[*b])).unwrap();
        let others = (0..expected.len()).filter(|other| *other != class).map(|other| expected[other]);
        let lead = expected[class] - others.fold(0.0, f64::max);
        assert!(
            best == class || lead < bounds.clear,
            "{}: {class} leads by {lead}, got {best}",
            model.name()
        );
        same += usize::from(best == class);
        changed = expected.iter().zip(&found).fold(changed, |most, (a, b)| most.max((a - b).abs()));
        least = least.min(correlation(&map, &of_half));
        cell = cell.max(distance(&map, &of_half));
    }
    println!(
        "{} {} at {layer}: {same} of {} best classes the same, a probability changes by {changed:.4} at most, \
         maps correlate by {least:.5} at least, a cell changes by {cell:.4} at most",
        model.name(),
        bounds.precision,
        views.len()
    );
    assert!(changed <= bounds.probability && least >= bounds.correlation && cell <= bounds.cell);
}

#[test]
fn bf16_sees_what_f32_sees_or_says_that_it_cannot_be_had() {
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let embedded = Model::open(&fixture("models/efficientnet_lite0.bpk"), None).unwrap();
    if Precision::Bf16.is_available(Isa::best()) {
        compare(&BF16, &embedded, "auto");
        compare(&BF16, &squeezenet, "auto");
        compare(&BF16, &squeezenet, "features.12");
        return;
    }
    for model in [&squeezenet, &embedded] {
        let error = Network::load(model, &[], rounded(Precision::Bf16)).unwrap_err().to_string();
        let said = "precision 'bf16' needs the instructions AVX512-BF16, which this machine does not have (drop Runtime::precision)";
        assert_eq!(error, said);
    }
}

#[test]
fn int8_sees_what_f32_sees() {
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let embedded = Model::open(&fixture("models/efficientnet_lite0.bpk"), None).unwrap();
    compare(&INT8, &embedded, "auto");
    compare(&INT8, &squeezenet, "auto");
}

/// Pictures are quantised one by one, so that a map does not depend on the pictures that it is computed with.
#[test]
fn maps_in_int8_do_not_depend_on_the_batch_and_the_threads() {
    let model = Model::open(&fixture("models/efficientnet_lite0.bpk"), None).unwrap();
    let index = model.choose_layer(&LayerRequest::Auto).unwrap().index;
    let subject = |picture: &Picture| Subject::from_picture(picture.clone(), "view", &model).unwrap().values;
    let pictures: Vec<Vec<f32>> = views()[..5].iter().map(subject).collect();
    let logits = |threads: usize, pictures: &[Vec<f32>]| -> Vec<Vec<f32>> {
        let runtime = Runtime { threads: threads.try_into().ok(), ..rounded(Precision::Int8) };
        let network = Network::load(&model, &[index], &runtime).unwrap();
        let pictures: Vec<&[f32]> = pictures.iter().map(Vec::as_slice).collect();
        network.trunks(&pictures).unwrap().iter().map(|trunk| network.logits_behind(trunk).unwrap()).collect()
    };
    let together = logits(2, &pictures);
    let apart: Vec<Vec<f32>> = pictures.iter().flat_map(|one| logits(1, std::slice::from_ref(one))).collect();
    assert!(together == apart);
}

#[test]
fn bf16_is_refused_where_burn_runs_the_network() {
    let open = || Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let burn = Runtime { engine: Engine::Burn, ..rounded(Precision::Bf16) };
    let error = Network::load(&open(), &[], burn).unwrap_err().to_string();
    assert!(error.starts_with("precision 'bf16' needs the engine 'native', got engine 'burn'"), "{error}");
    let settings = Request::with(|request| {
        request.runtime = rounded(Precision::Bf16);
        request.methods = vec![Method::FullGrad];
    });
    let error = Explainer::new(open(), settings).unwrap_err().to_string();
    assert!(error.starts_with("fullgrad looks at the network as it is, in f32"), "{error}");
}

/// What an earlier run did in another precision is not what is asked for.
#[cfg(feature = "cli")]
#[test]
fn resume_does_again_what_was_done_in_another_precision() {
    let out = tempfile::tempdir().unwrap();
    let run = |precision: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_burncam"));
        command.arg("explain").arg(fixture("images/coffee.png")).arg(fixture("images/chelsea.png"));
        command.arg("-m").arg(fixture("models/squeezenet1_1.bpk")).arg("-o").arg(out.path());
        let output = command.args(["--resume", "--precision", precision]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.success(), said)
    };
    let recorded = || {
        let record = std::fs::read(out.path().join("coffee.gradcam.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&record).unwrap()["settings"]["precision"].clone()
    };
    let (done, said) = run("f32");
    assert!(done && recorded() == "f32", "{said}");
    let (done, said) = run("int8");
    assert!(done && recorded() == "int8", "{said}");
    let (done, said) = run("f32");
    assert!(done && recorded() == "f32", "{said}");
    let (done, said) = run("bf16");
    if Precision::Bf16.is_available(Isa::best()) {
        assert!(done && recorded() == "bf16", "{said}");
    } else {
        assert!(!done && said.contains("(drop --precision)") && recorded() == "f32", "{said}");
    }
}
