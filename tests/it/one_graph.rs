//! The same network from an ONNX file, by architecture, from a card and from a Burn module is the same graph, byte for byte.
//!
//! ONNX files are written by the test, and by PyTorch's two exporters. Sources name layers in their own ways, so nodes and tensors
//! get numbers before graphs are compared.

mod exporters;
mod onnx;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation, module};
use burncam::capture::{CaptureSettings, capture};
use burncam_graph::card::{Card, Graph};
use burncam_model::arch;
use burncam_model::import::{ImportRequest, import};

use crate::modules::{Block, conv};
use crate::support::{seeded, tensor};
use exporters::agree_with_exporters;

/// The graph as JSON, its nodes and tensors numbered.
fn numbered(graph: &Graph) -> String {
    let mut graph = graph.clone();
    graph.input.name = "input".into();
    for (at, node) in graph.nodes.iter_mut().enumerate() {
        node.name = format!("n{at}");
        for (role, name) in &mut node.params {
            *name = format!("n{at}.{role}");
        }
    }
    serde_json::to_string_pretty(&graph).unwrap()
}

/// Writes a graph with seeded weights of these shapes as an ONNX file and imports that.
fn through_onnx(graph: &Graph, shapes: &[(String, Vec<usize>)]) -> Graph {
    let tensors: Vec<_> =
        shapes.iter().map(|(name, shape)| tensor(name, shape, &seeded(name, shape))).collect();
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("made.onnx");
    std::fs::write(&source, onnx::written(graph, &tensors)).unwrap();
    import(&ImportRequest { source, ..ImportRequest::default() }).unwrap().card.graph.unwrap()
}

fn through_capture<M: Module>(
    net: &M,
    side: usize,
    forward: impl Fn(&M, Tensor<4>) -> Tensor<2>,
) -> (Card, Vec<(String, Vec<usize>)>) {
    let preprocess =
        format!(r#"{{ "resize": {{ "policy": "stretch", "height": {side}, "width": {side} }} }}"#);
    let preprocess = serde_json::from_str(&preprocess).unwrap();
    let settings = CaptureSettings { name: "made".into(), classes: vec![], preprocess, source: None };
    let captured =
        capture(net, Tensor::zeros([1, 3, side, side], &Device::flex()), forward, settings).unwrap();
    let shapes = captured.tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.to_vec())).collect();
    (captured.card, shapes)
}

/// Compares a captured network with what comes of its card and of an ONNX file of it.
fn agree(card: &Card, shapes: &[(String, Vec<usize>)], ops: &[&str]) {
    let graph = card.graph.as_ref().unwrap();
    let found: Vec<String> = graph.nodes.iter().map(|node| node.op.name()).collect();
    assert_eq!(found, ops);
    let expected = numbered(graph);
    assert_eq!(numbered(&through_onnx(graph, shapes)), expected, "from ONNX");
    let again = Card::from_json(&card.to_json().unwrap()).unwrap();
    assert_eq!(numbered(again.graph.as_ref().unwrap()), expected, "from a card");
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

fn average(x: Tensor<4>) -> Tensor<2> {
    module::adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3)
}

#[derive(Module, Debug)]
struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    pool: MaxPool2d,
    blocks: Vec<Block>,
    fc: Linear,
}

impl ResNet {
    fn new(device: &Device) -> Self {
        let widths = [64, 64, 128, 256, 512];
        let block = |at: usize| {
            let (stage, first) = (at / 2, at.is_multiple_of(2));
            let channels = if first { widths[stage] } else { widths[stage + 1] };
            let stride = if first && stage > 0 { 2 } else { 1 };
            Block::new([channels, widths[stage + 1]], stride, norm, device)
        };
        Self {
            conv1: conv([3, 64], 7, 2).init(device),
            bn1: norm(64, device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            blocks: (0..8).map(block).collect(),
            fc: LinearConfig::new(512, 10).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(activation::relu(self.bn1.forward(self.conv1.forward(x))));
        self.fc.forward(average(self.blocks.iter().fold(x, |x, block| block.forward(x))))
    }
}

#[test]
fn a_resnet_is_one_graph_by_architecture_from_onnx_from_a_card_and_from_burn() {
    let built = arch::build("resnet18", 10, Some([32, 32])).unwrap();
    let expected = numbered(&built.graph);
    assert_eq!(numbered(&through_onnx(&built.graph, &built.parameters)), expected, "from ONNX");
    agree_with_exporters("resnet18", &built.graph, true);
    let (card, _) = through_capture(&ResNet::new(&Device::flex()), 32, ResNet::forward);
    assert_eq!(numbered(card.graph.as_ref().unwrap()), expected, "from a Burn module");
    let again = Card::from_json(&card.to_json().unwrap()).unwrap();
    assert_eq!(numbered(again.graph.as_ref().unwrap()), expected, "from a card");
}

/// An inverted residual with squeeze and excitation, as in MobileNetV3.
#[derive(Module, Debug)]
struct MobileNet {
    stem: (Conv2d, BatchNorm),
    expand: (Conv2d, BatchNorm),
    depthwise: (Conv2d, BatchNorm),
    squeeze: Conv2d,
    excite: Conv2d,
    project: (Conv2d, BatchNorm),
    head: Linear,
}

impl MobileNet {
    fn new(device: &Device) -> Self {
        let norm = |channels| BatchNormConfig::new(channels).with_epsilon(1e-3).init(device);
        let point = |channels: [usize; 2]| Conv2dConfig::new(channels, [1, 1]);
        let plain = |channels: [usize; 2]| point(channels).with_bias(false).init(device);
        Self {
            stem: (conv([3, 8], 3, 2).init(device), norm(8)),
            expand: (plain([8, 16]), norm(16)),
            depthwise: (conv([16, 16], 3, 1).with_groups(16).init(device), norm(16)),
            squeeze: point([16, 4]).init(device),
            excite: point([4, 16]).init(device),
            project: (plain([16, 8]), norm(8)),
            head: LinearConfig::new(8, 10).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let through = |(conv, norm): &(Conv2d, BatchNorm), x| norm.forward(conv.forward(x));
        let x = activation::hard_swish(through(&self.stem, x));
        let y = activation::hard_swish(through(&self.expand, x.clone()));
        let y = activation::hard_swish(through(&self.depthwise, y));
        let gate = activation::relu(self.squeeze.forward(module::adaptive_avg_pool2d(y.clone(), [1, 1])));
        let gate = activation::hard_sigmoid(self.excite.forward(gate), 1.0 / 6.0, 0.5);
        let x = x + through(&self.project, y * gate);
        self.head.forward(average(x))
    }
}

#[test]
fn a_mobilenet_with_hard_swish_is_one_graph() {
    let (card, shapes) = through_capture(&MobileNet::new(&Device::flex()), 32, MobileNet::forward);
    let act = ["conv2d", "batch_norm", "hard_swish"];
    let gate = ["global_avg_pool", "conv2d", "relu", "conv2d", "hard_sigmoid", "mul"];
    let end = ["conv2d", "batch_norm", "add", "global_avg_pool", "flatten", "linear"];
    agree(&card, &shapes, &[&act[..], &act, &act, &gate, &end].concat());
    agree_with_exporters("mobilenet", card.graph.as_ref().unwrap(), true);
}

/// A ConvNeXt of one block.
#[derive(Module, Debug)]
struct ConvNext {
    stem: Conv2d,
    stem_norm: LayerNorm,
    depthwise: Conv2d,
    norm: LayerNorm,
    wide: Linear,
    narrow: Linear,
    gamma: Param<Tensor<1>>,
    head_norm: LayerNorm,
    head: Linear,
}

impl ConvNext {
    fn new(device: &Device) -> Self {
        let norm = || LayerNormConfig::new(8).with_epsilon(1e-6).init(device);
        let depthwise = conv([8, 8], 7, 1).with_groups(8).with_bias(true);
        Self {
            stem: Conv2dConfig::new([3, 8], [4, 4]).with_stride([4, 4]).init(device),
            stem_norm: norm(),
            depthwise: depthwise.init(device),
            norm: norm(),
            wide: LinearConfig::new(8, 32).init(device),
            narrow: LinearConfig::new(32, 8).init(device),
            gamma: Param::from_tensor(Tensor::ones([8], device)),
            head_norm: norm(),
            head: LinearConfig::new(8, 10).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let (last, first) = ([0, 2, 3, 1], [0, 3, 1, 2]);
        let x = self.stem_norm.forward(self.stem.forward(x).permute(last)).permute(first);
        let y = self.norm.forward(self.depthwise.forward(x.clone()).permute(last));
        let y = self.narrow.forward(activation::gelu(self.wide.forward(y)));
        let x = x + (y * self.gamma.val().reshape([1, 1, 1, 8])).permute(first);
        self.head.forward(self.head_norm.forward(average(x)))
    }
}

#[test]
fn a_convnext_with_gelu_is_one_graph() {
    let (card, shapes) = through_capture(&ConvNext::new(&Device::flex()), 32, ConvNext::forward);
    let stem = ["conv2d", "transpose", "layer_norm", "transpose"];
    let block = ["conv2d", "transpose", "layer_norm", "linear", "gelu", "linear", "mul", "transpose", "add"];
    let end = ["global_avg_pool", "flatten", "layer_norm", "linear"];
    agree(&card, &shapes, &[&stem[..], &block, &end].concat());
    agree_with_exporters("convnext", card.graph.as_ref().unwrap(), false);
}
