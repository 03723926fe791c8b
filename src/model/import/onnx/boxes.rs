//! Detectors that give boxes and classes as two tensors: `[batch, anchors, 4]` and `[batch, anchors, classes]`.
//!
//! Receives the graph; adds a node that puts both side by side, so that one tensor has all that a detector says. DETR ends so, SSD and
//! RetinaNet without their post-processing, and RT-DETR before the choice of its boxes.

use super::messages::{AttributeProto, GraphProto, NodeProto, ValueInfoProto};
use super::output::read_by_layers;
use super::suppression::{self, Apart};
use crate::error::{OptionName, Phrase};

/// Numbers of a box.
const BOX: i64 = 4;

/// Joins boxes and classes, if the outputs are these or chosen from these: gives the name of the tensor with both, and a note for the user.
pub(super) fn join(graph: &mut GraphProto) -> Option<(String, Phrase)> {
    let Some((boxes, classes)) = pair(graph) else {
        let Apart { boxes, scores, choice } = suppression::apart(graph)?;
        let note = format!(
            "the outputs are a choice of boxes ({choice}), through which there is no gradient: '{boxes}' and '{scores}', which have all of \
             them, are explained"
        );
        return Some((joined(graph, boxes, scores), note.into()));
    };
    let others: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let others: Vec<&str> = others.into_iter().filter(|other| *other != boxes && *other != classes).collect();
    let more = if others.is_empty() { String::new() } else { format!(", not {}", others.join(", ")) };
    let what =
        format!("the outputs '{boxes}' and '{classes}' are taken for a detector's boxes and classes{more} (");
    let note = Phrase::from(what).option(OptionName::OutputName).text(" chooses)");
    Some((joined(graph, boxes, classes), note))
}

/// Adds the node that puts boxes and classes side by side; gives the name of its result.
fn joined(graph: &mut GraphProto, boxes: String, classes: String) -> String {
    let mut name = format!("{boxes}+{classes}");
    while graph.node.iter().any(|node| node.output.contains(&name) || node.name == name) {
        name.push('_');
    }
    let axis = AttributeProto { name: "axis".into(), kind: 2, i: 2, ..AttributeProto::default() };
    graph.node.push(NodeProto {
        input: vec![boxes, classes],
        output: vec![name.clone()],
        name: name.clone(),
        op_type: "Concat".into(),
        attribute: vec![axis],
        ..NodeProto::default()
    });
    name
}

/// The names of the outputs with boxes and with classes, if there is one of each, for as many anchors.
fn pair(graph: &GraphProto) -> Option<(String, String)> {
    let listed: Vec<(&str, Sides)> = graph.output.iter().filter_map(sides).collect();
    let names: Vec<&str> = listed.iter().map(|(name, _)| *name).collect();
    // Features from which a layer computes scores are no scores.
    let features = read_by_layers(graph, &names);
    let is_box = |(name, sides): &&(&str, Sides)| sides.last == BOX && !features.contains(name);
    let mut boxes = listed.iter().filter(is_box);
    let (first, second) = (boxes.next()?, boxes.next());
    let (boxes, classes) = match second {
        None => {
            let fits = |(name, sides): &&(&str, Sides)| {
                sides.last != BOX && sides.anchors == first.1.anchors && !features.contains(name)
            };
            let mut classes = listed.iter().filter(fits);
            (first.0, classes.next().filter(|_| classes.next().is_none())?.0)
        }
        // Four classes: only the names say which is which.
        Some(second) => {
            let says =
                |name: &str| ["box", "loc", "reg"].iter().any(|word| name.to_lowercase().contains(word));
            match (says(first.0), says(second.0)) {
                (true, false) => (first.0, second.0),
                (false, true) => (second.0, first.0),
                _ => return None,
            }
        }
    };
    Some((boxes.to_owned(), classes.to_owned()))
}

/// `[batch, anchors, last]`.
struct Sides {
    anchors: i64,
    last: i64,
}

fn sides(output: &ValueInfoProto) -> Option<(&str, Sides)> {
    let shape = output.tensor()?.shape.as_ref()?;
    let [_, anchors, last] = &shape.dim[..] else { return None };
    let (anchors, last) = (anchors.dim_value?, last.dim_value?);
    (anchors > 1).then_some((output.name.as_str(), Sides { anchors, last }))
}
