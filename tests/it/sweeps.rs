//! The backward pass by single operations: against the recorded one, by hand, and by an identity.

use burncam::{DeviceName, Engine, Model, Runtime, Score};
use burncam_engine::{Network, Rectifiers, Reduction, Rule, Runs, Sweep, Visits};
use burncam_graph::card::Op;
use burncam_model::Form;
use burncam_model::import::{ImportRequest, import};

use crate::support::{
    Made, array, card, device, distance, fixture, made, magnitude, seeded, seeded_architecture, tensor,
};

/// Gradient with respect to the input, and with respect to each value of rank 4 by its node's position.
type Swept = (Vec<f32>, Vec<(usize, Vec<f32>)>);

fn swept(network: &Network, input: &[f32], score: Score, class: usize) -> Swept {
    let mut layers = Vec::new();
    let gradient = network
        .sweep(input.to_vec(), Visits::Everything)
        .unwrap()
        .back(&score, class, Rule::Plain, &mut |step| {
            if let Some(gradients) = step.gradients()? {
                layers.push((step.node, gradients.into_iter().flat_map(|one| one.values).collect()));
            }
            Ok(())
        })
        .unwrap();
    (gradient, layers)
}

/// The sweep agrees with what is recorded in one piece, at the input and at these layers.
#[track_caller]
fn agrees(what: &str, model: &Model, layers: &[usize], input: &[f32], score: Score) {
    // Burn on both sides: what is compared is the way back, not how convolutions round.
    let runtime = Runtime { engine: Engine::Burn, ..Runtime::default() };
    let network = Network::load(model, layers, runtime).unwrap();
    let (at_input, at_layers) = swept(&network, input, score, 1);
    let close = |place: &str, found: &[f32], expected: &[f32]| {
        // Sums are taken in another order where a value is read more than once.
        let limit = 1e-5 * magnitude(expected).max(1e-6);
        let gap = distance(found, expected);
        assert!(gap <= limit, "{what}, {score:?}, {place}: differs by {gap:e} of {:e}", magnitude(expected));
    };
    let asked = (&score, &[1][..]);
    let expected = network.input_gradients(input, &Reduction::Values, asked, Runs::Few).unwrap().remove(0);
    assert!(magnitude(&expected) > 0.0, "{what}: there is no gradient to compare");
    close("input", &at_input, &expected);
    let trunk = network.trunk(input.to_vec()).unwrap();
    let recorded = network.record(&trunk).unwrap().evidence(&score, 1).unwrap();
    for (layer, evidence) in layers.iter().zip(recorded) {
        match at_layers.iter().find(|(node, _)| node == layer) {
            Some((_, found)) => {
                close(&model.graph().nodes[*layer].name, found, &evidence.gradients.values);
            }
            None => assert_eq!(magnitude(&evidence.gradients.values), 0.0, "{what}: {layer} was not met"),
        }
    }
}

/// Positions of all maps with channels first on the way to the logits.
fn maps(model: &Model) -> Vec<usize> {
    let is_map = |at: &usize| model.grid(*at).is_some_and(|grid| grid.form == Form::ChannelsFirst);
    (0..model.scores()).filter(is_map).collect()
}

fn imported(name: &str) -> Made {
    let request = ImportRequest { source: fixture(&format!("onnx/{name}.onnx")), ..ImportRequest::default() };
    let imported = import(&request).unwrap();
    made(&imported.card, imported.tensors)
}

#[test]
fn the_built_in_network_gives_the_recorded_gradients() {
    let model = Model::embedded().unwrap();
    let input = array("efficientnet_lite0.coffee.input.npy");
    let layers: Vec<usize> = maps(&model).into_iter().step_by(9).collect();
    agrees("efficientnet_lite0", &model, &layers, &input, Score::Logit);
}

#[test]
fn a_network_of_concatenations_gives_the_recorded_gradients() {
    let model = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let input = array("squeezenet1_1.coffee.input.npy");
    agrees("squeezenet1_1", &model, &maps(&model), &input, Score::LogProb);
}

#[test]
fn imported_networks_give_the_recorded_gradients() {
    // Hard swish, squeeze and excitation, layer and group norm; every activation; attention; channels last.
    for name in [
        "legacy_fixed_batch",
        "dynamo",
        "activations_opset14",
        "attributes_opset9",
        "attention_opset17",
        "selective_opset13",
        "norms_opset9",
        "norms_opset21",
        "inputs_opset18",
        "shapes_opset21",
        "ceil_mode_opset20",
        "keras_opset13",
    ] {
        let Made { model, .. } = &imported(name);
        let spec = &model.graph().input;
        let input = seeded("input", &[1, spec.channels, spec.height, spec.width]);
        for score in [Score::Logit, Score::Prob, Score::Margin, Score::Rest] {
            agrees(name, model, &maps(model), &input, score);
        }
    }
}

/// `relu` stands for the name of the rectifier.
///
/// A picture of four pixels -> two channels `x` and `2.5 - x`, rectified -> two channels `r_1 - r_2` and `3 r_2 - r_1`,
/// rectified -> one logit, `s_1 . (1, 2, 3, -4) + s_2 . (2, -1, 5, 6)`.
fn two_layers(relu: &str) -> Made {
    let nodes = format!(
        r#"
        {{ "name": "a", "op": "conv2d", "inputs": ["input"], "params": {{ "weight": "a.w", "bias": "a.b" }} }},
        {{ "name": "r", "op": "{relu}", "inputs": ["a"] }},
        {{ "name": "b", "op": "conv2d", "inputs": ["r"], "params": {{ "weight": "b.w" }} }},
        {{ "name": "s", "op": "{relu}", "inputs": ["b"] }},
        {{ "name": "flat", "op": "flatten", "inputs": ["s"] }},
        {{ "name": "fc", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "fc.w" }} }}"#
    );
    let tensors = vec![
        tensor("a.w", &[2, 1, 1, 1], &[1.0, -1.0]),
        tensor("a.b", &[2], &[0.0, 2.5]),
        tensor("b.w", &[2, 2, 1, 1], &[1.0, -1.0, -1.0, 3.0]),
        tensor("fc.w", &[8, 1], &[1.0, 2.0, 3.0, -4.0, 2.0, -1.0, 5.0, 6.0]),
    ];
    made(&card(2, 2, &nodes, "fc"), tensors)
}

#[test]
fn rules_at_rectifiers_are_those_worked_by_hand() {
    // x           -1    1    2    3
    // a_1 = x     -1    1    2    3        a_2 = 2.5 - x     3.5  1.5   .5  -.5
    // r_1          0    1    2    3        r_2               3.5  1.5   .5    0
    // b_1        -3.5 -.5   1.5   3        b_2              10.5  3.5  -.5   -3
    //
    // With h for the gradient behind a rectifier and g for the one before it:
    //             h_s1            h_s2            g_b1          g_b2
    // plain       1  2  3 -4      2 -1  5  6      0  0  3 -4    2 -1  0  0
    // guided                                      0  0  3  0    2  0  0  0
    // deconv.                                     1  2  3  0    2  0  5  6
    //             h_r1 = g_b1 - g_b2    h_r2 = 3 g_b2 - g_b1    g_a1           g_a2
    // plain      -2  1  3 -4            6 -3 -3  4              0  1  3 -4     6 -3 -3  0
    // guided     -2  0  3  0            6  0 -3  0              0  0  3  0     6  0  0  0
    // deconv.    -1  2 -2 -6            5 -2 12 18              0  2  0  0     5  0 12 18
    // and the input's is g_a1 - g_a2.
    let both = Rectifiers::ReluAndRelu6;
    let by_relu: [(Rule, [f32; 4]); 3] = [
        (Rule::Plain, [-6.0, 4.0, 6.0, -4.0]),
        (Rule::Guided(Rectifiers::Relu), [-6.0, 0.0, 3.0, 0.0]),
        (Rule::Deconvolution(both), [-5.0, 2.0, -12.0, -18.0]),
    ];
    // Six is less than 10.5, so b_2's first pixel has no slope: g_b2 begins with 0, but not by deconvolution, whose rule
    // does not look at inputs.
    let by_relu6: [(Rule, [f32; 4]); 5] = [
        (Rule::Plain, [0.0, 4.0, 6.0, -4.0]),
        (Rule::Guided(Rectifiers::Relu), [0.0, 4.0, 6.0, -4.0]),
        (Rule::Deconvolution(Rectifiers::Relu), [0.0, 4.0, 6.0, -4.0]),
        (Rule::Guided(both), [0.0, 0.0, 3.0, 0.0]),
        (Rule::Deconvolution(both), [-5.0, 2.0, -12.0, -18.0]),
    ];
    for (relu, expected) in [("relu", &by_relu[..]), ("relu6", &by_relu6[..])] {
        let network = two_layers(relu);
        for on in ["flex", "ndarray"] {
            let network = Network::load(&network.model, &[], &device(on)).unwrap();
            for (rule, expected) in expected {
                let input = vec![-1.0, 1.0, 2.0, 3.0];
                let found = network
                    .sweep(input, Visits::Everything)
                    .unwrap()
                    .back(&Score::Logit, 0, *rule, &mut |_| Ok(()))
                    .unwrap();
                assert!(distance(&found, expected) < 1e-5, "{relu} on {on}, {rule:?}: {found:?}");
            }
        }
    }
}

#[test]
fn rectifiers_are_counted_as_the_rule_sees_them() {
    let count = |relu: &str, which| {
        Network::load(&two_layers(relu).model, &[], &DeviceName::default()).unwrap().rectifiers(which)
    };
    assert_eq!(count("relu", Rectifiers::Relu), 2);
    assert_eq!(count("relu6", Rectifiers::Relu), 0);
    assert_eq!(count("relu6", Rectifiers::ReluAndRelu6), 2);
    assert_eq!(count("silu", Rectifiers::ReluAndRelu6), 0);
}

#[test]
fn a_batch_gives_each_pictures_own_gradients() {
    let network = seeded_architecture("resnet18");
    let network = Network::load(&network.model, &[], &DeviceName::default()).unwrap();
    let both = seeded("both.input", &[2, 3, 96, 96]);
    let rule = Rule::Guided(Rectifiers::Relu);
    let sweep = |input: &[f32]| {
        let mut last = None;
        let mut see = |step: burncam_engine::SweptStep<'_>| {
            last = step.gradients()?.or(last.take());
            Ok(())
        };
        let gradient = network
            .sweep(input.to_vec(), Visits::Everything)
            .unwrap()
            .back(&Score::Margin, 3, rule, &mut see)
            .unwrap();
        (gradient, last.unwrap())
    };
    let (together, layers) = sweep(&both);
    assert_eq!(layers.len(), 2);
    for (at, input) in both.chunks(both.len() / 2).enumerate() {
        let (alone, layer) = sweep(input);
        let limit = 1e-5 * magnitude(&alone);
        assert!(distance(&together[at * alone.len()..][..alone.len()], &alone) < limit);
        assert!(distance(&layers[at].values, &layer[0].values) < 1e-5 * magnitude(&layer[0].values));
    }
}

/// FullGrad's completeness (Srinivas & Fleuret 2019, proposition 1): where every operation is piecewise linear, the logit
/// is `<x, dy/dx>` and the sum over all biases of `<b, dy/db>`.
fn is_complete(what: &str, network: &Network, input: &[f32], class: usize) {
    let mut sum = 0.0;
    let mut see = |step: burncam_engine::SweptStep<'_>| {
        let Some(bias) = step.bias()? else { return Ok(()) };
        match step.gradients()? {
            Some(gradients) => {
                let cells = gradients[0].height * gradients[0].width;
                let channels = gradients[0].values.chunks(cells).zip(&bias);
                sum += channels.map(|(g, b)| g.iter().map(|g| f64::from(g * b)).sum::<f64>()).sum::<f64>();
            }
            // The last layer's bias: the logit's own, whose gradient is one.
            None => {
                assert!(matches!(step.op, Op::Linear {}));
                sum += f64::from(bias[class]);
            }
        }
        Ok(())
    };
    let gradient = network
        .sweep(input.to_vec(), Visits::Everything)
        .unwrap()
        .back(&Score::Logit, class, Rule::Plain, &mut see)
        .unwrap();
    sum += gradient.iter().zip(input).map(|(g, x)| f64::from(g * x)).sum::<f64>();
    let logit = f64::from(network.logits(input.to_vec()).unwrap()[class]);
    assert!((sum - logit).abs() < 1e-4 * logit.abs().max(1.0), "{what}: {sum} against {logit}");
}

#[test]
fn biases_and_input_account_for_the_logit() {
    let model = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let network = Network::load_unfolded(&model, &DeviceName::default()).unwrap();
    is_complete("squeezenet1_1", &network, &array("squeezenet1_1.coffee.input.npy"), 967);
    let resnet = seeded_architecture("resnet18");
    let input = seeded("input", &[1, 3, 96, 96]);
    for network in [
        Network::load_unfolded(&resnet.model, &DeviceName::default()).unwrap(),
        Network::load(&resnet.model, &[], &DeviceName::default()).unwrap(),
    ] {
        is_complete("resnet18", &network, &input, 4);
    }
}

#[test]
fn an_unfolded_network_shows_its_batch_norms() {
    let resnet = seeded_architecture("resnet18");
    let norms = |network: &Network| {
        let mut shifts = 0;
        let mut see = |step: burncam_engine::SweptStep<'_>| {
            if matches!(step.op, Op::BatchNorm { .. }) {
                shifts += usize::from(step.bias()?.is_some());
            }
            Ok(())
        };
        network
            .sweep(vec![0.5; 3 * 96 * 96], Visits::Everything)
            .unwrap()
            .back(&Score::Logit, 0, Rule::Plain, &mut see)
            .unwrap();
        shifts
    };
    assert_eq!(norms(&Network::load_unfolded(&resnet.model, &DeviceName::default()).unwrap()), 20);
    assert_eq!(norms(&Network::load(&resnet.model, &[], &DeviceName::default()).unwrap()), 0);
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let network = Network::load(&two_layers("relu").model, &[], &DeviceName::default()).unwrap();
    let sweep = |input: Vec<f32>, class| {
        let back = |sweep: Sweep| sweep.back(&Score::Logit, class, Rule::Plain, &mut |_| Ok(()));
        network.sweep(input, Visits::Everything).and_then(back).unwrap_err().to_string()
    };
    assert!(sweep(vec![0.0; 4], 1).contains("class 1 of 1"));
    assert!(sweep(vec![0.0; 3], 0).contains("3 numbers"));
    assert!(sweep(vec![], 0).contains("0 numbers"));
}
