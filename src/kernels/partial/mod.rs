//! Pictures that differ from one in a few pixels: of early tensors only what the change reaches is computed.
//!
//! Receives what a [`Plan`](crate::Plan) is made of, a picture, and copies that differ from it in a rectangle. A change grows from tensor
//! to tensor, by the size of each window. Up to where it has reached most of a tensor, each kernel computes the region that it has
//! reached, in a memory where the rest is the picture's own; from there on, copies go through whole kernels in batches. Kernels and weights are
//! those of the plan and sums have its order, so that results are the same to the last bit. For that a change reaches whole tiles of
//! Winograd's, which round each of their pixels by all that they see.

mod original;
mod reach;

use crate::card::ValueId;
use crate::error::Result;
use crate::plan::node::Node;
use crate::plan::{Draft, Kernel, Operation, Plan, Shapes, choose};
use crate::precision::Arithmetic;
use crate::view::{Halo, Region, View};
pub use original::Original;
use reach::{Changed, reached};

/// The part of a tensor up to which computing it alone pays: weights are read for every copy, where whole tensors of several copies
/// share them.
const MOST: f64 = 0.6;

/// A plan for copies of a picture that differ from it in a rectangle of at most some size.
#[derive(Debug)]
pub struct PartialPlan {
    /// Its memory keeps every tensor of the first part to the end.
    plan: Plan,
    /// The nodes of the first part.
    front: Vec<Front>,
    /// The first kernel behind it.
    rest: usize,
    /// The tensor that changes.
    input: ValueId,
    /// Tensors of the first part that the second reads or a run returns.
    across: Vec<View>,
}

/// A node whose output is computed in part.
#[derive(Debug)]
struct Front {
    node: Node,
    output: View,
    /// `None` where the output is a view of its inputs.
    kernel: Option<usize>,
}

impl PartialPlan {
    /// As [`Plan::new`]. Copies differ from a picture in the first of the inputs, in a rectangle of about `extent`, height and width; it
    /// decides what is worth computing in part. `None` where nothing is.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn new(
        arithmetic: impl Into<Arithmetic>,
        operations: &[Operation<'_>],
        shapes: &Shapes,
        outside: [&[ValueId]; 2],
        extent: [usize; 2],
    ) -> Result<Option<Self>> {
        Self::up_to(MOST, &Draft::new(arithmetic.into(), operations, shapes, outside)?, extent)
    }

    /// As [`PartialPlan::new`], computing in part tensors of which the change reaches at most the share `most`.
    pub(crate) fn up_to(most: f64, draft: &Draft<'_>, extent: [usize; 2]) -> Result<Option<Self>> {
        let mut memory = draft.place();
        let [inputs, wanted] = &draft.outside;
        let Some(input) = inputs.first().copied() else { return Ok(None) };
        let kernels = |node: &Node| choose::kernels(draft.tokens, node, &memory, &draft.shapes);
        let kernels = draft.nodes.iter().map(kernels).collect::<Result<Vec<_>>>()?;
        let count = worth(most, draft, &kernels, (input, extent));
        if kernels[..count].iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let (nodes, later) = draft.nodes.split_at(count);
        let kept: Vec<ValueId> = inputs.iter().copied().chain(nodes.iter().map(|node| node.output)).collect();
        kept.iter().for_each(|slot| memory.touch(*slot, draft.nodes.len() + 1, Halo::default()));
        let plan = draft.plan(&mut memory)?;
        let view = |slot: ValueId| memory.view(slot, draft.shapes[&slot][0]);
        let mut rest = 0;
        let mut front = Vec::with_capacity(count);
        for (node, kernels) in nodes.iter().zip(&kernels) {
            let kernel = (!kernels.is_empty()).then_some(rest);
            front.push(Front { node: node.clone(), output: view(node.output), kernel });
            rest += kernels.len();
        }
        let read = |slot: &ValueId| {
            wanted.contains(slot) || later.iter().any(|node| node.reads().any(|id| id == *slot))
        };
        let across = kept.into_iter().filter(read).map(view).collect();
        Ok(Some(Self { plan, front, rest, input, across }))
    }
}

/// How many nodes, from the first on, are worth computing in part, for a change in the middle of the picture.
fn worth(
    most: f64,
    draft: &Draft<'_>,
    kernels: &[Vec<Kernel>],
    (input, extent): (ValueId, [usize; 2]),
) -> usize {
    let sides = |slot: ValueId| [draft.shapes[&slot][1], draft.shapes[&slot][2]];
    let middle = [0, 1].map(|axis| {
        let (side, extent) = (sides(input)[axis], extent[axis].clamp(1, sides(input)[axis]));
        (side - extent) / 2..(side - extent) / 2 + extent
    });
    let mut changed = Changed::from([(input, middle)]);
    let mut is_worth = |(node, kernels): &(&Node, &Vec<Kernel>)| {
        let sides = sides(node.output);
        let region = reached(node, &changed, sides);
        let region =
            region.map(|region| kernels.iter().fold(region, |region, kernel| kernel.reached(region)));
        let part = region.as_ref().map_or(0.0, |region| share(region, sides));
        changed.extend(region.map(|region| (node.output, region)));
        part <= most && kernels.len() <= 1 && kernels.iter().all(Kernel::has_windows)
    };
    draft.nodes.iter().zip(kernels).take_while(|pair| is_worth(pair)).count()
}

/// The part of a tensor's pixels that a region has.
fn share([rows, columns]: &Region, [height, width]: [usize; 2]) -> f64 {
    (rows.len() * columns.len()) as f64 / (height * width) as f64
}
