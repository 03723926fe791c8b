//! Converts a recording to a graph with its tensors.
//!
//! Receives a [`Recording`]; gives a [`Graph`] and its weights, or the name of an operation that cards do not have.
//! Burn decomposes some layers (a linear layer into a product and a sum, SiLU into a product with a sigmoid);
//! [`passes`](burncam_graph::passes) combine them, so that the graph reads like the module. [`super::translate`] has
//! the one-to-one translations.

use burn::backend::ir::{
    BaseOperationIr, FloatOperationIr, NumericOperationIr, OperationIr, PadModeIr, PadOpIr, SliceOpIr,
};

use super::context::{Context, Value};
use super::record::Recording;
use super::translate::{Step, number, translate};
use crate::card::{Graph, Op, PadMode};
use crate::error::Problem;
use crate::model::StoredTensor;
use burncam_graph::builder::ValueId;

/// The graph, and its weights in order of use.
pub(super) fn lower(
    recording: Recording,
    [channels, height, width]: [usize; 3],
) -> Result<(Graph, Vec<StoredTensor>), Problem> {
    let (operations, masked) = (recording.operations, recording.masked);
    let input = (recording.input, [channels, height, width]);
    let mut context = Context::new(recording.values, recording.paths, &operations, input)?;
    for (at, operation) in operations.iter().enumerate() {
        context.begin(at);
        let formula = operation.outputs().find_map(|output| Some((masked.get(&output.id)?, output)));
        let done = match formula {
            Some((formula, output)) => context.formula(formula, output),
            None => context.operation(operation),
        };
        done.ok_or_else(|| context.refusal(operation))?;
    }
    match context.known.get(&recording.output).cloned() {
        Some(Value::Tensor(output)) if output.id != ValueId::INPUT => context.finish(&output),
        _ => Err("its forward pass gives a tensor that does not come from its input".into()),
    }
}

impl Context {
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
        // Burn pads unevenly by a pad of minus infinity before the pool; in the pool itself it changes no maximum.
        if let (Op::MaxPool2d { kernel, stride, padding: [0, 0, 0, 0], dilation, ceil_mode }, [x]) =
            (&op, &inputs[..])
            && let Some(Value::Bordered { tensor, padding }) = self.known.get(&x.id).cloned()
        {
            let (kernel, stride, dilation, ceil_mode) = (*kernel, *stride, *dilation, *ceil_mode);
            let op = Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode };
            return self.push(op, &[&tensor], vec![], output);
        }
        let inputs = inputs.iter().map(|tensor| self.tensor(tensor)).collect::<Option<Vec<_>>>()?;
        let params = params
            .into_iter()
            .map(|(role, tensor)| Some((role, self.constant(tensor)?.for_role(role))))
            .collect::<Option<_>>()?;
        self.push(op, &inputs.iter().collect::<Vec<_>>(), params, output)
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
            NumericOperationIr::Full(it) => self.make(&it.out, number(it.value)),
            NumericOperationIr::Pad(it) => self.pad(it),
            other => self.arithmetic(other),
        }
    }

    fn slice(&mut self, slice: &SliceOpIr) -> Option<()> {
        self.alias(&slice.tensor, &slice.out)?;
        for (axis, range) in slice.ranges.iter().enumerate() {
            let side = slice.tensor.shape[axis];
            let start = usize::try_from(range.start).ok()?;
            let end = range.end.map_or(Some(side), |end| usize::try_from(end).ok())?;
            let step = usize::try_from(range.step).ok().filter(|step| *step > 0)?;
            if (start, end, step) != (0, side, 1) {
                let tensor = self.tensor(&slice.out)?;
                self.push(Op::Slice { axis, start, end, step }, &[&tensor], vec![], &slice.out)?;
            }
        }
        Some(())
    }

    fn pad(&mut self, pad: &PadOpIr) -> Option<()> {
        // A pad of batch or channels would change what a layer is.
        let [(0, 0), (0, 0), (top, bottom), (left, right)] = pad.padding[..] else { return None };
        let padding = [top, bottom, left, right];
        let tensor = self.tensor(&pad.input)?;
        let (mode, value) = match pad.mode {
            PadModeIr::Constant(value) if number(value) == f64::NEG_INFINITY => {
                self.known.insert(pad.out.id, Value::Bordered { tensor, padding });
                return Some(());
            }
            PadModeIr::Constant(value) => (PadMode::Constant, number(value)),
            PadModeIr::Reflect => (PadMode::Reflect, 0.0),
            PadModeIr::Edge => (PadMode::Edge, 0.0),
        };
        self.push(Op::Pad { padding, mode, value }, &[&tensor], vec![], &pad.out)
    }
}
