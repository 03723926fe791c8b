//! ONNX files of any length, written field by field: blocks as exporters take them apart, one after the other.

/// Nodes in a block, before and after import.
pub(crate) const BLOCK: [usize; 2] = [16, 7];

/// Nodes around the blocks: a convolution, a pool, a flatten and a linear layer.
pub(crate) const AROUND: usize = 4;

const CHANNELS: usize = 4;

/// A message in the wire format of protocol buffers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn int(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

fn ints(name: &str, values: &[u64]) -> Message {
    values.iter().fold(Message::default().text(1, name).int(20, 7), |message, value| message.int(8, *value))
}

fn float(name: &str, value: f32) -> Message {
    Message::default().text(1, name).float(2, value).int(20, 1)
}

fn tensor(name: &str, shape: &[usize]) -> Message {
    let count: usize = shape.iter().product();
    let values: Vec<u8> = (0..count).flat_map(|at| (0.2 + 0.1 * (at as f32).sin()).to_le_bytes()).collect();
    let message = shape.iter().fold(Message::default(), |message, side| message.int(1, *side as u64));
    message.int(2, 1).text(8, name).bytes(9, &values)
}

fn number(name: &str, value: f32) -> Message {
    Message::default().int(2, 1).text(8, name).bytes(9, &value.to_le_bytes())
}

/// An input or output of floats.
fn value(name: &str, shape: &[usize]) -> Message {
    let dimension = |side: &usize| Message::default().int(1, *side as u64);
    let shape = shape.iter().fold(Message::default(), |shape, side| shape.message(1, &dimension(side)));
    let kind = Message::default().message(1, &Message::default().int(1, 1).message(2, &shape));
    Message::default().text(1, name).message(2, &kind)
}

/// The graph so far, and how many values it has.
struct Chain {
    graph: Message,
    count: usize,
}

impl Chain {
    /// Appends a node and returns the name of its value.
    fn then(&mut self, op: &str, inputs: &[&str], attributes: &[Message]) -> String {
        self.count += 1;
        let output = format!("v{}", self.count);
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, &output).text(3, &format!("/blocks/{output}/{op}")).text(4, op);
        let node = attributes.iter().fold(node, |node, attribute| node.message(5, attribute));
        self.graph = std::mem::take(&mut self.graph).message(1, &node);
        output
    }

    /// A residual layer, hard swish, GELU, a ReLU with channels last, and a batch norm.
    fn block(&mut self, x: &str) -> String {
        let layer = self.then("Conv", &[x, "weight", "bias"], &[]);
        let layer = self.then("Relu", &[&layer], &[]);
        let x = self.then("Add", &[x, &layer], &[]);
        let gate = self.then("HardSigmoid", &[&x], &[float("alpha", 1.0 / 6.0), float("beta", 0.5)]);
        let x = self.then("Mul", &[&x, &gate], &[]);
        let gate = self.then("Div", &[&x, "root"], &[]);
        let gate = self.then("Erf", &[&gate], &[]);
        let gate = self.then("Add", &[&gate, "one"], &[]);
        let gated = self.then("Mul", &[&x, &gate], &[]);
        let x = self.then("Mul", &[&gated, "half"], &[]);
        let last = self.then("Transpose", &[&x], &[ints("perm", &[0, 2, 3, 1])]);
        let last = self.then("Relu", &[&last], &[]);
        let last = self.then("Mul", &[&last, "list"], &[]);
        let x = self.then("Transpose", &[&last], &[ints("perm", &[0, 3, 1, 2])]);
        let x = self.then("Mul", &[&x, "scale"], &[]);
        self.then("Add", &[&x, "shift"], &[])
    }
}

/// A classifier of `blocks` blocks on a picture of 8x8 pixels.
pub(crate) fn classifier(blocks: usize) -> Vec<u8> {
    let mut chain = Chain { graph: Message::default(), count: 0 };
    let mut x = chain.then("Conv", &["input", "stem"], &[]);
    for _ in 0..blocks {
        x = chain.block(&x);
    }
    let pooled = chain.then("GlobalAveragePool", &[&x], &[]);
    let flat = chain.then("Flatten", &[&pooled], &[]);
    let last = chain.then("Gemm", &[&flat, "head"], &[]);
    let weights = [
        tensor("stem", &[CHANNELS, 3, 1, 1]),
        tensor("weight", &[CHANNELS, CHANNELS, 1, 1]),
        tensor("bias", &[CHANNELS]),
        tensor("list", &[CHANNELS]),
        tensor("scale", &[CHANNELS, 1, 1]),
        tensor("shift", &[CHANNELS, 1, 1]),
        tensor("head", &[CHANNELS, 3]),
        number("root", std::f32::consts::SQRT_2),
        number("one", 1.0),
        number("half", 0.5),
    ];
    let graph = weights.iter().fold(chain.graph, |graph, weight| graph.message(5, weight));
    let graph = graph
        .text(2, "chain")
        .message(11, &value("input", &[1, 3, 8, 8]))
        .message(12, &value(&last, &[1, 3]));
    Message::default().int(1, 8).message(7, &graph).message(8, &Message::default().int(2, 17)).0
}
