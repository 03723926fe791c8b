//! Operators on integers, `QLinearConv` and the like, as the same operators on real numbers between `DequantizeLinear` and
//! `QuantizeLinear`.
//!
//! Receives the nodes of a graph, gives them with each such operator taken apart. What the two ends do is said in
//! [`quantised`](super::quantised); an operator with settings that are not known here stays, and is refused by name later.

use std::collections::HashSet;

use super::dynamic;
use super::functions::MAX_NODES;
use super::messages::{AttributeProto, GraphProto, NodeProto, is_standard};

/// Operators whose operands are tensor, step and zero point one after the other, and whose last two inputs are the result's step and
/// zero point: the operator on real numbers, and the number of operands.
const PLAIN: [(&str, &str, usize); 9] = [
    ("QLinearAdd", "Add", 2),
    ("QLinearMul", "Mul", 2),
    ("QLinearMatMul", "MatMul", 2),
    ("QLinearGlobalAveragePool", "GlobalAveragePool", 1),
    ("QLinearAveragePool", "AveragePool", 1),
    ("QLinearLeakyRelu", "LeakyRelu", 1),
    ("QLinearSigmoid", "Sigmoid", 1),
    ("QLinearSoftmax", "Softmax", 1),
    ("QLinearReduceMean", "ReduceMean", 1),
];

/// Takes every operator on integers apart; gives whether steps follow from tensors. `opset` is the version of the standard operator set.
pub(super) fn expand(graph: &mut GraphProto, opset: i64) -> bool {
    if graph.node.len() > MAX_NODES {
        return false;
    }
    let dynamic = dynamic::cancelling(graph);
    let nodes = std::mem::take(&mut graph.node);
    let by_product = nodes.iter().any(|node| node.op_type == "DynamicQuantizeMatMul");
    graph.node =
        nodes.into_iter().enumerate().flat_map(|(at, node)| expanded(node, at, opset, &dynamic)).collect();
    by_product || !dynamic.is_empty()
}

fn expanded(node: NodeProto, at: usize, opset: i64, dynamic: &HashSet<String>) -> Vec<NodeProto> {
    if !(is_standard(&node.domain) || node.domain == "com.microsoft") {
        return vec![node];
    }
    let mut parts = Parts { node: &node, at, dynamic, made: vec![] };
    match parts.take_apart(opset) {
        Some(()) => parts.made,
        None => vec![node],
    }
}

/// What an operator becomes.
struct Parts<'a> {
    node: &'a NodeProto,
    /// Its position, which makes the names of tensors between its parts unique.
    at: usize,
    /// Tensors of integers that are the real numbers they were made of, with a step of 1.
    dynamic: &'a HashSet<String>,
    made: Vec<NodeProto>,
}

impl Parts<'_> {
    /// `None` for other operators, and for settings that operators on real numbers do not have.
    fn take_apart(&mut self, opset: i64) -> Option<()> {
        if self.int("channels_last", 0) != 0 {
            return None;
        }
        let op = self.node.op_type.as_str();
        if let Some((_, real, count)) = PLAIN.iter().find(|(name, ..)| *name == op) {
            // Softmax took all axes from one on before operator set 13.
            let is_old = self.int("opset", opset) < 13;
            if op == "QLinearSoftmax" && (is_old != (opset < 13) || is_old && self.int("axis", 0) == 0) {
                return None;
            }
            let operands = (0..*count).map(|operand| self.real(3 * operand, None)).collect();
            self.finish(real, operands, Some([3 * count, 3 * count + 1]));
            return Some(());
        }
        match op {
            "QLinearConv" | "QGemm" => self.layer(op),
            "QLinearConcat" => {
                let count = self.node.input.len().saturating_sub(2) / 3;
                let operands = (0..count).map(|operand| self.real(2 + 3 * operand, None)).collect();
                self.finish("Concat", operands, Some([0, 1]));
                Some(())
            }
            "QLinearWhere" => {
                let operands = vec![self.input(0), self.real(1, None), self.real(4, None)];
                self.finish("Where", operands, Some([7, 8]));
                Some(())
            }
            _ => self.without_step(op),
        }
    }

    /// Operators with weights, whose bias has the product of the operands' steps.
    fn layer(&mut self, op: &str) -> Option<()> {
        if op == "QLinearConv" {
            let (x, weight) = (self.real(0, None), self.real(3, Some(0)));
            let bias = self.bias(8, [1, 4], 0);
            self.finish("Conv", [x, weight].into_iter().chain(bias).collect(), Some([6, 7]));
            return Some(());
        }
        let alpha = self.node.attribute.iter().find(|own| own.name == "alpha").map_or(1.0, |own| own.f);
        if alpha != 1.0 && !self.input(6).is_empty() {
            return None;
        }
        let columns = i64::from(self.int("transB", 0) == 0);
        let (a, b) = (self.real(0, None), self.real(3, Some(columns)));
        let bias = self.bias(6, [1, 4], -1);
        let result = (!self.input(7).is_empty()).then_some([7, 8]);
        self.finish("Gemm", [a, b].into_iter().chain(bias).collect(), result);
        Some(())
    }

    /// Operators whose result is real numbers, or sums of integers.
    fn without_step(&mut self, op: &str) -> Option<()> {
        match op {
            "QuantizeLinear" | "DequantizeLinear" if self.node.domain == "com.microsoft" => {
                self.made.push(NodeProto { domain: String::new(), ..self.node.clone() });
            }
            "DynamicQuantizeLinear" if self.dynamic.contains(&self.node.output[0]) => {
                let output = &self.node.output;
                self.push("Identity", vec![self.input(0)], vec![output[0].clone()]);
                self.one(output[1].clone());
            }
            // Integers less their zero points.
            "ConvInteger" | "MatMulInteger" => {
                let (real, axis) = if op == "ConvInteger" { ("Conv", 0) } else { ("MatMul", -1) };
                let x = match self.dynamic.contains(&self.input(0)) {
                    true => self.input(0),
                    false => self.shifted(0, 2, None),
                };
                let weight = self.shifted(1, 3, Some(axis));
                self.finish(real, vec![x, weight], None);
            }
            "MatMulIntegerToFloat" => {
                let a = self.dequantised(self.input(0), self.input(2), self.input(4), None);
                let b = self.dequantised(self.input(1), self.input(3), self.input(5), Some(-1));
                self.with_bias(vec![a, b], 6);
            }
            "DynamicQuantizeMatMul" => {
                let b = self.dequantised(self.input(1), self.input(2), self.input(3), Some(-1));
                self.with_bias(vec![self.input(0), b], 4);
            }
            _ => return None,
        }
        Some(())
    }

    fn input(&self, at: usize) -> String {
        self.node.input.get(at).cloned().unwrap_or_default()
    }

    fn int(&self, name: &str, default: i64) -> i64 {
        self.node.attribute.iter().find(|own| own.name == name).map_or(default, |own| own.i)
    }

    /// A name for a tensor between the parts.
    fn name(&self, part: &str) -> String {
        format!("{}:{}:{part}:{}", self.at, self.node.op_type, self.made.len())
    }

    fn push(&mut self, op: &str, input: Vec<String>, output: Vec<String>) {
        self.push_with(op, input, output, vec![]);
    }

    /// Adds a node under the operator's own name.
    fn push_with(
        &mut self,
        op: &str,
        input: Vec<String>,
        output: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        let (name, metadata_props) = (self.node.name.clone(), self.node.metadata_props.clone());
        self.made.push(NodeProto {
            op_type: op.into(),
            name,
            input,
            output,
            attribute,
            metadata_props,
            ..NodeProto::default()
        });
    }

    /// The real numbers of the operand whose tensor, step and zero point are inputs from `first` on.
    fn real(&mut self, first: usize, axis: Option<i64>) -> String {
        self.dequantised(self.input(first), self.input(first + 1), self.input(first + 2), axis)
    }

    /// An operand less its zero point.
    fn shifted(&mut self, at: usize, zero: usize, axis: Option<i64>) -> String {
        let one = self.name("one");
        self.one(one.clone());
        self.dequantised(self.input(at), one, self.input(zero), axis)
    }

    /// A constant of 1.
    fn one(&mut self, name: String) {
        let value =
            AttributeProto { name: "value_float".into(), f: 1.0, kind: 1, ..AttributeProto::default() };
        self.push_with("Constant", vec![], vec![name], vec![value]);
    }

    fn dequantised(&mut self, tensor: String, scale: String, zero: String, axis: Option<i64>) -> String {
        let result = self.name("real");
        let axis =
            axis.map(|i| AttributeProto { name: "axis".into(), i, kind: 2, ..AttributeProto::default() });
        let inputs = vec![tensor, scale, zero];
        self.push_with("DequantizeLinear", inputs, vec![result.clone()], axis.into_iter().collect());
        result
    }

    /// The real numbers of a bias, whose step is the product of two others.
    fn bias(&mut self, at: usize, scales: [usize; 2], axis: i64) -> Option<String> {
        if self.input(at).is_empty() {
            return None;
        }
        let scale = self.name("scale");
        self.push("Mul", scales.map(|scale| self.input(scale)).into(), vec![scale.clone()]);
        Some(self.dequantised(self.input(at), scale, String::new(), Some(axis)))
    }

    /// The operator on real numbers, with the settings of this one, and the rounding of its result, if it has a step.
    fn finish(&mut self, op: &str, operands: Vec<String>, step: Option<[usize; 2]>) {
        let output = self.node.output.clone();
        let real = if step.is_some() { vec![self.name("result")] } else { output.clone() };
        let settings =
            self.node.attribute.iter().filter(|own| !["channels_last", "opset"].contains(&own.name.as_str()));
        self.push_with(op, operands, real.clone(), settings.cloned().collect());
        if let Some([scale, zero]) = step {
            let inputs = real.into_iter().chain([self.input(scale), self.input(zero)]).collect();
            self.push("QuantizeLinear", inputs, output);
        }
    }

    /// A matrix product and the real bias in input `at`, if there is one.
    fn with_bias(&mut self, operands: Vec<String>, at: usize) {
        let bias = self.input(at);
        if bias.is_empty() {
            return self.finish("MatMul", operands, None);
        }
        let product = self.name("product");
        self.push("MatMul", operands, vec![product.clone()]);
        self.push("Add", vec![product, bias], self.node.output.clone());
    }
}
