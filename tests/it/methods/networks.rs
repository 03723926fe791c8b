//! Small networks with seeded weights, and the one way in which these tests ask for a map.

use burncam::internal::{ClassMap, MapRequest, Scene};
use burncam::{DeviceName, Finish, Method, Options, Result, Score, Smoothing};
use burncam_engine::Network;
use burncam_graph::card::Card;

use crate::support::{Made, made, seeded, tensor};

/// Height and width of every input here.
pub(super) const SIDE: usize = 16;
/// Classes of the three networks.
pub(super) const CLASSES: usize = 5;

/// A graph in the making, and the parameters that it names.
#[derive(Default)]
pub(super) struct Sketch {
    nodes: Vec<String>,
    parameters: Vec<(String, Vec<f32>, Vec<usize>)>,
}

impl Sketch {
    /// An operation without parameters; `settings` is JSON that begins with a comma, or nothing.
    pub(super) fn op(mut self, name: &str, op: &str, inputs: &[&str], settings: &str) -> Self {
        let inputs = serde_json::to_string(inputs).unwrap();
        self.nodes.push(format!(r#"{{ "name": "{name}", "op": "{op}", "inputs": {inputs}{settings} }}"#));
        self
    }

    /// A convolution that keeps the size, or halves it, with a bias. `shape` is `[out, in, side, side]`.
    pub(super) fn conv(self, name: &str, input: &str, shape: [usize; 4], stride: usize) -> Self {
        let padding = shape[2] / 2;
        let settings = format!(
            r#", "stride": [{stride}, {stride}], "padding": [{padding}, {padding}, {padding}, {padding}],
                "params": {{ "weight": "{name}.weight", "bias": "{name}.bias" }}"#
        );
        self.op(name, "conv2d", &[input], &settings)
            .parameter(&format!("{name}.weight"), &shape)
            .parameter(&format!("{name}.bias"), &shape[..1])
    }

    pub(super) fn linear(self, name: &str, input: &str, shape: [usize; 2]) -> Self {
        let settings = format!(r#", "params": {{ "weight": "{name}.weight", "bias": "{name}.bias" }}"#);
        self.op(name, "linear", &[input], &settings)
            .parameter(&format!("{name}.weight"), &shape)
            .parameter(&format!("{name}.bias"), &shape[1..])
    }

    pub(super) fn batch_norm(self, name: &str, input: &str, channels: usize) -> Self {
        let roles = [("gamma", "weight"), ("beta", "bias")].into_iter();
        let roles: Vec<(&str, &str)> =
            roles.chain(["running_mean", "running_var"].map(|role| (role, role))).collect();
        let params: Vec<String> =
            roles.iter().map(|(role, ending)| format!(r#""{role}": "{name}.{ending}""#)).collect();
        let settings = format!(r#", "params": {{ {} }}"#, params.join(", "));
        let sketch = self.op(name, "batch_norm", &[input], &settings);
        roles
            .iter()
            .fold(sketch, |sketch, (_, ending)| sketch.parameter(&format!("{name}.{ending}"), &[channels]))
    }

    fn parameter(mut self, name: &str, shape: &[usize]) -> Self {
        self.parameters.push((name.to_owned(), seeded(name, shape), shape.to_vec()));
        self
    }

    /// Changes the values of every parameter whose name ends like this, at least one.
    pub(super) fn with(mut self, ending: &str, change: impl Fn(&mut Vec<f32>)) -> Self {
        let wanted = self.parameters.iter_mut().filter(|(name, ..)| name.ends_with(ending));
        assert!(wanted.map(|(_, values, _)| change(values)).count() > 0, "there is no '{ending}'");
        self
    }

    /// Every kernel the same as seen in a mirror.
    pub(super) fn mirrored(mut self) -> Self {
        for (_, values, shape) in self.parameters.iter_mut().filter(|(.., shape)| shape.len() == 4) {
            for row in values.chunks_mut(shape[3]) {
                let flipped: Vec<f32> = row.iter().rev().copied().collect();
                row.iter_mut().zip(flipped).for_each(|(value, other)| *value = (*value + other) / 2.0);
            }
        }
        self
    }

    pub(super) fn made(self, output: &str) -> Made {
        let text = format!(
            r#"{{ "schema_version": 1, "name": "made", "graph": {{
                "input": {{ "name": "input", "channels": 3, "height": {SIDE}, "width": {SIDE} }},
                "nodes": [{}], "output": "{output}" }},
                "preprocess": {{ "resize": {{ "policy": "none" }} }} }}"#,
            self.nodes.join(",\n")
        );
        let stored = self.parameters.iter().map(|(name, values, shape)| tensor(name, shape, values));
        made(&Card::from_json(&text).unwrap(), stored.collect())
    }
}

/// ReLUs, then a mean of each channel and one linear layer: `early` is 6x16x16, `late` 8x8x8.
pub(super) fn plain() -> Sketch {
    let pool = r#", "kernel": [2, 2], "stride": [2, 2]"#;
    Sketch::default()
        .conv("c1", "input", [6, 3, 3, 3], 1)
        .op("early", "relu", &["c1"], "")
        .op("pool", "max_pool2d", &["early"], pool)
        .conv("c2", "pool", [8, 6, 3, 3], 1)
        .op("late", "relu", &["c2"], "")
        .op("mean", "global_avg_pool", &["late"], "")
        .op("flat", "flatten", &["mean"], "")
        .linear("fc", "flat", [8, CLASSES])
}

/// Batch norm, ReLU6, and a head of two linear layers over all positions: `early` is 6x8x8, `late` 8x4x4.
pub(super) fn dense() -> Sketch {
    let pool = r#", "kernel": [2, 2], "stride": [2, 2]"#;
    Sketch::default()
        .conv("c1", "input", [6, 3, 3, 3], 2)
        .batch_norm("bn", "c1", 6)
        .op("early", "relu6", &["bn"], "")
        .op("pool", "avg_pool2d", &["early"], pool)
        .conv("c2", "pool", [8, 6, 3, 3], 1)
        .op("late", "relu", &["c2"], "")
        .op("flat", "flatten", &["late"], "")
        .linear("fc1", "flat", [128, 12])
        .op("hidden", "relu", &["fc1"], "")
        .linear("fc", "hidden", [12, CLASSES])
}

/// SiLU, squeeze and excitation, a skip and a softmax, but no ReLU: `early` is 6x16x16, `late` 6x8x8.
pub(super) fn gated() -> Sketch {
    let pool = r#", "kernel": [2, 2], "stride": [2, 2]"#;
    Sketch::default()
        .conv("c1", "input", [6, 3, 3, 3], 1)
        .batch_norm("bn", "c1", 6)
        .op("early", "silu", &["bn"], "")
        .op("pool", "avg_pool2d", &["early"], pool)
        .conv("c2", "pool", [6, 6, 3, 3], 1)
        .op("inner", "silu", &["c2"], "")
        .op("squeeze", "global_avg_pool", &["inner"], "")
        .conv("se1", "squeeze", [3, 6, 1, 1], 1)
        .op("se2", "silu", &["se1"], "")
        .conv("se3", "se2", [6, 3, 1, 1], 1)
        .op("gate", "sigmoid", &["se3"], "")
        .op("excited", "mul", &["inner", "gate"], "")
        .op("late", "add", &["excited", "pool"], "")
        .op("mean", "global_avg_pool", &["late"], "")
        .op("flat", "flatten", &["mean"], "")
        .linear("fc", "flat", [6, CLASSES])
        .op("softmax", "softmax", &["fc"], "")
}

/// The three, with the name of the last node.
pub(super) fn all() -> [(&'static str, Sketch, &'static str); 3] {
    [("plain", plain(), "fc"), ("dense", dense(), "fc"), ("gated", gated(), "softmax")]
}

/// What a method must say of a network that it does not fit, of these three.
pub(super) fn refusal(network: &str, method: Method) -> Option<&'static str> {
    match (network, method) {
        ("dense", Method::Cam) => Some("average of all positions to one linear layer"),
        ("gated", Method::GuidedBackprop | Method::Deconvolution | Method::GuidedGradCam) => {
            Some("the network has none")
        }
        (_, Method::DRise) => Some("drise compares boxes"),
        (_, method) if method.info().uses_attention => Some("reads attention, and the network has none"),
        _ => None,
    }
}

/// The methods that fit a network of these.
pub(super) fn fitting(network: &str) -> impl Iterator<Item = &'static Method> {
    Method::ALL.iter().filter(move |method| refusal(network, **method).is_none())
}

/// A picture for these networks.
pub(super) fn picture() -> Vec<f32> {
    seeded("methods.input", &[1, 3, SIDE, SIDE])
}

/// The layers that a method is asked about where nothing else is said.
pub(super) fn layers(method: Method) -> &'static [&'static str] {
    if method == Method::RefineCam { &["early", "late"] } else { &["late"] }
}

/// Loads a network for a method.
pub(super) fn loaded(made: &Made, layers: &[&str], device: &DeviceName) -> Network {
    let taps: Vec<usize> = layers.iter().map(|name| made.model.graph().position(name).unwrap()).collect();
    Network::load(&made.model, &taps, device).unwrap()
}

/// A method, a class, and how it is asked for.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) class: usize,
    pub(super) score: Score,
    pub(super) finish: Finish,
    pub(super) smoothing: Smoothing,
    pub(super) options: Options,
}

impl Asked {
    /// With few draws, so that it is quick.
    pub(super) fn new(method: Method, class: usize) -> Self {
        let mut options = Options::default();
        options.samples = Some(4);
        let (finish, smoothing) = Default::default();
        Self { method, class, score: Score::Logit, finish, smoothing, options }
    }

    /// As other settings have it.
    pub(super) fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut asked = self.clone();
        change(&mut asked);
        asked
    }

    pub(super) fn of(&self, scene: &mut Scene) -> Result<ClassMap> {
        Ok(self.of_classes(scene, &[self.class])?.remove(0))
    }

    /// The maps of several classes in the place of one.
    pub(super) fn of_classes(&self, scene: &mut Scene, classes: &[usize]) -> Result<Vec<ClassMap>> {
        Ok(self.of_methods(scene, &[self.method], classes)?.remove(0))
    }

    /// As [`Asked::of_classes`], of several methods.
    pub(super) fn of_methods(
        &self,
        scene: &mut Scene,
        methods: &[Method],
        classes: &[usize],
    ) -> Result<Vec<Vec<ClassMap>>> {
        let Self { score, finish, smoothing, ref options, .. } = *self;
        scene.class_maps(&MapRequest { methods, classes, score, finish, smoothing, options })
    }

    /// The map that a fresh scene gives, with something on it.
    #[track_caller]
    pub(super) fn map(&self, network: &Network, input: &[f32]) -> Vec<f32> {
        let map = self.of(&mut Scene::new(network, input).unwrap()).unwrap();
        assert_eq!(map.finding, None, "{}", self.method.info().name);
        map.map.values().to_vec()
    }
}

/// The classes of a picture, most probable first.
pub(super) fn ranked(network: &Network, input: &[f32]) -> Vec<usize> {
    let logits = network.logits(input.to_vec()).unwrap();
    let mut classes: Vec<usize> = (0..logits.len()).collect();
    classes.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    classes
}

/// Runs a check for every network, and every method that fits it, at that method's layers, with its most probable classes.
pub(super) fn everywhere(check: impl Fn(&str, &Network, Asked, Vec<usize>)) {
    let input = picture();
    for (name, sketch, output) in all() {
        let made = sketch.made(output);
        let mut met = 0;
        for method in Method::ALL {
            let network = loaded(&made, layers(*method), &DeviceName::default());
            let classes = ranked(&network, &input);
            if refusal(name, *method).is_none() {
                let what = format!("{} of {name}", method.info().name);
                check(&what, &network, Asked::new(*method, classes[0]), classes);
                met += 1;
            }
        }
        assert!(met + 8 > Method::ALL.len(), "methods are missing");
    }
}

/// Left and right swapped, of rows of this width.
pub(super) fn flipped(values: &[f32], width: usize) -> Vec<f32> {
    values.chunks(width).flat_map(|row| row.iter().rev().copied()).collect()
}

/// False for the one map here that is the same for every picture: a deconvolution looks at no input, and meets no maximum
/// in this network. `what` is as [`everywhere`] says it.
pub(super) fn sees_the_input(what: &str) -> bool {
    what != "deconvolution of dense"
}

/// From 8x8 to 16x16 by straight lines between cell centres: 1/4 and 3/4 of two neighbours, edges held.
pub(super) fn doubled(map: &[f32]) -> Vec<f32> {
    let near = |at: usize| {
        let (cell, odd) = (at / 2, at % 2);
        let neighbour = if odd == 1 { (cell + 1).min(7) } else { cell.saturating_sub(1) };
        [(cell, 0.75), (neighbour, 0.25)]
    };
    let value = |y: usize, x: usize| {
        let corners =
            near(y).into_iter().flat_map(|(row, a)| near(x).map(|(column, b)| (row * 8 + column, a * b)));
        corners.map(|(cell, weight)| f64::from(map[cell]) * weight).sum::<f64>() as f32
    };
    (0..256).map(|at| value(at / 16, at % 16)).collect()
}
