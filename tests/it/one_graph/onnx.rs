//! Graphs as ONNX files, the way exporters for old operator sets write them: activations, biases and matrix products spelled out.

use burncam_graph::card::{Graph, Node, Op, Values};
use burncam_model::StoredTensor;

/// A protocol-buffer message in the making.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, tag: u64, value: i64) -> Self {
        self.varint(tag << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, tag: u64, bytes: &[u8]) -> Self {
        self.varint(tag << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn float(mut self, tag: u64, value: f32) -> Self {
        self.varint(tag << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }
}

/// An attribute of a node.
enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, Vec<i64>),
    Float(&'a str, f32),
}

/// An ONNX graph in the making.
struct Writer {
    graph: Message,
    count: usize,
}

impl Writer {
    /// A node; gives the name of its output.
    fn node(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        self.count += 1;
        let output = format!("v{}", self.count);
        self.named(op, inputs, &output, attributes);
        output
    }

    fn named(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[Attribute]) {
        let mut node = Message::default();
        for input in inputs {
            node = node.bytes(1, input.as_bytes());
        }
        node = node.bytes(2, output.as_bytes()).bytes(4, op.as_bytes());
        for attribute in attributes {
            let own = match attribute {
                Attribute::Int(name, value) => {
                    Message::default().bytes(1, name.as_bytes()).int(3, *value).int(20, 2)
                }
                Attribute::Float(name, value) => {
                    Message::default().bytes(1, name.as_bytes()).float(2, *value).int(20, 1)
                }
                Attribute::Ints(name, values) => {
                    let own = Message::default().bytes(1, name.as_bytes());
                    values.iter().fold(own, |own, value| own.int(8, *value)).int(20, 7)
                }
            };
            node = node.bytes(5, &own.0);
        }
        self.graph = std::mem::take(&mut self.graph).bytes(1, &node.0);
    }

    fn initializer(&mut self, name: &str, shape: &[usize], bytes: &[u8]) {
        let tensor = shape.iter().fold(Message::default(), |tensor, side| tensor.int(1, *side as i64));
        let tensor = tensor.int(2, 1).bytes(8, name.as_bytes()).bytes(9, bytes);
        self.graph = std::mem::take(&mut self.graph).bytes(5, &tensor.0);
    }

    /// A single number.
    fn number(&mut self, value: f32) -> String {
        self.count += 1;
        let name = format!("c{}", self.count);
        self.initializer(&name, &[], &value.to_le_bytes());
        name
    }

    /// `op` of a tensor and a number.
    fn with_number(&mut self, op: &str, x: &str, value: f32) -> String {
        let number = self.number(value);
        self.node(op, &[x, &number], &[])
    }

    /// `clip(x + 3, 0, 6) / 6`.
    fn hard_sigmoid(&mut self, x: &str) -> String {
        let shifted = self.with_number("Add", x, 3.0);
        let [low, high] = [0.0, 6.0].map(|value| self.number(value));
        let clipped = self.node("Clip", &[&shifted, &low, &high], &[]);
        self.with_number("Div", &clipped, 6.0)
    }

    /// One node of a card; gives the name of what it computes.
    fn card_node(&mut self, node: &Node, inputs: &[&str]) -> String {
        use Attribute::{Float, Int, Ints};
        let x = inputs[0];
        let params: Vec<&str> = node
            .op
            .roles()
            .iter()
            .filter_map(|(role, _)| node.params.get(*role))
            .map(String::as_str)
            .collect();
        let all = [&inputs[..1], &params[..]].concat();
        let list = |sides: &[usize]| sides.iter().map(|side| *side as i64).collect::<Vec<_>>();
        let pads = |[top, bottom, left, right]: [usize; 4]| list(&[top, left, bottom, right]);
        match &node.op {
            Op::Conv2d { stride, padding, dilation, groups } => {
                let attributes = [
                    Ints("strides", list(stride)),
                    Ints("pads", pads(*padding)),
                    Ints("dilations", list(dilation)),
                    Int("group", *groups as i64),
                ];
                self.node("Conv", &all, &attributes)
            }
            Op::MaxPool2d { kernel, stride, padding, .. } => {
                let attributes = [
                    Ints("kernel_shape", list(kernel)),
                    Ints("strides", list(stride)),
                    Ints("pads", pads(*padding)),
                ];
                self.node("MaxPool", &[x], &attributes)
            }
            Op::BatchNorm { epsilon } => {
                self.node("BatchNormalization", &all, &[Float("epsilon", *epsilon as f32)])
            }
            Op::LayerNorm { epsilon } => {
                self.node("LayerNormalization", &all, &[Float("epsilon", *epsilon as f32)])
            }
            Op::Linear {} => {
                let product = self.node("MatMul", &[x, params[0]], &[]);
                self.node("Add", &[&product, params[1]], &[])
            }
            Op::Add { scalar: None } => self.node("Add", inputs, &[]),
            Op::Mul { scalar: None } => self.node("Mul", &[inputs, &params].concat(), &[]),
            Op::Relu {} => self.node("Relu", &[x], &[]),
            Op::GlobalAvgPool {} => self.node("GlobalAveragePool", &[x], &[]),
            Op::Flatten { .. } => self.node("Flatten", &[x], &[]),
            Op::Transpose { perm } => self.node("Transpose", &[x], &[Ints("perm", list(perm))]),
            Op::HardSigmoid { .. } => self.hard_sigmoid(x),
            Op::HardSwish {} => {
                let gate = self.hard_sigmoid(x);
                self.node("Mul", &[x, &gate], &[])
            }
            Op::Gelu { .. } => {
                let inner = self.with_number("Div", x, std::f32::consts::SQRT_2);
                let erf = self.node("Erf", &[&inner], &[]);
                let gate = self.with_number("Add", &erf, 1.0);
                let product = self.node("Mul", &[x, &gate], &[]);
                self.with_number("Mul", &product, 0.5)
            }
            other => panic!("{other:?} is not written"),
        }
    }
}

/// A card's graph and tensors as an ONNX file.
pub(super) fn written(graph: &Graph, tensors: &[StoredTensor]) -> Vec<u8> {
    let mut writer = Writer { graph: Message::default().bytes(2, b"main"), count: 0 };
    let mut values = Values::new("picture".to_owned());
    for node in &graph.nodes {
        let inputs: Vec<&str> = node.inputs.iter().map(|id| values[*id].as_str()).collect();
        let value = writer.card_node(node, &inputs);
        values.push(value);
    }
    for tensor in tensors {
        writer.initializer(&tensor.name, &tensor.shape, &tensor.to_bytes().unwrap());
    }
    let info = |name: &str, sides: &[usize]| {
        let dims = sides.iter().fold(Message::default(), |shape, side| {
            shape.bytes(1, &Message::default().int(1, *side as i64).0)
        });
        let kind = Message::default().int(1, 1).bytes(2, &dims.0);
        Message::default().bytes(1, name.as_bytes()).bytes(2, &Message::default().bytes(1, &kind.0).0)
    };
    let input = &graph.input;
    let picture = info("picture", &[1, input.channels, input.height, input.width]);
    let graph = writer.graph.bytes(11, &picture.0).bytes(12, &info(&values[graph.output], &[]).0);
    let opset = Message::default().bytes(1, b"").int(2, 17);
    Message::default().int(1, 8).bytes(7, &graph.0).bytes(8, &opset.0).0
}
