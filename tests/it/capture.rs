//! Typed Burn modules to model files.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::interpolate::{Interpolate2dConfig, InterpolateMode};
use burn::nn::norm::{
    BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, InstanceNormConfig, LayerNorm, LayerNormConfig,
};
use burn::nn::pool::{AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d};
use burn::tensor::{Device, Distribution, Tensor, activation, module, s};
use burncam::capture::{CaptureSettings, Captured, capture};
use burncam::{LayerRequest, Model};
use burncam_engine::Network;

use crate::modules::{Block, Guide};
use crate::support;

#[path = "../../docs/examples/train_and_explain.rs"]
#[expect(dead_code, reason = "a test runs the example without its `main`")]
mod train_and_explain;

fn settings(channels: usize, [height, width]: [usize; 2]) -> CaptureSettings {
    let color = if channels == 1 { "gray" } else { "rgb" };
    let text = format!(
        r#"{{ "resize": {{ "policy": "stretch", "height": {height}, "width": {width} }}, "color": "{color}" }}"#
    );
    let preprocess = serde_json::from_str(&text).unwrap();
    CaptureSettings { name: "made".into(), classes: vec![], preprocess, source: None }
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// Captures with a random input.
fn captured<M: Module>(
    net: &M,
    [channels, height, width]: [usize; 3],
    forward: impl Fn(&M, Tensor<4>) -> Tensor<2>,
) -> burncam::Result<Captured> {
    let device = Device::flex();
    device.seed(3);
    let sample = random([1, channels, height, width], &device);
    capture(net, sample, forward, settings(channels, [height, width]))
}

/// Saves, opens, and compares with the module on an input that the capture has not seen.
fn saved<M: Module>(captured: &Captured, net: &M, forward: impl Fn(&M, Tensor<4>) -> Tensor<2>) -> Model {
    let directory = tempfile::tempdir().unwrap();
    let model = captured.save(&directory.path().join("made.bpk"), false).unwrap();
    let input = &model.graph().input;
    let other = random([1, input.channels, input.height, input.width], &Device::flex());
    let values = other.to_data().try_to_vec().unwrap();
    let expected: Vec<f32> = forward(&net.valid(), other).into_data().try_to_vec().unwrap();
    for device in ["flex", "ndarray"] {
        let logits =
            Network::load(&model, &[], &support::device(device)).unwrap().logits(values.clone()).unwrap();
        for (found, expected) in logits.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} {expected}");
        }
    }
    model
}

fn names(model: &Model) -> Vec<&str> {
    model.graph().nodes.iter().map(|node| node.name.as_str()).collect()
}

/// Batch norm as after training: every statistic its own number.
fn norm(channels: usize, device: &Device) -> BatchNorm {
    let mut norm = BatchNormConfig::new(channels).init(device);
    let between = |low, high| Tensor::random([channels], Distribution::Uniform(low, high), device);
    norm.gamma = Param::from_tensor(between(0.5, 1.5));
    norm.beta = Param::from_tensor(between(-0.5, 0.5));
    norm.running_mean = RunningState::new(between(-0.5, 0.5));
    norm.running_var = RunningState::new(between(0.5, 2.0));
    norm
}

#[test]
fn the_network_of_the_burn_book_is_captured_with_its_own_names() {
    let net = Guide::new(&Device::flex().autodiff());
    let captured = captured(&net, [1, 28, 28], Guide::forward).unwrap();
    let model = saved(&captured, &net, Guide::forward);
    let expected =
        ["conv1", "conv2", "relu", "adaptive_avg_pool2d", "flatten", "linear1", "relu_2", "linear2"];
    assert_eq!(names(&model), expected);
    assert_eq!(model.choose_layer(&LayerRequest::Auto).unwrap().name, "relu");
    let stored: Vec<_> = captured.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(stored[..2], ["conv1.weight", "conv1.bias"]);
    assert_eq!(stored.len(), 8);
}

/// A residual network: blocks, batch norm, a shortcut with a convolution, uneven padding.
#[derive(Module, Debug)]
struct Residual {
    stem: Conv2d,
    bn: BatchNorm,
    pool: MaxPool2d,
    layer1: Block,
    layer2: Block,
    fc: Linear,
}

impl Residual {
    fn new(device: &Device) -> Self {
        Self {
            stem: Conv2dConfig::new([3, 8], [7, 7])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Same)
                .init(device),
            bn: norm(8, device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(0, 0, 1, 1))
                .init(),
            layer1: Block::new([8, 8], 1, norm, device),
            layer2: Block::new([8, 16], 2, norm, device),
            fc: LinearConfig::new(16, 5).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(activation::relu(self.bn.forward(self.stem.forward(x))));
        let x = self.layer2.forward(self.layer1.forward(x));
        self.fc.forward(x.mean_dims(&[2, 3]).squeeze_dims(&[2, 3]))
    }
}

#[test]
fn a_residual_network_keeps_its_blocks() {
    let device = Device::flex();
    device.seed(5);
    let net = Residual::new(&device);
    let model = saved(&captured(&net, [3, 33, 40], Residual::forward).unwrap(), &net, Residual::forward);
    let block = ["conv1", "bn1", "relu", "conv2", "bn2"];
    let mut expected: Vec<String> = ["stem", "bn", "relu", "max_pool2d"].map(String::from).to_vec();
    expected.extend(block.map(|name| format!("layer1.{name}")));
    expected.extend(["layer1.add", "layer1.relu_2"].map(String::from));
    expected.extend(block.map(|name| format!("layer2.{name}")));
    expected.extend(["down.0", "down.1", "add", "relu_2"].map(|name| format!("layer2.{name}")));
    expected.extend(["reduce_mean", "flatten", "fc"].map(String::from));
    assert_eq!(names(&model), expected);
    assert_eq!(model.choose_layer(&LayerRequest::Auto).unwrap().name, "layer2.relu_2");
    let layer1 = model.choose_layer(&LayerRequest::Name("layer1".into())).unwrap();
    assert_eq!(layer1.name, "layer1.relu_2");
}

/// A layer of each kind, to be put together in a test.
#[derive(Module, Debug)]
struct Parts {
    conv: Conv2d,
    norm: GroupNorm,
    layer: LayerNorm,
    prelu: PRelu,
    linear: Linear,
    gain: Param<Tensor<1>>,
    head: Linear,
}

impl Parts {
    fn new(device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([3, 6], [3, 3])
                .with_groups(3)
                .with_dilation([2, 1])
                .with_padding(PaddingConfig2d::Same)
                .init(device),
            norm: GroupNorm {
                gamma: Some(Param::from_tensor(random([6], device))),
                beta: Some(Param::from_tensor(random([6], device))),
                ..GroupNormConfig::new(2, 6).init(device)
            },
            layer: LayerNormConfig::new(8).init(device),
            prelu: PReluConfig::new().with_num_parameters(6).init(device),
            linear: LinearConfig::new(8, 8).init(device),
            gain: Param::from_tensor(random([6], device)),
            head: LinearConfig::new(6, 3).init(device),
        }
    }

    fn ends(&self, x: Tensor<4>) -> Tensor<2> {
        self.head.forward(x.mean_dims(&[2, 3]).squeeze_dims(&[2, 3]))
    }
}

/// Captures what `middle` does between a convolution and the classes, and gives the operations back.
fn middle(middle: impl Fn(&Parts, Tensor<4>) -> Tensor<4>) -> burncam::Result<Vec<String>> {
    let device = Device::flex();
    device.seed(7);
    let net = Parts::new(&device);
    let forward = |net: &Parts, x| net.ends(middle(net, net.conv.forward(x)));
    let model = saved(&captured(&net, [3, 8, 8], forward)?, &net, forward);
    let nodes = &model.graph().nodes;
    assert_eq!((nodes[0].name.as_str(), nodes[nodes.len() - 1].name.as_str()), ("conv", "head"));
    Ok(nodes[1..nodes.len() - 3].iter().map(|node| node.op.name()).collect())
}

#[test]
fn layers_that_burn_takes_apart_are_put_together_again() {
    let one = |op: &str, forward: fn(&Parts, Tensor<4>) -> Tensor<4>| {
        assert_eq!(middle(forward).unwrap(), [op]);
    };
    one("silu", |_, x| activation::silu(x));
    one("hard_swish", |_, x| activation::hard_swish(x));
    one("relu6", |_, x| activation::relu6(x));
    one("mish", |_, x| activation::mish(x));
    one("softplus", |_, x| activation::softplus(x, 1.0));
    one("elu", |_, x| activation::elu(x, 0.7));
    one("selu", |_, x| activation::selu(x));
    one("leaky_relu", |_, x| activation::leaky_relu(x, 0.2));
    one("prelu", |net, x| net.prelu.forward(x));
    one("gelu", |_, x| activation::gelu(x));
    one("gelu", |_, x| activation::gelu_approximate(x));
    one("hard_sigmoid", |_, x| (x + 3.0).clamp(0.0, 6.0) / 6.0);
    one("batch_norm", |net, x| {
        let gain = net.gain.val().reshape([1, 6, 1, 1]);
        x * gain.clone() + gain
    });
    one("clip", |_, x| x.clamp(-0.5, 0.25));
    one("relu", |_, x| x.clamp_min(0.0));
    one("linear", |net, x| net.linear.forward(x));
    one("mul", |net, x| x * net.gain.val().reshape([1, 6, 1, 1]));
    one("reduce_max", |_, x| x.max_dim(3));
    one("concat", |_, x| Tensor::cat(vec![x.clone(), x], 2));
    one("group_norm", |net, x| net.norm.forward(x));
    one("group_norm", |_, x| InstanceNormConfig::new(6).init(&x.device()).forward(x));
    one("layer_norm", |net, x| net.layer.forward(x));
    one("softmax", |_, x| activation::softmax(x, 1));
    let uneven = PaddingConfig2d::Explicit(0, 0, 1, 1);
    let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(uneven);
    assert_eq!(middle(|_, x| pool.init().forward(x)).unwrap(), ["max_pool2d"]);
}

#[test]
fn everything_else_is_written_down_as_it_is() {
    let ops = |forward: fn(&Parts, Tensor<4>) -> Tensor<4>| middle(forward).unwrap().join(" ");
    assert_eq!(ops(|_, x| x.clone() * 2.0 - x / 3.0 + 1.0), "mul div sub add");
    assert_eq!(ops(|_, x| Tensor::ones([1, 6, 1, 1], &x.device()) - x), "mul add");
    assert_eq!(ops(|_, x| -x.clone() * x.tanh().exp()), "mul tanh exp mul");
    assert_eq!(ops(|_, x| x.permute([0, 2, 3, 1]).swap_dims(1, 3)), "transpose");
    assert_eq!(ops(|_, x| x.clone().matmul(x.transpose())), "transpose matmul");
    assert_eq!(ops(|_, x| x.slice(s![.., .., 1..7;2, 2..]).pad((1, 2, 0, 1), 0.5)), "slice slice pad");
    assert_eq!(
        ops(|_, x| {
            let parts = x.chunk(2, 1);
            Tensor::cat(vec![parts[1].clone(), parts[0].clone()], 1)
        }),
        "slice slice concat"
    );
    assert_eq!(ops(|_, x| module::adaptive_avg_pool2d(x, [3, 2])), "adaptive_avg_pool2d");
    assert_eq!(ops(|_, x| AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init().forward(x)), "avg_pool2d");
    assert_eq!(ops(|_, x| (x.abs() + 1.0).log().powf_scalar(3.0)), "abs add log pow");
    assert_eq!(ops(|_, x| 1.0 / (x.erf() + 2.0)), "erf add pow mul");
    assert_eq!(ops(|_, x| activation::log_sigmoid(x).min_dim(2)), "log_sigmoid reduce_min");
    assert_eq!(ops(|_, x| activation::softplus(x, 3.0)), "mul softplus mul");
    assert_eq!(ops(|_, x| activation::celu(x, 0.7)), "mul elu mul");
    let bicubic =
        Interpolate2dConfig::new().with_output_size(Some([5, 9])).with_mode(InterpolateMode::Cubic).init();
    assert_eq!(middle(|_, x| bicubic.forward(x)).unwrap(), ["resize"]);
    let nearest = Interpolate2dConfig::new().with_output_size(Some([12, 4])).init();
    assert_eq!(middle(|_, x| nearest.forward(x)).unwrap(), ["resize"]);
}

/// Fields with the names that burncam gives of itself.
#[derive(Module, Debug)]
struct Confusing {
    input: Conv2d,
    relu: Linear,
}

#[test]
fn a_layer_keeps_its_name_whatever_it_is_called() {
    let device = Device::flex();
    let net = Confusing {
        input: Conv2dConfig::new([1, 2], [3, 3]).init(&device),
        relu: LinearConfig::new(2, 4).init(&device),
    };
    let forward = |net: &Confusing, x: Tensor<4>| {
        let x = activation::relu(net.input.forward(x.clone()) + net.input.forward(x * 2.0));
        net.relu.forward(module::adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3))
    };
    let captured = captured(&net, [1, 9, 9], forward).unwrap();
    let model = saved(&captured, &net, forward);
    assert_eq!(model.graph().input.name, "input_2");
    assert_eq!(
        names(&model),
        ["input", "mul", "input_3", "add", "relu_2", "global_avg_pool", "flatten", "relu"]
    );
    assert_eq!(captured.tensors.len(), 4);
}

#[test]
fn a_final_softmax_gives_probabilities() {
    let net = Guide::new(&Device::flex());
    let captured = captured(&net, [1, 28, 28], |net, x| activation::softmax(net.forward(x), 1)).unwrap();
    let model = saved(&captured, &net, Guide::forward);
    assert_eq!(model.output().gives, burncam_graph::card::OutputKind::Softmax);
    assert_eq!(names(&model)[model.scores()], "linear2");
}

#[test]
fn a_module_that_is_captured_stays_as_it_is() {
    let device = Device::flex();
    device.seed(5);
    let plain = Residual::new(&device);
    let x = random([1, 3, 33, 40], &device);
    let before = plain.forward(x.clone()).into_data();
    captured(&plain, [3, 33, 40], Residual::forward).unwrap();
    assert_eq!(plain.forward(x.clone()).into_data(), before);

    let training = plain.train();
    captured(&training, [3, 33, 40], Residual::forward).unwrap();
    let gradients = training.forward(x.autodiff()).sum().backward();
    assert!(training.stem.weight.grad(&gradients).is_some());
}

#[test]
fn modules_are_captured_in_training_with_the_statistics_of_evaluation() {
    let device = Device::flex().autodiff();
    device.seed(5);
    let net = Residual::new(&device);
    let sample = random([1, 3, 33, 40], &device).require_grad();
    let captured = capture(&net, sample, Residual::forward, settings(3, [33, 40])).unwrap();
    saved(&captured, &net, Residual::forward);
}

#[test]
fn what_cannot_be_captured_is_refused_by_name() {
    let refusal = |forward: fn(&Parts, Tensor<4>) -> Tensor<4>| middle(forward).unwrap_err().to_string();
    assert_eq!(
        refusal(|_, x| x.tan()),
        "model 'made': its forward pass uses 'Tan' behind 'conv', which no operation of a model file does \
         (docs/capture.md lists them)"
    );
    // Masks outside of the formulas of activations; a threshold this low is not softplus.
    let masks: [fn(&Parts, Tensor<4>) -> Tensor<4>; 3] = [
        |_, x| activation::softplus_with_threshold(x, 1.0, 2.0),
        |_, x| activation::hard_shrink(x, 0.5),
        |_, x| x.clone().mask_where(x.clone().lower_equal_scalar(0.1), x.exp() - 1.0),
    ];
    for mask in masks {
        let error = refusal(mask);
        assert!(error.contains("which no operation of a model file does"), "{error}");
    }
    let random = refusal(|_, x| x.clone() + x.random_like(Distribution::Default));
    assert!(random.contains("'Random'"), "{random}");
    let parameters = refusal(|net, x| x * net.gain.val().exp().reshape([1, 6, 1, 1]));
    assert!(parameters.contains("'Exp' of 'gain'"), "{parameters}");
}

#[test]
fn settings_that_do_not_fit_the_module_are_refused() {
    let device = Device::flex();
    let net = Guide::new(&device);
    let batch = capture(&net, random([2, 1, 28, 28], &device), Guide::forward, settings(1, [28, 28]));
    let error = batch.unwrap_err().to_string();
    assert!(error.starts_with("sample: has shape [2, 1, 28, 28], expected [1, channels"), "{error}");

    let sample = random([1, 1, 28, 28], &device);
    let classes = vec!["zero".to_owned(), "one".to_owned()];
    let named = CaptureSettings { classes, ..settings(1, [28, 28]) };
    let error = capture(&net, sample.clone(), Guide::forward, named).unwrap_err().to_string();
    assert!(error.contains("names 2 classes, expected 10"), "{error}");

    let error = capture(&net, sample, Guide::forward, settings(1, [32, 32])).unwrap_err().to_string();
    assert!(error.contains("makes 32x32 pixels") && error.contains("wants 28x28"), "{error}");
}

#[test]
fn the_example_learns_and_looks_at_the_shapes() {
    let directory = tempfile::tempdir().unwrap();
    train_and_explain::run(directory.path()).unwrap();
    assert!(directory.path().join("circle1.gradcam.side-by-side.png").exists());
}
