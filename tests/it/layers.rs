//! Which layer `auto` takes, and what is said of it: coarse grids, branches, scales, cells that no score reads.

use burncam::{Explainer, LayerRequest, Method, Request, Subject};
use burncam_model::StoredTensor;

use crate::support::{Made, card, made, seeded, subject, tensor};

fn ramp(height: usize, width: usize) -> Subject {
    let count = height * width;
    subject(height, width, (0..count).map(|at| at as f32 / count as f32).collect())
}

fn weights(shapes: &[(&str, &[usize])]) -> Vec<StoredTensor> {
    let one =
        |(name, shape): &(&str, &[usize])| tensor(name, shape, &seeded(&format!("{name}.weight"), shape));
    shapes.iter().map(one).collect()
}

/// Convolutions of stride 2 on 16x16: 8x8, 4x4 and 2x2 cells, then an average and two classes.
fn halving() -> Made {
    let conv = |name: &str, from: &str| {
        format!(
            r#"{{ "name": "{name}", "op": "conv2d", "stride": [2, 2], "inputs": ["{from}"], "params": {{ "weight": "{name}.w" }} }}"#
        )
    };
    let head = r#"{ "name": "pool", "op": "global_avg_pool", "inputs": ["c"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.w" } }"#;
    let nodes = [conv("a", "input"), conv("b", "a"), conv("c", "b"), head.into()].join(",\n");
    let shapes: [(&str, &[usize]); 4] =
        [("a.w", &[2, 1, 1, 1]), ("b.w", &[2, 2, 1, 1]), ("c.w", &[2, 2, 1, 1]), ("fc.w", &[2, 2])];
    made(&card(16, 16, &nodes, "fc"), weights(&shapes))
}

#[test]
fn a_grid_of_sixteen_cells_or_fewer_is_said_with_the_nearest_finer_layer() {
    let Made { model, .. } = &halving();
    let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
    let coarse = explainer.layers()[0].coarse.clone().unwrap();
    // Not the 4x4 of `b`, which would be said of as well.
    assert_eq!((coarse.height, coarse.width, coarse.finer), (2, 2, Some(("a".to_owned(), [8, 8]))));
    let said = "the map has 2x2 cells, too few to say where (Request::layers = a has 8x8)";
    assert_eq!(explainer.warnings(), [said]);

    let subject = ramp(16, 16);
    let explanation = explainer.explain(&subject).unwrap().remove(0);
    let record = explainer.record(&subject, &explanation, vec![vec![]]).unwrap();
    assert_eq!(record.warnings.first().map(String::as_str), Some(said));
    assert_eq!(record.layers[0].finer.as_deref(), Some("a"));
}

/// As in a residual network, the last block halves the grid on two ways: over `b1` and `b2`, and past them over `skip`.
fn past() -> Made {
    let conv = |name: &str, stride: usize, from: &str| {
        format!(
            r#"{{ "name": "{name}", "op": "conv2d", "stride": [{stride}, {stride}], "inputs": ["{from}"], "params": {{ "weight": "{name}.w" }} }}"#
        )
    };
    let head = r#"{ "name": "sum", "op": "add", "inputs": ["b2", "skip"] },
        { "name": "pool", "op": "global_avg_pool", "inputs": ["sum"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.w" } }"#;
    let convs = [conv("a", 2, "input"), conv("b1", 1, "a"), conv("b2", 2, "b1"), conv("skip", 2, "a")];
    let nodes = [convs.join(",\n"), head.to_owned()].join(",\n");
    let shapes: [(&str, &[usize]); 5] = [
        ("a.w", &[2, 1, 1, 1]),
        ("b1.w", &[2, 2, 1, 1]),
        ("b2.w", &[2, 2, 1, 1]),
        ("skip.w", &[2, 2, 1, 1]),
        ("fc.w", &[2, 2]),
    ];
    made(&card(32, 32, &nodes, "fc"), weights(&shapes))
}

#[test]
fn the_finer_layer_is_the_last_one_that_no_path_runs_past() {
    let finer = |model: &burncam_model::Model, name: &str| {
        let chosen = model.choose_layer(&name.parse().unwrap()).unwrap();
        model.finer_layer(&chosen).map(|finer| (finer.name, finer.reason))
    };
    let Made { model, .. } = &halving();
    let (name, reason) = finer(model, "c").unwrap();
    assert_eq!((name.as_str(), reason.as_str()), ("b", "auto: the last finer grid (4x4) before 'c'"));
    assert_eq!(finer(model, "a"), None);
    let Made { model, .. } = &past();
    assert_eq!(finer(model, "auto").unwrap().0, "a", "the way over 'skip' runs past 'b1'");
    assert_eq!(finer(model, "b2").unwrap().0, "b1");
}

#[test]
fn refinecam_has_a_pair_of_layers_of_its_own_and_other_methods_keep_theirs() {
    let Made { model, .. } = &crate::support::shapes(|_| ());
    let subject = Subject::open(&crate::support::picture_of_shapes(3), &Default::default(), model).unwrap();
    let explained = |methods: &[&str], layers: &[&str]| {
        let request = Request::with(|request| {
            request.methods = methods.iter().map(|name| name.parse().unwrap()).collect();
            request.layers = layers.iter().map(|name| name.parse().unwrap()).collect();
        });
        let explainer = Explainer::new(model.clone(), request).unwrap();
        let explanations = explainer.explain(&subject).unwrap();
        let maps: Vec<_> = explanations.iter().map(|one| one.targets[0].map.clone()).collect();
        let record = |at: usize| explainer.record(&subject, &explanations[at], vec![vec![]]).unwrap();
        let names = |at: usize| record(at).layers.into_iter().map(|layer| layer.name).collect::<Vec<_>>();
        let layers: Vec<Vec<String>> = (0..methods.len()).map(names).collect();
        (maps, layers)
    };
    let (refined, layers) = explained(&["refinecam"], &["auto"]);
    let [pair] = &layers[..] else { panic!("one method") };
    let [finer, chosen] = &pair[..] else { panic!("two layers") };
    let named = explained(&["refinecam"], &[finer, chosen]);
    assert_eq!((&refined, &layers), (&named.0, &named.1));
    let (alone, one) = explained(&["gradcam"], &["auto"]);
    assert_eq!(one, [[chosen.clone()]]);
    let (both, of_both) = explained(&["gradcam", "refinecam"], &["auto"]);
    assert_eq!(both, [alone[0].clone(), refined[0].clone()]);
    assert_eq!(of_both, [one[0].clone(), pair.clone()]);
}

#[test]
fn nothing_is_said_of_fine_grids_and_of_methods_without_a_layer() {
    let Made { model, .. } = &halving();
    let said = |change: fn(&mut Request)| {
        let explainer = Explainer::new(model.clone(), Request::with(change)).unwrap();
        let subject = ramp(16, 16);
        let explanation = explainer.explain(&subject).unwrap().remove(0);
        let record = explainer.record(&subject, &explanation, vec![vec![]]).unwrap();
        record.warnings.iter().any(|warning| warning.contains("cells"))
    };
    assert!(said(|request| request.layers = vec![LayerRequest::Name("b".into())]));
    assert!(!said(|request| request.layers = vec![LayerRequest::Name("a".into())]));
    // Together with a finer layer a coarse one does no harm.
    assert!(
        !said(|request| request.layers = ["a", "c"].map(|name| LayerRequest::Name(name.into())).to_vec())
    );
    assert!(!said(|request| request.methods = vec![Method::Gradient]));
}

/// Two backbones on one picture, `a` then `b` with 8x8 cells and `c` with 4x4: their scores are added, or their features joined.
fn two_backbones(joins: bool) -> Made {
    let conv = |name: &str, from: &str, stride: usize| {
        format!(
            r#"{{ "name": "{name}", "op": "conv2d", "stride": [{stride}, {stride}], "inputs": ["{from}"], "params": {{ "weight": "{name}.w" }} }},
            {{ "name": "{name}.pool", "op": "global_avg_pool", "inputs": ["{name}"] }},
            {{ "name": "{name}.flat", "op": "flatten", "inputs": ["{name}.pool"] }}"#
        )
    };
    let linear = |name: &str, from: &str| {
        format!(
            r#"{{ "name": "{name}", "op": "linear", "inputs": ["{from}"], "params": {{ "weight": "{name}.w" }} }}"#
        )
    };
    let head = match joins {
        true => [
            r#"{ "name": "both", "op": "concat", "axis": 1, "inputs": ["b.flat", "c.flat"] }"#.to_owned(),
            linear("fc", "both"),
        ],
        false => [
            [linear("fb", "b.flat"), linear("fc", "c.flat")].join(",\n"),
            r#"{ "name": "sum", "op": "add", "inputs": ["fb", "fc"] }"#.to_owned(),
        ],
    };
    let first = r#"{ "name": "a", "op": "conv2d", "inputs": ["input"], "params": { "weight": "a.w" } }"#;
    let nodes = [first.to_owned(), conv("b", "a", 2), conv("c", "input", 4), head.join(",\n")].join(",\n");
    let features = if joins { 4 } else { 2 };
    let mut shapes: Vec<(&str, &[usize])> =
        vec![("a.w", &[2, 1, 1, 1]), ("b.w", &[2, 2, 1, 1]), ("c.w", &[2, 1, 1, 1])];
    let fc = [features, 3];
    shapes.push(("fc.w", &fc));
    if !joins {
        shapes.push(("fb.w", &[2, 3]));
    }
    made(&card(32, 32, &nodes, if joins { "fc" } else { "sum" }), weights(&shapes))
}

#[test]
fn of_several_branches_auto_takes_one_and_names_the_others() {
    for joins in [false, true] {
        let Made { model, .. } = &two_backbones(joins);
        let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
        let [layer] = explainer.layers() else { panic!("one layer expected") };
        assert_eq!((layer.name.as_str(), &layer.branches), ("c", &vec!["b".to_owned()]));
        let said = "the scores read several branches, and the map is of 'c' alone; others end at 'b' (Request::layers = c,b \
             joins them)";
        assert_eq!(explainer.warnings(), [said]);
        let subject = ramp(32, 32);
        let explanation = explainer.explain(&subject).unwrap().remove(0);
        let record = explainer.record(&subject, &explanation, vec![vec![]]).unwrap();
        assert_eq!(record.layers[0].branches, ["b"]);
        // Who names a layer knows what it is of.
        let asked = Request::with(|request| request.layers = vec![LayerRequest::Name("c".into())]);
        assert!(Explainer::new(model.clone(), asked).unwrap().warnings().is_empty());
    }
}

/// One backbone of 8x8 and 4x4 cells, whose head reads the averages of both.
fn two_scales() -> Made {
    let nodes = r#"{ "name": "a", "op": "conv2d", "stride": [4, 4], "inputs": ["input"], "params": { "weight": "a.w" } },
        { "name": "relu", "op": "relu", "inputs": ["a"] },
        { "name": "b", "op": "conv2d", "stride": [2, 2], "inputs": ["relu"], "params": { "weight": "b.w" } },
        { "name": "fine", "op": "global_avg_pool", "inputs": ["relu"] },
        { "name": "rough", "op": "global_avg_pool", "inputs": ["b"] },
        { "name": "both", "op": "concat", "axis": 1, "inputs": ["fine", "rough"] },
        { "name": "flat", "op": "flatten", "inputs": ["both"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.w" } }"#;
    let shapes: [(&str, &[usize]); 3] = [("a.w", &[2, 1, 1, 1]), ("b.w", &[3, 2, 1, 1]), ("fc.w", &[5, 2])];
    made(&card(32, 32, nodes, "fc"), weights(&shapes))
}

#[test]
fn of_a_head_of_several_scales_auto_takes_all() {
    let Made { model, .. } = &two_scales();
    let names = |layers: &[burncam_model::Choice]| -> Vec<String> {
        layers.iter().map(|layer| layer.name.clone()).collect()
    };
    let layers = model.choose_layers(&LayerRequest::Auto).unwrap();
    assert_eq!(names(&layers), ["relu", "b"]);
    assert!(layers[0].reason.contains("8x8, 4x4"), "{}", layers[0].reason);
    // A method of one layer gets the last.
    let one = Request::with(|request| request.methods = vec![Method::GuidedGradCam]);
    assert_eq!(names(Explainer::new(model.clone(), one).unwrap().layers()), ["b"]);
    let several = Explainer::new(model.clone(), Request::default()).unwrap();
    assert_eq!(names(several.layers()), ["relu", "b"]);
}

/// Attention on 4x4 patches and a class token, which alone the scores read; as in CoaT a convolution of the patches is added behind
/// the attention, with nothing for the class token.
fn class_token() -> Made {
    let nodes = r#"{ "name": "patch", "op": "conv2d", "stride": [4, 4], "inputs": ["input"], "params": { "weight": "patch.w" } },
        { "name": "list", "op": "reshape", "shape": [0, 2, 16], "inputs": ["patch"] },
        { "name": "tokens", "op": "transpose", "perm": [0, 2, 1], "inputs": ["list"] },
        { "name": "all", "op": "concat", "axis": 1, "inputs": ["tokens"], "params": { "other": "class" } },
        { "name": "norm", "op": "layer_norm", "inputs": ["all"], "params": { "gamma": "gamma", "beta": "beta" } },
        { "name": "keys", "op": "transpose", "perm": [0, 2, 1], "inputs": ["norm"] },
        { "name": "products", "op": "matmul", "inputs": ["norm", "keys"] },
        { "name": "shares", "op": "softmax", "axis": 2, "inputs": ["products"] },
        { "name": "mixed", "op": "matmul", "inputs": ["shares", "norm"] },
        { "name": "patches", "op": "slice", "axis": 1, "start": 1, "end": 17, "inputs": ["norm"] },
        { "name": "columns", "op": "transpose", "perm": [0, 2, 1], "inputs": ["patches"] },
        { "name": "map", "op": "reshape", "shape": [0, 2, 4, 4], "inputs": ["columns"] },
        { "name": "position", "op": "conv2d", "inputs": ["map"], "params": { "weight": "position.w" } },
        { "name": "flat", "op": "reshape", "shape": [0, 1, 2, 16], "inputs": ["position"] },
        { "name": "rows", "op": "transpose", "perm": [0, 1, 3, 2], "inputs": ["flat"] },
        { "name": "padded", "op": "pad", "padding": [1, 0, 0, 0], "inputs": ["rows"] },
        { "name": "one", "op": "squeeze", "axes": [1], "inputs": ["padded"] },
        { "name": "sum", "op": "add", "inputs": ["mixed", "one"] },
        { "name": "last", "op": "layer_norm", "inputs": ["sum"], "params": { "gamma": "gamma", "beta": "beta" } },
        { "name": "first", "op": "slice", "axis": 1, "start": 0, "end": 1, "inputs": ["last"] },
        { "name": "token", "op": "squeeze", "axes": [1], "inputs": ["first"] },
        { "name": "fc", "op": "linear", "inputs": ["token"], "params": { "weight": "fc.w" } }"#;
    let mut stored = weights(&[
        ("patch.w", &[2, 1, 4, 4]),
        ("class", &[1, 1, 2]),
        ("position.w", &[2, 2, 1, 1]),
        ("fc.w", &[2, 3]),
    ]);
    stored.push(tensor("gamma", &[2], &[1.0, 0.5]));
    stored.push(tensor("beta", &[2], &[0.1, -0.2]));
    made(&card(16, 16, nodes, "fc"), stored)
}

#[test]
fn auto_takes_no_layer_whose_cells_no_score_reads() {
    let Made { model, .. } = &class_token();
    let layer = model.choose_layer(&LayerRequest::Auto).unwrap();
    assert_eq!(layer.name, "norm");
    assert!(!layer.alternatives.iter().any(|name| ["position", "sum", "last"].contains(&name.as_str())));
    let is_read = |name: &str| model.layers().into_iter().find(|layer| layer.name == name).unwrap().is_read;
    assert!(is_read("norm") && !is_read("patches") && !is_read("position") && !is_read("last"));
    // What the graph says is what the gradients are.
    let gradient = |name: &str| {
        let position = model.graph().position(name).unwrap();
        let network =
            burncam_engine::Network::load(model, &[position], &burncam::DeviceName::default()).unwrap();
        let trunk = network.trunk(ramp(16, 16).values).unwrap();
        let evidence = network.record(&trunk).unwrap().evidence(&burncam::Score::Logit, 0).unwrap().remove(0);
        evidence.gradients.values.iter().any(|value| *value != 0.0)
    };
    assert_eq!(["norm", "position", "last"].map(gradient), [true, false, false]);
}
