//! Which maps depend on the weights: the claim of Adebayo et al. 2018 (arXiv:1810.03292) on a small network.

use std::collections::BTreeMap;

use burncam::check::{MethodSanity, SanityReport, SanityRequest, Verdict, check_sanity};
use burncam::{Model, Reading, Request, Runtime, Subject};
use burncam_engine::Network;

use crate::support::{Made, card, files, made, seeded, shapes, tensor};

fn pictures(model: &Model) -> Vec<Subject> {
    let files = files("cases/shapes/pictures", &["png"]);
    assert_eq!(files.len(), 24);
    files.iter().map(|path| Subject::open(path, &Reading::default(), model).unwrap()).collect()
}

fn request(methods: &[&str]) -> SanityRequest {
    let explain = Request::with(|request| {
        request.methods = methods.iter().map(|name| name.parse().unwrap()).collect();
    });
    SanityRequest { explain, ..SanityRequest::default() }
}

/// The Spearman correlations from the layer with this name down.
fn from(method: &MethodSanity, layer: &str) -> Vec<f64> {
    let stops = method.stops.iter().skip_while(|stop| stop.layer != layer);
    stops.map(|stop| stop.spearman.unwrap()).collect()
}

/// The figures of another implementation, with torch's own initialisation: Grad-CAM -0.12 to 0.10 from `l3.1` on, guided backpropagation
/// 0.70 and more down to `l2.1`.
#[test]
fn grad_cam_follows_the_weights_and_guided_backpropagation_does_not() {
    let Made { model, .. } = &shapes(|_| ());
    let report = check_sanity(model, &pictures(model), &request(&["gradcam", "guidedbackprop"])).unwrap();
    let [cam, guided] = &report.methods[..] else { panic!("two methods") };
    assert_eq!(
        report.layers,
        ["net.fc", "l3.1.0", "l3.0.0", "l2.1.0", "l2.0.0", "l1.1.0", "l1.0.0", "stem.0"]
    );
    assert_eq!(cam.stops.len(), 8);
    let moved = from(cam, "l3.1.0");
    assert!(moved.len() == 7 && moved.iter().all(|found| found.abs() < 0.15), "{moved:?}");
    let stays: Vec<f64> = guided.stops[..4].iter().map(|stop| stop.spearman.unwrap()).collect();
    assert_eq!(guided.stops[3].layer, "l2.1.0");
    assert!(stays.iter().all(|found| *found > 0.6), "{stays:?}");
    assert_eq!((cam.verdict, guided.verdict), (Verdict::Depends, Verdict::DoesNotDepend));
    assert!(cam.similarity.unwrap() < 0.2 && guided.similarity.unwrap() > 0.6 && !report.passed);
    for stop in &cam.stops {
        assert_eq!((stop.spearman_by_seed.len(), stop.pairs + stop.constant), (3, 3 * 24));
    }
    // Guided backpropagation hardly distinguishes classes, Grad-CAM does.
    let classes = |method: &MethodSanity| method.random_class.as_ref().unwrap().spearman.unwrap();
    assert!(classes(cam) < 0.0 && classes(guided) > 0.7, "{} {}", classes(cam), classes(guided));
}

#[test]
fn equal_seeds_give_equal_reports_and_a_map_of_activations_alone_is_the_same_for_every_class() {
    let Made { model, .. } = &shapes(|_| ());
    let some = &pictures(model)[..2];
    let of = |seed| {
        check_sanity(model, some, &SanityRequest { seed, seeds: 1, ..request(&["eigencam"]) }).unwrap()
    };
    assert_eq!(of(3), of(3));
    assert_ne!(of(3).methods, of(4).methods);
    let eigen = &of(3).methods[0];
    assert!((eigen.random_class.as_ref().unwrap().spearman.unwrap() - 1.0).abs() < 1e-9);
    // Only the last layer is behind the map's.
    assert!((eigen.stops[0].spearman.unwrap() - 1.0).abs() < 1e-9 && eigen.stops[1].spearman.unwrap() < 0.9);
}

#[test]
fn without_pictures_noise_is_explained_and_the_smooth_variant_averages_over_more() {
    let Made { model, .. } = &shapes(|_| ());
    let few = |change: &dyn Fn(&mut SanityRequest)| -> SanityReport {
        let mut request = SanityRequest { seeds: 1, stops: 2, ..request(&["gradcam"]) };
        change(&mut request);
        check_sanity(model, &[], &request).unwrap()
    };
    let plain = few(&|_| {});
    assert_eq!((plain.pictures.len(), plain.methods[0].stops.len()), (4, 2));
    assert_eq!(plain.methods[0].stops.iter().map(|stop| stop.drawn).collect::<Vec<_>>(), [1, 8]);
    let smooth = few(&|request| {
        request.explain.smoothing.noise = true;
        request.explain.options.samples = Some(3);
    });
    assert_ne!(plain.methods, smooth.methods);
}

/// Convolution, batch norm that is folded into it, and a classifier.
fn with_norm(values: impl Fn(&str, &[usize]) -> Vec<f32>) -> Made {
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight" } },
        { "name": "bn", "op": "batch_norm", "inputs": ["conv"], "params": { "gamma": "bn.weight", "beta": "bn.bias", "running_mean": "bn.running_mean", "running_var": "bn.running_var" } },
        { "name": "relu", "op": "relu", "inputs": ["bn"] },
        { "name": "shifted", "op": "add", "inputs": ["relu"], "params": { "other": "place" } },
        { "name": "pool", "op": "global_avg_pool", "inputs": ["shifted"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight", "bias": "fc.bias" } }"#;
    let shapes: &[(&str, &[usize])] = &[
        ("conv.weight", &[4, 1, 3, 3]),
        ("bn.weight", &[4]),
        ("bn.bias", &[4]),
        ("bn.running_mean", &[4]),
        ("bn.running_var", &[4]),
        ("place", &[1, 4, 6, 6]),
        ("fc.weight", &[4, 3]),
        ("fc.bias", &[3]),
    ];
    let tensors = shapes.iter().map(|(name, shape)| tensor(name, shape, &values(name, shape))).collect();
    made(&card(8, 8, nodes, "fc"), tensors)
}

fn logits(model: &Model, runtime: &Runtime) -> Vec<f32> {
    let input = (0..64).map(|at| (at as f32 * 0.37).sin()).collect();
    Network::load(model, &[], runtime).unwrap().logits(input).unwrap()
}

#[test]
fn values_in_memory_give_what_a_file_with_them_gives() {
    let other = |name: &str, shape: &[usize]| match name {
        "conv.weight" | "bn.weight" | "fc.bias" => seeded(&format!("other.{name}"), shape),
        _ => seeded(name, shape),
    };
    let (before, after) = (with_norm(seeded), with_norm(other));
    let changed = [("conv.weight", &[4, 1, 3, 3][..]), ("bn.weight", &[4]), ("fc.bias", &[3])];
    let values: BTreeMap<String, Vec<f32>> =
        changed.iter().map(|(name, shape)| ((*name).to_owned(), other(name, shape))).collect();
    let replaced = before.model.replacing(values).unwrap();
    for engine in ["native", "burn"] {
        let runtime = Runtime { engine: engine.parse().unwrap(), ..Runtime::default() };
        assert_eq!(logits(&replaced, &runtime), logits(&after.model, &runtime), "{engine}");
        assert_ne!(logits(&before.model, &runtime), logits(&after.model, &runtime), "{engine}");
    }
}

#[test]
fn running_statistics_and_operands_of_sums_are_kept_and_a_norm_goes_with_its_convolution() {
    let Made { model, .. } = &with_norm(seeded);
    let report = check_sanity(model, &[], &SanityRequest { seeds: 1, ..request(&["gradcam"]) }).unwrap();
    assert_eq!(
        (report.layers, report.kept),
        (vec!["fc".to_owned(), "conv".to_owned()], vec!["place".to_owned()])
    );
}

#[test]
fn what_has_no_signs_or_no_weights_is_refused() {
    let Made { model, .. } = &shapes(|_| ());
    let refused = |change: &dyn Fn(&mut Request)| {
        let mut request = request(&["gradcam"]);
        change(&mut request.explain);
        check_sanity(model, &[], &request).unwrap_err().to_string()
    };
    let error = refused(&|request| request.options.library = Some("captum".parse().unwrap()));
    assert!(error.starts_with("maps are compared with their signs"), "{error}");
    let error = refused(&|request| request.methods = vec!["refinecam".parse().unwrap()]);
    assert_eq!(error, "method 'refinecam' multiplies maps, which leaves no signs to compare (leave it out)");
    let pool = r#"{ "name": "pool", "op": "global_avg_pool", "inputs": ["input"] }, { "name": "flat", "op": "flatten", "inputs": ["pool"] }"#;
    let Made { model, .. } = &made(&card(8, 8, pool, "flat"), vec![]);
    let error = check_sanity(model, &[], &request(&["gradient"])).unwrap_err().to_string();
    assert!(error.contains("no weights to randomise"), "{error}");
}
