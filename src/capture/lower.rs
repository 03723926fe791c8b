//! Converts a recording to a graph with its tensors.
//!
//! Receives a [`Recording`], hands on a [`Graph`] and the weights it uses, or the name of the operation that a card
//! cannot say. Burn takes some layers apart (a linear layer is a product and a sum, SiLU a product with a sigmoid);
//! they are put together again, so that the graph reads like the module. One-to-one translations are [`super::translate`]'s.

use burn::backend::ir::{
    BaseOperationIr, FloatOperationIr, NumericOperationIr, OperationIr, PadModeIr, PadOpIr, SliceOpIr,
    TensorIr,
};

use super::draft::{Constant, Draft, Value};
use super::record::Recording;
use super::translate::{Step, number, translate};
use crate::card::{Graph, InputSpec, Layout, Op, PadMode};
use crate::error::Problem;
use crate::model::StoredTensor;

/// The graph, and its weights in order of use.
pub(super) fn lower(
    recording: Recording,
    [channels, height, width]: [usize; 3],
) -> Result<(Graph, Vec<StoredTensor>), Problem> {
    let (picture, output) = (recording.input, recording.output);
    let operations = recording.operations;
    let mut draft = Draft::new(recording.values, recording.paths, &operations)?;
    let input = InputSpec {
        name: draft.names.free("input".into(), None),
        channels,
        height,
        width,
        layout: Layout::default(),
    };
    draft.call(picture, &[1, channels, height, width], input.name.clone());
    for (at, operation) in operations.iter().enumerate() {
        draft.at = at;
        draft.operation(operation).ok_or_else(|| draft.refusal(operation))?;
    }
    match draft.known.get(&output) {
        Some(Value::Node(name)) if *name != input.name => {
            let graph = Graph { input, nodes: draft.nodes, output: name.clone() };
            Ok((graph, draft.tensors))
        }
        _ => Err("its forward pass gives a tensor that does not come from its input".into()),
    }
}

impl Draft {
    fn operation(&mut self, operation: &OperationIr) -> Option<()> {
        if let Some(step) = translate(operation) {
            return self.step(step);
        }
        match operation {
            OperationIr::BaseFloat(base) => self.base(base),
            OperationIr::NumericFloat(_, numeric) => self.numeric(numeric),
            OperationIr::Float(_, FloatOperationIr::Matmul(it)) => self.product(&it.lhs, &it.rhs, &it.out),
            _ => None,
        }
    }

    fn step(&mut self, step: Step<'_>) -> Option<()> {
        let Step { op, inputs, params, output } = step;
        if let (Op::MaxPool2d { kernel, stride, padding: [0, 0, 0, 0], dilation, ceil_mode }, [x]) =
            (&op, &inputs[..])
            && let Some(Value::Bordered { node, padding }) = self.known.get(&x.id).cloned()
        {
            let (kernel, stride, dilation, ceil_mode) = (*kernel, *stride, *dilation, *ceil_mode);
            let op = Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode };
            return self.push(op, vec![node], vec![], output);
        }
        if self.widens_reduction(&op, inputs[0]) {
            return self.alias(inputs[0], output);
        }
        let inputs = inputs.iter().map(|tensor| self.node(tensor)).collect::<Option<_>>()?;
        let params = params
            .into_iter()
            .map(|(role, tensor)| Some((role, self.constant(tensor)?.for_role(role))))
            .collect::<Option<_>>()?;
        self.push(op, inputs, params, output)
    }

    /// Burn reduces one axis at a time; two such steps in a row are one reduction.
    fn widens_reduction(&mut self, op: &Op, input: &TensorIr) -> bool {
        let Some(last) = self.only_just_made(input) else { return false };
        match (&mut last.op, op) {
            (Op::ReduceMean { axes, keep_dims: true }, Op::ReduceMean { axes: more, keep_dims: true })
            | (Op::ReduceSum { axes, keep_dims: true }, Op::ReduceSum { axes: more, keep_dims: true })
            | (Op::ReduceMin { axes, keep_dims: true }, Op::ReduceMin { axes: more, keep_dims: true })
            | (Op::ReduceMax { axes, keep_dims: true }, Op::ReduceMax { axes: more, keep_dims: true }) => {
                axes.extend(more);
                axes.sort_unstable();
                axes.dedup();
                true
            }
            _ => false,
        }
    }

    fn base(&mut self, operation: &BaseOperationIr) -> Option<()> {
        match operation {
            BaseOperationIr::Reshape(it) => self.reshape(&it.input, &it.out),
            BaseOperationIr::Cast(it) if it.out.dtype.is_float() => self.alias(&it.input, &it.out),
            BaseOperationIr::Slice(it) => self.slice(it),
            BaseOperationIr::Zeros(it) => self.make(&it.out, 0.0),
            BaseOperationIr::Ones(it) => self.make(&it.out, 1.0),
            _ => None,
        }
    }

    fn numeric(&mut self, operation: &NumericOperationIr) -> Option<()> {
        match operation {
            NumericOperationIr::Add(it) => self.sum(&it.lhs, &it.rhs, &it.out),
            NumericOperationIr::Sub(it) => self.difference(&it.lhs, &it.rhs, &it.out),
            NumericOperationIr::Mul(it) => self.scaled(&it.lhs, &it.rhs, &it.out),
            NumericOperationIr::Div(it) => {
                self.two_sided(Op::Div { scalar: None }, &it.lhs, &it.rhs, &it.out)
            }
            NumericOperationIr::Full(it) => self.make(&it.out, number(it.value)),
            NumericOperationIr::Pad(it) => self.pad(it),
            _ => None,
        }
    }

    fn reshape(&mut self, input: &TensorIr, output: &TensorIr) -> Option<()> {
        let (from, to) = (input.shape.to_vec(), output.shape.to_vec());
        if let Some(constant) = self.constant(input) {
            self.known.insert(output.id, Value::Constant(Constant { shape: to, ..constant }));
            return Some(());
        }
        if from == to {
            return self.alias(input, output);
        }
        if let Some((op, x)) = self.takes_group_norm(input, &to) {
            return self.push(op, vec![x], vec![], output);
        }
        let start_axis = to.len().saturating_sub(1);
        let flattens = start_axis > 0 && start_axis < from.len() && from[..start_axis] == to[..start_axis];
        let op = if flattens {
            Op::Flatten { start_axis }
        } else {
            // Zero keeps the batch size.
            let shape = to
                .iter()
                .enumerate()
                .map(|(axis, side)| if axis == 0 && *side == 1 { 0 } else { *side as i64 });
            Op::Reshape { shape: shape.collect() }
        };
        let node = self.node(input)?;
        self.push(op, vec![node], vec![], output)
    }

    fn slice(&mut self, slice: &SliceOpIr) -> Option<()> {
        self.alias(&slice.tensor, &slice.out)?;
        for (axis, range) in slice.ranges.iter().enumerate() {
            let side = slice.tensor.shape[axis];
            let start = usize::try_from(range.start).ok()?;
            let end = range.end.map_or(Some(side), |end| usize::try_from(end).ok())?;
            let step = usize::try_from(range.step).ok().filter(|step| *step > 0)?;
            if (start, end, step) != (0, side, 1) {
                let node = self.node(&slice.out)?;
                self.push(Op::Slice { axis, start, end, step }, vec![node], vec![], &slice.out)?;
            }
        }
        Some(())
    }

    fn pad(&mut self, pad: &PadOpIr) -> Option<()> {
        let [(0, 0), (0, 0), (top, bottom), (left, right)] = pad.padding[..] else { return None };
        let padding = [top, bottom, left, right];
        let node = self.node(&pad.input)?;
        let (mode, value) = match pad.mode {
            PadModeIr::Constant(value) if number(value) == f64::NEG_INFINITY => {
                self.known.insert(pad.out.id, Value::Bordered { node, padding });
                return Some(());
            }
            PadModeIr::Constant(value) => (PadMode::Constant, number(value)),
            PadModeIr::Reflect => (PadMode::Reflect, 0.0),
            PadModeIr::Edge => (PadMode::Edge, 0.0),
        };
        self.push(Op::Pad { padding, mode, value }, vec![node], vec![], &pad.out)
    }
}
