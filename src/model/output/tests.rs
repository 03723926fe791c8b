//! What graphs prove, what cards state, and the result of both.

use std::collections::BTreeMap;

use super::{Anchors, Boxes, FinalActivation, OutputForm, OutputSpec, OwnOutput, Resolved, resolve};
use crate::card::{Card, Graph, OutputKind, Task};
use crate::error::Problem;
use crate::shapes;

/// A network that computes `channels` logits `z` from its input, followed by `nodes`, the last of which is its
/// output.
fn card(channels: usize, nodes: &str, more: &str) -> Card {
    let last = serde_json::from_str::<serde_json::Value>(&format!("[{nodes}]")).unwrap();
    let last = last.as_array().unwrap().last().map_or("z", |node| node["name"].as_str().unwrap()).to_owned();
    let comma = if nodes.is_empty() { "" } else { "," };
    let color = if channels == 1 { "gray" } else { "rgb" };
    // A card's picture has one or three channels; more logits need a wider picture.
    let (planes, width) = if channels == 1 { (1, 1) } else { (3, channels.div_ceil(3)) };
    let text = format!(
        r#"{{ "schema_version": 1, "name": "head", {more} "graph": {{
            "input": {{ "name": "input", "channels": {planes}, "height": 1, "width": {width} }},
            "nodes": [{{ "name": "z", "op": "flatten", "inputs": ["input"] }}{comma} {nodes}],
            "output": "{last}" }},
            "preprocess": {{ "color": "{color}", "resize": {{ "policy": "stretch", "height": 1, "width": {width} }} }} }}"#
    );
    Card::from_json(&text).unwrap()
}

fn resolved(card: &Card) -> Result<Resolved, Problem> {
    let graph = card.graph.clone().unwrap();
    let shapes = shapes::infer(&graph, &BTreeMap::new())?;
    resolve(card, graph, shapes)
}

/// The names of what a node reads.
fn inputs_of(graph: &Graph, node: usize) -> Vec<&str> {
    graph.nodes[node].inputs.iter().map(|id| graph.name(*id).unwrap()).collect()
}

/// Activation and scores of a graph without a statement in the card.
fn proved(channels: usize, nodes: &str) -> (FinalActivation, String) {
    let Resolved { spec, graph, scores, .. } = resolved(&card(channels, nodes, "")).unwrap();
    assert!(spec.assumed.is_none(), "{nodes}: {spec:?}");
    (spec.activation, graph.nodes[scores].name.clone())
}

fn spec(channels: usize, nodes: &str, more: &str) -> Result<OutputSpec, Problem> {
    resolved(&card(channels, nodes, more)).map(|resolved| resolved.spec)
}

const SOFTMAX: &str = r#"{ "name": "p", "op": "softmax", "axis": 1, "inputs": ["z"] }"#;
const TWO: &str = r#"{ "name": "p", "op": "softmax", "axis": 1, "inputs": ["z"] },
    { "name": "half", "op": "mul", "scalar": 0.5, "inputs": ["z"] },
    { "name": "q", "op": "softmax", "axis": 1, "inputs": ["half"] }"#;
const SIGMOID: &str = r#"{ "name": "p", "op": "sigmoid", "inputs": ["z"] }"#;
const NEGATIVE: &str = r#"{ "name": "n", "op": "mul", "scalar": -1.0, "inputs": ["z"] }"#;

#[test]
fn logits_are_found_through_what_only_moves_or_guards() {
    for behind in [
        r#"{ "name": "o", "op": "reshape", "shape": [0, 3, 1, 1], "inputs": ["p"] }"#,
        r#"{ "name": "o", "op": "unsqueeze", "axes": [2, 3], "inputs": ["p"] }"#,
        r#"{ "name": "u", "op": "unsqueeze", "axes": [1], "inputs": ["p"] },
           { "name": "t", "op": "transpose", "perm": [0, 2, 1], "inputs": ["u"] },
           { "name": "o", "op": "squeeze", "axes": [2], "inputs": ["t"] }"#,
        r#"{ "name": "d", "op": "dropout", "inputs": ["p"] }, { "name": "o", "op": "identity", "inputs": ["d"] }"#,
        r#"{ "name": "o", "op": "clip", "min": 1e-7, "max": 0.9999999, "inputs": ["p"] }"#,
        r#"{ "name": "o", "op": "add", "scalar": 1e-8, "inputs": ["p"] }"#,
        r#"{ "name": "l", "op": "log", "inputs": ["p"] }, { "name": "o", "op": "exp", "inputs": ["l"] }"#,
    ] {
        let nodes = format!("{SOFTMAX}, {behind}");
        assert_eq!(proved(3, &nodes), (FinalActivation::Softmax, "z".into()), "{behind}");
    }
}

#[test]
fn means_of_probabilities_are_probabilities_without_logits() {
    for behind in [
        r#"{ "name": "s", "op": "add", "inputs": ["p", "q"] }, { "name": "o", "op": "div", "scalar": 2.0, "inputs": ["s"] }"#,
        r#"{ "name": "a", "op": "mul", "scalar": 0.3, "inputs": ["p"] }, { "name": "b", "op": "mul", "scalar": 0.7, "inputs": ["q"] },
           { "name": "o", "op": "add", "inputs": ["a", "b"] }"#,
        r#"{ "name": "a", "op": "unsqueeze", "axes": [1], "inputs": ["p"] }, { "name": "b", "op": "unsqueeze", "axes": [1], "inputs": ["q"] },
           { "name": "c", "op": "concat", "axis": 1, "inputs": ["a", "b"] },
           { "name": "o", "op": "reduce_mean", "axes": [1], "inputs": ["c"] }"#,
        r#"{ "name": "a", "op": "unsqueeze", "axes": [0], "inputs": ["p"] }, { "name": "b", "op": "unsqueeze", "axes": [0], "inputs": ["q"] },
           { "name": "c", "op": "concat", "axis": 0, "inputs": ["a", "b"] },
           { "name": "o", "op": "reduce_mean", "axes": [0], "inputs": ["c"] }"#,
        r#"{ "name": "a", "op": "mul", "scalar": 0.9, "inputs": ["p"] },
           { "name": "o", "op": "add", "scalar": 0.03333333333333333, "inputs": ["a"] }"#,
        r#"{ "name": "a", "op": "mul", "inputs": ["p", "q"] },
           { "name": "b", "op": "reduce_sum", "axes": [1], "keep_dims": true, "inputs": ["a"] },
           { "name": "o", "op": "div", "inputs": ["a", "b"] }"#,
    ] {
        let nodes = format!("{TWO}, {behind}");
        assert_eq!(proved(3, &nodes), (FinalActivation::Identity, "o".into()), "{behind}");
        assert_eq!(spec(3, &nodes, "").unwrap().task, Task::Classification);
    }
    let sigmoids = format!(
        r#"{SIGMOID}, {{ "name": "half", "op": "mul", "scalar": 0.5, "inputs": ["z"] }},
           {{ "name": "q", "op": "sigmoid", "inputs": ["half"] }}, {{ "name": "s", "op": "add", "inputs": ["p", "q"] }},
           {{ "name": "o", "op": "mul", "scalar": 0.5, "inputs": ["s"] }}"#
    );
    assert_eq!(proved(3, &sigmoids), (FinalActivation::Identity, "o".into()));
    assert_eq!(spec(3, &sigmoids, "").unwrap().task, Task::MultiLabel);
    assert_eq!(spec(1, &sigmoids, "").unwrap().task, Task::Binary);
}

#[test]
fn activations_that_are_spelled_out_are_recognised() {
    let exp = r#"{ "name": "e", "op": "exp", "inputs": ["z"] }"#;
    let sum = r#"{ "name": "s", "op": "reduce_sum", "axes": [1], "keep_dims": true, "inputs": ["e"] }"#;
    let less = r#"{ "name": "m", "op": "reduce_max", "axes": [1], "keep_dims": true, "inputs": ["z"] },
        { "name": "x", "op": "sub", "inputs": ["z", "m"] }, { "name": "e", "op": "exp", "inputs": ["x"] }"#;
    let log = r#"{ "name": "l", "op": "log", "inputs": ["s"] }"#;
    for nodes in [
        format!(r#"{exp}, {sum}, {{ "name": "o", "op": "div", "inputs": ["e", "s"] }}"#),
        format!(r#"{less}, {sum}, {{ "name": "o", "op": "div", "inputs": ["e", "s"] }}"#),
        format!(
            r#"{exp}, {sum}, {{ "name": "r", "op": "pow", "exponent": -1.0, "inputs": ["s"] }},
               {{ "name": "o", "op": "mul", "inputs": ["r", "e"] }}"#
        ),
        format!(r#"{exp}, {sum}, {log}, {{ "name": "o", "op": "sub", "inputs": ["z", "l"] }}"#),
        format!(r#"{less}, {sum}, {log}, {{ "name": "o", "op": "sub", "inputs": ["x", "l"] }}"#),
        format!(
            r#"{less}, {sum}, {log}, {{ "name": "t", "op": "add", "inputs": ["l", "m"] }},
               {{ "name": "o", "op": "sub", "inputs": ["z", "t"] }}"#
        ),
    ] {
        assert_eq!(proved(3, &nodes), (FinalActivation::Softmax, "z".into()), "{nodes}");
    }
    let denominator = r#"{ "name": "e", "op": "exp", "inputs": ["n"] }, { "name": "d", "op": "add", "scalar": 1.0, "inputs": ["e"] }"#;
    for nodes in [
        format!(
            r#"{NEGATIVE}, {denominator}, {{ "name": "o", "op": "pow", "exponent": -1.0, "inputs": ["d"] }}"#
        ),
        format!(
            r#"{exp}, {{ "name": "d", "op": "add", "scalar": 1.0, "inputs": ["e"] }},
               {{ "name": "o", "op": "div", "inputs": ["e", "d"] }}"#
        ),
        format!(
            r#"{NEGATIVE}, {{ "name": "s", "op": "softplus", "inputs": ["n"] }},
               {{ "name": "o", "op": "mul", "scalar": -1.0, "inputs": ["s"] }}"#
        ),
    ] {
        assert_eq!(proved(3, &nodes), (FinalActivation::Sigmoid, "z".into()), "{nodes}");
    }
}

#[test]
fn one_probability_and_the_rest_of_it_are_two_sides_of_a_logit() {
    let rest = r#"{ "name": "m", "op": "mul", "scalar": -1.0, "inputs": ["p"] }, { "name": "r", "op": "add", "scalar": 1.0, "inputs": ["m"] }"#;
    let sides = |order: &str| {
        let nodes = format!(
            r#"{SIGMOID}, {rest}, {{ "name": "o", "op": "concat", "axis": 1, "inputs": [{order}] }}"#
        );
        resolved(&card(1, &nodes, "")).unwrap()
    };
    for (order, inputs) in
        [(r#""r", "p""#, ["z.negative", "z.yes"]), (r#""p", "r""#, ["z.yes", "z.negative"])]
    {
        let Resolved { spec, graph, shapes, scores, raw_scores, outputs, .. } = sides(order);
        assert_eq!((spec.activation, spec.task), (FinalActivation::Sigmoid, Task::Classification), "{order}");
        assert_eq!((graph.nodes[raw_scores].name.as_str(), outputs), ("z", 2));
        assert_eq!((inputs_of(&graph, scores), shapes[scores].clone()), (inputs.to_vec(), vec![1, 2]));
    }
}

#[test]
fn one_output_is_never_a_softmax() {
    for nodes in ["", r#"{ "name": "o", "op": "squeeze", "axes": [1], "inputs": ["z"] }"#] {
        let found = spec(1, nodes, "").unwrap();
        assert_eq!((found.task, found.activation), (Task::Binary, FinalActivation::Sigmoid));
        assert!(found.assumed.unwrap().to_string().contains("ImportRequest::output = none"));
        let number = spec(1, nodes, r#""output": "none","#).unwrap();
        assert_eq!(
            (number.task, number.activation, number.assumed),
            (Task::Numbers, FinalActivation::None, None)
        );
    }
    let proved = spec(1, SIGMOID, "").unwrap();
    assert_eq!((proved.task, proved.assumed), (Task::Binary, None));
    assert!(
        spec(1, "", r#""output": "softmax","#).unwrap_err().to_string().contains("one output is no choice")
    );
    assert!(
        spec(1, "", r#""task": "classification","#).unwrap_err().to_string().contains("two outputs or more")
    );
    // A value that cannot be negative, or has other bounds, is not a logit.
    for op in [r#""op": "relu""#, r#""op": "tanh""#, r#""op": "clip", "min": 0, "max": 1"#] {
        let bounded = spec(1, &format!(r#"{{ "name": "o", {op}, "inputs": ["z"] }}"#), "").unwrap();
        assert_eq!((bounded.task, bounded.assumed.is_some()), (Task::Numbers, true), "{op}");
    }
}

#[test]
fn several_in_percent_are_no_logits() {
    let hundred = r#"{ "name": "o", "op": "mul", "scalar": 100.0, "inputs": ["p"] }"#;
    for first in [SOFTMAX, SIGMOID] {
        assert_eq!(spec(3, &format!("{first}, {hundred}"), "").unwrap().task, Task::Numbers, "{first}");
    }
}

#[test]
fn what_is_said_of_logits_makes_their_probabilities() {
    let said =
        |more: &str| spec(3, "", more).map(|spec| (spec.task, spec.activation, spec.assumed.is_some()));
    let (classes, labels) = (Task::Classification, Task::MultiLabel);
    assert_eq!(said(""), Ok((classes, FinalActivation::Softmax, true)));
    assert_eq!(said(r#""output": "logits","#), Ok((classes, FinalActivation::Softmax, false)));
    assert_eq!(said(r#""output": "softmax","#), Ok((classes, FinalActivation::Softmax, false)));
    assert_eq!(said(r#""output": "sigmoid","#), Ok((labels, FinalActivation::Sigmoid, false)));
    assert_eq!(said(r#""task": "multi-label","#), Ok((labels, FinalActivation::Sigmoid, false)));
    assert_eq!(
        said(r#""task": "classification", "output": "sigmoid","#),
        Ok((classes, FinalActivation::Sigmoid, false))
    );
    assert_eq!(said(r#""output": "probabilities","#), Ok((classes, FinalActivation::Identity, false)));
    assert_eq!(said(r#""task": "numbers","#), Ok((Task::Numbers, FinalActivation::None, false)));
    for contradiction in [
        r#""task": "numbers", "output": "softmax","#,
        r#""task": "multi-label", "output": "softmax","#,
        r#""task": "binary", "output": "none","#,
        r#""task": "binary","#,
    ] {
        assert!(said(contradiction).is_err(), "{contradiction}");
    }
}

#[test]
fn the_most_probable_class_is_the_first_of_the_greatest_scores_and_no_box() {
    let list = OutputForm::List;
    assert_eq!((list.most_probable(&[1.0, 3.0, 3.0]), list.most_probable(&[])), (Some(1), None));
    let own = OwnOutput { rows: 3, first: 1, turned: false };
    let (boxes, background) = (Boxes::Unknown, None);
    let form = Anchors { anchors: 2, classes: 2, boxes, has_objectness: true, background, own };
    let anchors = OutputForm::Anchors(form);
    assert_eq!(anchors.most_probable(&[640.0, 640.0, -1.0, -2.0, -1.0, -3.0]), Some(2));
    assert_eq!([2, 3, 4, 5].map(|at| anchors.class_of(at)), [0, 0, 1, 1]);
    assert_eq!(OutputForm::Pixels { height: 2, width: 3 }.class_of(7), 1);
}

#[test]
fn nothing_is_applied_to_probabilities_twice() {
    for said in ["softmax", "probabilities"] {
        let found = spec(3, SOFTMAX, &format!(r#""output": "{said}","#)).unwrap();
        assert_eq!(
            (found.gives, found.activation),
            (OutputKind::Softmax, FinalActivation::Softmax),
            "{said}"
        );
    }
    for said in ["sigmoid", "logits", "log-softmax"] {
        let error = spec(3, SOFTMAX, &format!(r#""output": "{said}","#)).unwrap_err();
        assert!(error.to_string().contains("proves that it is probabilities"), "{error}");
    }
    let labels = resolved(&card(3, SOFTMAX, r#""task": "multi-label","#)).unwrap();
    assert_eq!((labels.spec.task, labels.warnings.len()), (Task::MultiLabel, 1));
    let numbers = spec(3, SOFTMAX, r#""output": "none","#).unwrap();
    assert_eq!((numbers.gives, numbers.activation), (OutputKind::Numbers, FinalActivation::None));
}

#[test]
fn two_names_for_one_output_are_its_two_sides() {
    let names = r#""classes": ["no", "yes"],"#;
    let Resolved { spec, graph, scores, .. } = resolved(&card(1, SIGMOID, names)).unwrap();
    assert_eq!((spec.task, spec.activation), (Task::Binary, FinalActivation::Sigmoid));
    assert_eq!(inputs_of(&graph, scores), ["z.negative", "z.yes"]);
    let clipped = r#"{ "name": "p", "op": "sigmoid", "inputs": ["z"] },
        { "name": "o", "op": "clip", "min": 0.01, "max": 1, "inputs": ["p"] }"#;
    let Resolved { graph, scores, .. } = resolved(&card(1, clipped, names)).unwrap();
    assert_eq!(inputs_of(&graph, scores), ["o.no", "o.yes"]);
    let said = format!(r#"{names} "output": "probabilities","#);
    let Resolved { graph, scores, .. } = resolved(&card(1, "", &said)).unwrap();
    assert_eq!(inputs_of(&graph, scores), ["z.no", "z.yes"]);
    let error = resolved(&card(3, "", names)).unwrap_err().to_string();
    assert!(error.contains("names 2 classes, expected 3"), "{error}");
    let error = resolved(&card(1, "", &format!(r#"{names} "output": "none","#))).unwrap_err().to_string();
    assert!(error.contains("names 2 classes, expected 1"), "{error}");
}

#[test]
fn parts_and_strangers_prove_nothing_of_all() {
    // Some of the probabilities do not sum to one.
    let part = format!(
        r#"{SOFTMAX}, {{ "name": "o", "op": "slice", "axis": 1, "start": 0, "end": 2, "inputs": ["p"] }}"#
    );
    assert_eq!(proved(3, &part), (FinalActivation::Identity, "o".into()));
    assert_eq!(spec(3, &part, "").unwrap().task, Task::MultiLabel);
    // A clip that changes probabilities has no logits whose softmax they are.
    let clip =
        format!(r#"{SOFTMAX}, {{ "name": "o", "op": "clip", "min": 0.1, "max": 0.9, "inputs": ["p"] }}"#);
    assert_eq!(proved(3, &clip), (FinalActivation::Identity, "o".into()));
    // A softmax of a softmax is kept as the network's own output.
    let again = format!(r#"{SOFTMAX}, {{ "name": "o", "op": "softmax", "axis": 1, "inputs": ["p"] }}"#);
    assert_eq!(proved(3, &again), (FinalActivation::Softmax, "p".into()));
    let sum = format!(r#"{TWO}, {{ "name": "o", "op": "add", "inputs": ["p", "q"] }}"#);
    assert!(spec(3, &sum, "").unwrap().assumed.is_some());
}
