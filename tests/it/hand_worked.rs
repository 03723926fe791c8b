//! A network of sixteen pixels, worked by hand.

use burncam::{Explainer, Method, Request, Target};

use crate::support::{Made, card, distance, evidence, made, subject, tensor};

/// 4x4 grey -> conv 1x1 to two channels -> ReLU -> mean of each channel -> two logits.
///
/// conv: `A_1 = relu(x)`, `A_2 = relu(2 - x)`.
/// head: `y_0 = 3 m_1 - m_2`, `y_1 = -m_1 + 2 m_2 + 1` with `m_k` the mean of `A_k`.
fn sixteen_pixels() -> Made {
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight", "bias": "conv.bias" } },
        { "name": "relu", "op": "relu", "inputs": ["conv"] },
        { "name": "pool", "op": "global_avg_pool", "inputs": ["relu"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight", "bias": "fc.bias" } }"#;
    let tensors = vec![
        tensor("conv.weight", &[2, 1, 1, 1], &[1.0, -1.0]),
        tensor("conv.bias", &[2], &[0.0, 2.0]),
        tensor("fc.weight", &[2, 2], &[3.0, -1.0, -1.0, 2.0]),
        tensor("fc.bias", &[2], &[0.0, 1.0]),
    ];
    made(&card(4, 4, nodes, "fc"), tensors)
}

/// 0 to 3.75 in steps of a quarter.
fn ramp() -> Vec<f32> {
    (0..16_u8).map(|pixel| f32::from(pixel) / 4.0).collect()
}

#[test]
fn the_map_after_the_relu_is_exact() {
    // dy_0/dA_1 = 3/16 and dy_0/dA_2 = -1/16 everywhere, so alpha = (3/16, -1/16) and the map is
    // (3 relu(x) - relu(2 - x)) / 16: at x = 0 that is -2/16, at x = 2 it is 6/16, at x = 3.75 it is 11.25/16.
    let network = sixteen_pixels();
    for device in ["flex", "ndarray"] {
        let evidence = evidence(&network.model, "relu", 0, &ramp(), device);
        let expected: Vec<f32> = ramp().iter().map(|x| (3.0 * x - (2.0 - x).max(0.0)) / 16.0).collect();
        let map = Method::GradCam.raw_map(&evidence).unwrap();
        assert!(distance(&map, &expected) < 1e-5, "{device}: {map:?}");
        assert!((map[0] + 2.0 / 16.0).abs() < 1e-5 && (map[15] - 11.25 / 16.0).abs() < 1e-5);
    }
}

#[test]
fn the_map_before_the_relu_differs_as_the_mathematics_says() {
    // At the convolution, dy_0/dA_2 is -1/16 only where 2 - x > 0: 8 of 16 pixels (x = 2 has gradient zero).
    // dy_0/dA_1 is 3/16 where x > 0: 15 of 16. So alpha = (3 * 15 / 256, -8 / 256), and A is x and 2 - x.
    let network = sixteen_pixels();
    let evidence = evidence(&network.model, "conv", 0, &ramp(), "flex");
    let expected: Vec<f32> = ramp().iter().map(|x| (45.0 * x - 8.0 * (2.0 - x)) / 256.0).collect();
    let map = Method::GradCam.raw_map(&evidence).unwrap();
    assert!(distance(&map, &expected) < 1e-5, "{map:?}");
}

#[test]
fn logits_probabilities_ranks_and_targets_are_those_of_the_arithmetic() {
    // m_1 = mean of 0..3.75 = 1.875; m_2 = mean of 2 - x over x < 2 = (2 + 1.75 + ... + 0.25) / 16 = 0.5625.
    // y_0 = 5.625 - 0.5625 = 5.0625; y_1 = -1.875 + 1.125 + 1 = 0.25.
    let settings = Request::with(|request| request.targets = vec![Target::Index(1), Target::Top(1)]);
    let Made { model, .. } = &sixteen_pixels();
    let explainer = Explainer::new(model.clone(), settings).unwrap();
    let explanation = explainer.explain(&subject(4, 4, ramp())).unwrap().remove(0);
    let [second, first] = &explanation.targets[..] else { panic!("two targets expected") };
    let places = (first.class.target, first.rank, second.class.target, second.rank);
    assert_eq!(places, (0, Some(1), 1, Some(2)));
    let logits = [first.class.logit.unwrap(), second.class.logit.unwrap()];
    assert!((logits[0] - 5.0625).abs() < 1e-5 && (logits[1] - 0.25).abs() < 1e-5);
    let expected = 1.0 / (1.0 + (0.25_f64 - 5.0625).exp());
    assert!((first.class.proba.unwrap() - expected).abs() < 1e-6);
    assert_eq!(explanation.predictions.len(), 2);
}

#[test]
fn auto_takes_the_relu_and_says_so() {
    let network = sixteen_pixels();
    let choice = network.model.choose_layer(&burncam::LayerRequest::Auto).unwrap();
    assert_eq!((choice.name.as_str(), choice.alternatives), ("relu", vec!["conv".to_owned()]));
    assert!(choice.reason.contains("4x4"), "{}", choice.reason);
}

#[test]
fn a_class_that_the_layer_speaks_against_is_told_not_drawn() {
    // An input of 2 everywhere: A_1 = 2, A_2 = 0, both maps are flat; for class 1 it is negative as well.
    let settings = Request::with(|request| request.targets = vec![Target::Index(0), Target::Index(1)]);
    let Made { model, .. } = &sixteen_pixels();
    let explainer = Explainer::new(model.clone(), settings).unwrap();
    let explanation = explainer.explain(&subject(4, 4, vec![2.0; 16])).unwrap().remove(0);
    let findings: Vec<_> = explanation.targets.iter().map(|target| target.finding.clone().unwrap()).collect();
    assert!(findings[0].contains("flat"), "{findings:?}");
    assert!(findings[1].contains("all weighted activations are negative"), "{findings:?}");
    assert_eq!(explanation.warnings.len(), 2);
    assert!(explanation.targets.iter().all(|target| target.map.is_blank()));
}

#[test]
fn a_saturated_softmax_is_told_not_drawn() {
    // At x = 1000 the logits are 3000 and -999, so the probability rounds to one.
    let settings = Request::with(|request| request.score = Some(burncam::Score::Prob));
    let Made { model, .. } = &sixteen_pixels();
    let explainer = Explainer::new(model.clone(), settings).unwrap();
    let explanation =
        explainer.explain(&subject(4, 4, ramp().iter().map(|x| x * 1000.0).collect())).unwrap().remove(0);
    assert!(explanation.warnings[0].contains("softmax is saturated"), "{:?}", explanation.warnings);
    assert!(explanation.targets[0].map.is_blank());
}

#[test]
fn overflow_is_an_error_that_names_the_layer() {
    let Made { model, .. } = &sixteen_pixels();
    let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
    let error = explainer.explain(&subject(4, 4, vec![f32::MAX; 16])).unwrap_err().to_string();
    assert!(error.contains("not finite") && error.contains("'pool'"), "{error}");
}

fn compared(change: impl FnOnce(&mut Request)) -> Result<Vec<burncam::Explanation>, String> {
    let settings = Request::with(|request| {
        request.against = Some(Target::Index(1));
        change(request);
    });
    let Made { model, .. } = &sixteen_pixels();
    let explainer = Explainer::new(model.clone(), settings).map_err(|error| error.to_string())?;
    explainer.explain(&subject(4, 4, ramp())).map_err(|error| error.to_string())
}

#[test]
fn a_class_against_another_is_the_difference_of_their_logits_for_every_kind_of_method() {
    // d(y_0 - y_1)/dA_1 = (3 + 1)/16, d/dA_2 = (-1 - 2)/16; CAM's weights are 16 times these. Finer-CAM subtracts 0.6 of y_1:
    // (3 + 0.6)/16 and (-1 - 1.2)/16. The gradient at a pixel is 4/16 where x > 0, and 3/16 more where x < 2.
    let of = |first: f32, second: f32| -> Vec<f32> {
        ramp().iter().map(|x| (first * x - second * (2.0 - x).max(0.0)).max(0.0)).collect()
    };
    let explanations = compared(|request| {
        request.methods =
            vec![Method::GradCam, Method::Cam, Method::FinerCam, Method::Gradient, Method::AblationCam];
        request.scale = burncam::Scale::Raw;
    })
    .unwrap();
    let maps: Vec<&[f32]> = explanations.iter().map(|found| found.targets[0].map.values()).collect();
    assert!(distance(maps[0], &of(4.0 / 16.0, 3.0 / 16.0)) < 1e-5, "{:?}", maps[0]);
    assert!(distance(maps[1], &of(4.0, 3.0)) < 1e-4, "{:?}", maps[1]);
    assert!(distance(maps[2], &of(3.6 / 16.0, 2.2 / 16.0)) < 1e-5, "{:?}", maps[2]);
    let slopes: Vec<f32> = (0..16).map(|at| if at == 0 { 3.0 } else if at < 8 { 7.0 } else { 4.0 } / 16.0).collect();
    assert!(distance(maps[3], &slopes) < 1e-5, "{:?}", maps[3]);
    // Without A_1 the difference falls by 4 m_1 of 4 m_1 - 3 m_2 - 1, without A_2 it rises by 3 m_2.
    let (score, falls) = (4.8125, [7.5_f32, -1.6875]);
    assert!(distance(maps[4], &of(falls[0] / score, -falls[1] / score)) < 1e-5, "{:?}", maps[4]);
    for explanation in &explanations {
        // y_0 - y_1 = 5.0625 - 0.25.
        assert!((explanation.targets[0].score - 4.8125).abs() < 1e-5, "{:?}", explanation.method);
    }
}

#[test]
fn second_derivatives_of_a_difference_are_those_of_both_logits() {
    // The network is linear behind the layer: ShapleyCAM's second derivative of a difference of logits is zero, and the map Grad-CAM's.
    let maps = compared(|request| {
        request.methods = vec![Method::GradCam, Method::ShapleyCam];
        request.scale = burncam::Scale::Raw;
    });
    let maps = maps.unwrap();
    let [plain, shapley] = [0, 1].map(|at| maps[at].targets[0].map.values());
    assert!(distance(plain, shapley) < 1e-5, "{plain:?} {shapley:?}");
}

#[test]
fn a_class_is_not_compared_with_itself() {
    let refused = |change: fn(&mut Request)| compared(change).unwrap_err();
    let itself = refused(|request| request.targets = vec![Target::Index(1)]);
    assert!(itself.starts_with("class '1' is to be explained against itself"), "{itself}");
    let rival_is_top = refused(|request| request.against = Some(Target::Index(0)));
    assert!(rival_is_top.contains("against itself"), "{rival_is_top}");
    // Of several classes it is left out, and that is said.
    let both = compared(|request| request.targets = vec![Target::Top(2)]).unwrap();
    let targets: Vec<usize> = both[0].targets.iter().map(|target| target.class.target).collect();
    assert_eq!((targets, both[0].warnings.len()), (vec![0], 1));
    assert!(both[0].warnings[0].contains("left out"), "{:?}", both[0].warnings);
}

#[test]
fn what_cannot_be_compared_with_a_class_is_refused() {
    let refused = |change: fn(&mut Request)| compared(change).unwrap_err();
    assert!(
        refused(|request| request.against = Some(Target::Top(1))).contains("expected an index or a name")
    );
    assert!(refused(|request| request.against = Some(Target::Index(2))).contains("out of range"));
    assert!(refused(|request| request.methods = vec![Method::EigenCam]).contains("the same for every class"));
    let score = refused(|request| request.score = Some(burncam::Score::Prob));
    assert!(score.contains("is a score of its own") && score.contains("prob"), "{score}");
    let library = refused(|request| request.options.library = Some(burncam::Library::Captum));
    assert!(library.contains("captum"), "{library}");
    assert!(compared(|request| request.score = Some(burncam::Score::Margin)).is_ok());
}
