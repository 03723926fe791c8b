//! Finds feature maps, `[batch, channels, height, width]`, among tensors with four axes.
//!
//! Follows the picture's axes through the graph. Networks transpose them (a layer norm over channels wants them last)
//! or reshape them (attention makes a list of positions); such a tensor may have four axes without being a feature
//! map.

use crate::card::{Graph, Node, Op, Values};

/// The meaning of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Batch,
    /// Channels, or groups of them.
    Channels,
    Height,
    Width,
    /// Several axes combined, or unknown.
    Other,
}

const MAP: [Axis; 4] = [Axis::Batch, Axis::Channels, Axis::Height, Axis::Width];

/// Whether a tensor is a feature map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// Yes: its last two axes are the rows and columns of the picture.
    Certain,
    /// Reshaped; treated as a feature map only if the user selects it explicitly.
    Possible,
    /// No.
    No,
}

/// For each node, whether its output is a feature map. `shapes` are those of the nodes, for a batch of one.
pub fn feature_maps(graph: &Graph, shapes: &[Vec<usize>]) -> Vec<Map> {
    let input = &graph.input;
    let picture = [1, input.channels, input.height, input.width];
    let mut known: Values<(Vec<Axis>, &[usize])> = Values::new((MAP.to_vec(), &picture));
    for (node, shape) in graph.nodes.iter().zip(shapes) {
        let inputs: Vec<_> = node.inputs.iter().map(|id| &known[*id]).collect();
        let axes = after(node, &inputs, shape);
        known.push((axes, shape));
    }
    known.of_nodes().iter().map(|(axes, _)| judge(axes)).collect()
}

fn judge(axes: &[Axis]) -> Map {
    let may_be = |(axis, wanted): (&Axis, &Axis)| axis == wanted || *axis == Axis::Other;
    if axes == MAP {
        Map::Certain
    } else if axes.len() == MAP.len() && axes.iter().zip(&MAP).all(may_be) {
        Map::Possible
    } else {
        Map::No
    }
}

fn after(node: &Node, inputs: &[&(Vec<Axis>, &[usize])], shape: &[usize]) -> Vec<Axis> {
    let Some((x, from)) = inputs.first().map(|(axes, shape)| (axes.as_slice(), *shape)) else {
        return vec![Axis::Other; shape.len()];
    };
    match &node.op {
        Op::Transpose { perm } => {
            perm.iter().map(|axis| x.get(*axis).copied().unwrap_or(Axis::Other)).collect()
        }
        Op::Reshape { .. } | Op::Flatten { .. } | Op::Squeeze { .. } | Op::Unsqueeze { .. } => {
            relabelled(x, from, shape)
        }
        // Convolutions and pools slide over the last two axes, so those are height and width by definition.
        Op::Conv2d { .. } | Op::MaxPool2d { .. } | Op::AvgPool2d { .. }
            if shape.iter().skip(2).all(|side| *side > 1) =>
        {
            MAP.to_vec()
        }
        _ => {
            // Of tensors that broadcast the one with all axes says what they mean.
            let widest = inputs.iter().map(|(axes, _)| axes).find(|axes| axes.len() == shape.len());
            widest.cloned().unwrap_or_else(|| vec![Axis::Other; shape.len()])
        }
    }
}

/// Axes that keep their size from the front or from the back keep their meaning. Between them channels may be split
/// or merged; any other axis loses its meaning.
fn relabelled(x: &[Axis], from: &[usize], to: &[usize]) -> Vec<Axis> {
    let shortest = from.len().min(to.len());
    // Sizes and not names are compared, so that an axis of the same size in the same place is taken for the same.
    let front = from.iter().zip(to).take_while(|(a, b)| a == b).count().min(shortest);
    let back =
        from.iter().rev().zip(to.iter().rev()).take_while(|(a, b)| a == b).count().min(shortest - front);
    let middle = &x[front..x.len() - back];
    let label = if !middle.is_empty() && middle.iter().all(|axis| *axis == Axis::Channels) {
        Axis::Channels
    } else {
        Axis::Other
    };
    let between = std::iter::repeat_n(label, to.len() - front - back);
    x[..front].iter().copied().chain(between).chain(x[x.len() - back..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::Axis::{Batch, Channels, Height, Other, Width};
    use super::*;

    #[test]
    fn a_channel_shuffle_keeps_the_picture() {
        let open = relabelled(&MAP, &[1, 8, 5, 6], &[1, 2, 4, 5, 6]);
        assert_eq!(open, [Batch, Channels, Channels, Height, Width]);
        assert_eq!(relabelled(&open, &[1, 4, 2, 5, 6], &[1, 8, 5, 6]), MAP);
    }

    #[test]
    fn a_list_of_places_is_no_picture() {
        let list = relabelled(&MAP, &[1, 8, 5, 6], &[1, 8, 30]);
        assert_eq!(list, [Batch, Channels, Other]);
        assert_eq!(relabelled(&list, &[1, 8, 30], &[1, 8, 5, 6]), [Batch, Channels, Other, Other]);
    }
}
