//! Gradients at layers on the native kernels against those that Burn records, from what the same trunk gave.
//!
//! Activations within rounding of a corner may come out on the other side of it in another engine; among these there are none.

use burncam::{Model, Score};
use burncam_engine::Network;

use crate::native::{ERROR, burn, fixture_networks, native};
use crate::support::{array, distance, magnitude, seeded, seeded_architecture};

/// Of what one trunk gave: logits, activations and gradients at several layers, by the kernels and by Burn. How many networks ran on the
/// kernels cannot be seen from here, but they leave another last digit.
#[track_caller]
fn slopes_agree(what: &str, model: &Model, layers: &[usize], input: &[f32]) -> bool {
    let burn = Network::load(model, layers, burn()).unwrap();
    let mut differs = false;
    for runtime in native() {
        let network = Network::load(model, layers, &runtime).unwrap();
        let trunk = network.trunk(input.to_vec()).unwrap();
        let [mut found, mut expected] = [&network, &burn].map(|network| network.record(&trunk).unwrap());
        let logits = expected.logits().unwrap();
        let close = |place: &str, found: &[f32], expected: &[f32]| {
            let gap = distance(found, expected) / magnitude(expected).max(1e-6);
            assert!(gap <= ERROR, "{what}, {}: {place} differs by {gap:e}", runtime.engine);
            gap > 0.0
        };
        close("logits", &found.logits().unwrap(), &logits);
        // Twice: a pass forward serves several classes.
        for class in [0, logits.len() - 1] {
            let pairs = found.evidence(&Score::Logit, class).unwrap().into_iter();
            for (layer, (found, expected)) in
                layers.iter().zip(pairs.zip(expected.evidence(&Score::Logit, class).unwrap()))
            {
                let name = &model.graph().nodes[*layer].name;
                close(name, &found.activations.values, &expected.activations.values);
                differs |=
                    close(&format!("slope at {name}"), &found.gradients.values, &expected.gradients.values);
            }
        }
    }
    differs
}

/// Layers at a quarter, a half and three quarters of the way, of those that have a grid.
fn several_layers(model: &Model) -> Vec<usize> {
    let all: Vec<usize> =
        (0..model.scores()).filter(|at| model.grid(*at).is_some_and(|grid| grid.height > 1)).collect();
    let mut some: Vec<usize> = (1..4).filter_map(|part| all.get(all.len() * part / 4).copied()).collect();
    some.dedup();
    some
}

#[test]
fn slopes_at_layers_are_burns() {
    let mut native = 0;
    for (what, network, input) in fixture_networks() {
        let layers = several_layers(&network.model);
        native += usize::from(!layers.is_empty() && slopes_agree(&what, &network.model, &layers, &input));
    }
    let lite = Model::embedded().unwrap();
    let layers = several_layers(&lite);
    assert!(slopes_agree("lite", &lite, &layers, &array("efficientnet_lite0.coffee.input.npy")));
    for name in ["resnet18", "squeezenet1_0"] {
        let network = seeded_architecture(name);
        let layers = several_layers(&network.model);
        assert!(slopes_agree(name, &network.model, &layers, &seeded("input", &[1, 3, 96, 96])), "{name}");
    }
    assert!(native > 5, "only {native} networks ran on the kernels");
}
