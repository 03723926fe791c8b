//! A forward pass as a list of Burn's operations.
//!
//! Receives a module in evaluation mode, an input and the function that runs it; gives a [`Recording`]. Nothing is
//! computed: on Burn's capture device, tensors have shapes and names but no values. [`super::lower`] interprets the
//! operations.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::backend::TensorData;
use burn::backend::capture::{CaptureBackend, TensorId};
use burn::backend::ir::OperationIr;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use super::masked::{self, Masked};
use crate::error::Problem;

/// A recorded forward pass.
pub(super) struct Recording {
    /// The operations that the output depends on, in order; of a formula with masks only the selection that ends it.
    pub(super) operations: Vec<OperationIr>,
    /// The formulas with masks, by their outputs.
    pub(super) masked: HashMap<TensorId, Masked>,
    /// The picture.
    pub(super) input: TensorId,
    /// The class scores.
    pub(super) output: TensorId,
    /// Values that existed before: parameters, and constants created in the forward pass.
    pub(super) values: BTreeMap<TensorId, TensorData>,
    /// Paths of the parameters in the module, for example `blocks.0.conv.weight`.
    pub(super) paths: HashMap<TensorId, String>,
}

/// Runs `forward` on the capture device.
pub(super) fn record<M, F>(module: &M, sample: Tensor<4>, forward: F) -> Result<Recording, Problem>
where
    M: Module,
    F: Fn(&M, Tensor<4>) -> Tensor<2>,
{
    let device = Device::capture();
    let mut ends = None;
    let mut visitor = Paths::default();
    let captured = device.capture_scope(|scope| {
        // A copy: the module stays on its device.
        let module = module.clone().to_device(&device);
        module.visit(&mut visitor);
        let sample = sample.to_device(&device);
        let input = id(&sample);
        let output = id(&forward(&module, sample));
        ends = input.zip(output);
        scope.complete(input, output)
    });
    let captured = captured.map_err(|error| format!("its forward pass cannot be recorded: {error}"))?;
    let (input, output) = ends.ok_or("its forward pass gives a tensor that does not come from its input")?;
    let masked = masked::find(&captured.graph.operations);
    Ok(Recording {
        operations: needed(captured.graph.operations, output, &masked),
        masked,
        input,
        output,
        values: captured.values,
        paths: visitor.paths,
    })
}

/// The operations that lead to `output`, without those within a formula that is known as a whole.
fn needed(
    operations: Vec<OperationIr>,
    output: TensorId,
    masked: &HashMap<TensorId, Masked>,
) -> Vec<OperationIr> {
    let mut wanted = HashSet::from([output]);
    let mut needed: Vec<OperationIr> = operations
        .into_iter()
        .rev()
        .filter(|operation| {
            let leads = operation.outputs().any(|tensor| wanted.contains(&tensor.id));
            let formula = operation.outputs().find_map(|tensor| masked.get(&tensor.id));
            match formula {
                _ if !leads => {}
                Some(formula) => wanted.extend([formula.input.id]),
                None => wanted.extend(operation.inputs().map(|tensor| tensor.id)),
            }
            // An `Init` makes a value known, which `values` has.
            leads && !matches!(operation, OperationIr::Init(_))
        })
        .collect();
    needed.reverse();
    needed
}

fn id<const D: usize>(tensor: &Tensor<D>) -> Option<TensorId> {
    tensor.clone().try_into_primitive::<CaptureBackend>().ok().map(|primitive| primitive.id())
}

/// Collects the paths of a module's parameters.
#[derive(Default)]
struct Paths {
    path: Vec<String>,
    paths: HashMap<TensorId, String>,
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(id) = id(&param.val()) {
            self.paths.insert(id, self.path.join("."));
        }
    }
}
