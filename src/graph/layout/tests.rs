//! Grids of small graphs: windows, class tokens, channels last, and what only looks like a feature map.

use super::axis::{Axis, Of, Part, reshaped};
use super::{Form, Grid, feature_map, grids};
use crate::card::Card;
use crate::shapes;

/// The grids of a graph on a picture of `[3, 8, 12]`; nodes are JSON without names, `n0` and so on, each on the one before
/// unless it says otherwise.
fn of(nodes: &[&str]) -> Vec<Option<Grid>> {
    let node = |(at, text): (usize, &&str)| {
        let before = if at == 0 { "input".to_owned() } else { format!("n{}", at - 1) };
        let mut value: serde_json::Value = serde_json::from_str(&format!("{{ {text} }}")).unwrap();
        let fields = value.as_object_mut().unwrap();
        fields.insert("name".into(), format!("n{at}").into());
        fields.entry("inputs").or_insert_with(|| vec![before].into());
        value
    };
    let nodes: Vec<serde_json::Value> = nodes.iter().enumerate().map(node).collect();
    let card = serde_json::json!({
        "schema_version": 1, "name": "layout",
        "graph": {
            "input": { "name": "input", "channels": 3, "height": 8, "width": 12 },
            "output": format!("n{}", nodes.len() - 1), "nodes": nodes,
        },
        "preprocess": { "resize": { "policy": "stretch", "height": 8, "width": 12 } },
    });
    let graph = Card::from_json(&card.to_string()).unwrap().graph.unwrap();
    let weights = [("w", vec![5, 3, 2, 2]), ("square", vec![5, 5])];
    let weights = weights.map(|(name, shape)| (name.to_owned(), shape)).into();
    let shapes = shapes::infer(&graph, &weights).unwrap();
    grids(&graph, &shapes)
}

const PATCHES: &str = r#""op": "conv2d", "stride": [2, 2], "params": { "weight": "w" }"#;
const LIST: &str = r#""op": "reshape", "shape": [0, 5, 24]"#;
const LAST: &str = r#""op": "transpose", "perm": [0, 2, 1]"#;

fn tokens(prefix: usize) -> Option<Grid> {
    Some(Grid { form: Form::Tokens { prefix }, channels: 5, height: 4, width: 6, is_certain: true })
}

#[test]
fn a_channel_shuffle_keeps_the_picture() {
    let map = feature_map([8, 5, 6]);
    let open = reshaped(&map, &[1, 2, 4, 5, 6]);
    assert_eq!(
        open.iter().map(Axis::of).collect::<Vec<_>>()[1..],
        [Of::Channels, Of::Channels, Of::Rows, Of::Columns]
    );
    assert_eq!(reshaped(&open, &[1, 8, 5, 6])[2..], map[2..]);
}

#[test]
fn patches_become_tokens_with_a_grid() {
    let found = of(&[PATCHES, LIST, LAST]);
    assert_eq!(found[0], Some(Grid::channels_first([5, 4, 6])));
    assert_eq!(found[1..], [None, tokens(0)]);
}

#[test]
fn tokens_before_the_patches_are_a_prefix_until_they_are_cut_off() {
    let class = r#""op": "reduce_mean", "axes": [1], "keep_dims": true"#;
    let join = r#""op": "concat", "axis": 1, "inputs": ["n3", "n2"]"#;
    let add = r#""op": "add", "inputs": ["n4", "n4"]"#;
    let mix = r#""op": "linear", "params": { "weight": "square" }"#;
    let cut = r#""op": "slice", "axis": 1, "start": 1, "end": 25"#;
    let one = r#""op": "slice", "axis": 1, "start": 0, "end": 1, "inputs": ["n6"]"#;
    let found = of(&[PATCHES, LIST, LAST, class, join, add, mix, cut, one]);
    assert_eq!(found[3..], [None, tokens(1), tokens(1), tokens(1), tokens(0), None]);
}

#[test]
fn registers_between_the_class_token_and_the_patches_are_prefix_too() {
    let class = r#""op": "reduce_mean", "axes": [1], "keep_dims": true"#;
    let join = r#""op": "concat", "axis": 1, "inputs": ["n3", "n2"]"#;
    let first = r#""op": "slice", "axis": 1, "start": 0, "end": 1"#;
    let rest = r#""op": "slice", "axis": 1, "start": 1, "end": 25, "inputs": ["n4"]"#;
    let again = r#""op": "concat", "axis": 1, "inputs": ["n5", "n3", "n3", "n6"]"#;
    let found = of(&[PATCHES, LIST, LAST, class, join, first, rest, again]);
    assert_eq!(found[7], tokens(3));
}

#[test]
fn attention_over_tokens_keeps_them_and_its_matrix_is_no_map() {
    let join = |inputs: &str| format!(r#""op": "matmul", "inputs": [{inputs}]"#);
    let turned = r#""op": "transpose", "perm": [0, 2, 1]"#;
    let scores = join(r#""n2", "n3""#);
    let sums = join(r#""n5", "n2""#);
    let found = of(&[PATCHES, LIST, LAST, turned, &scores, r#""op": "softmax", "axis": 2"#, &sums]);
    assert_eq!(found[4..], [None, None, tokens(0)]);
}

#[test]
fn windows_that_are_put_together_again_are_the_picture() {
    let last = r#""op": "transpose", "perm": [0, 2, 3, 1]"#;
    let open = r#""op": "reshape", "shape": [0, 2, 2, 3, 2, 5]"#;
    let windows = r#""op": "transpose", "perm": [0, 1, 3, 2, 4, 5]"#;
    let list = r#""op": "reshape", "shape": [0, 6, 4, 5]"#;
    let closed = r#""op": "reshape", "shape": [0, 2, 3, 2, 2, 5]"#;
    let back = r#""op": "reshape", "shape": [0, 4, 6, 5]"#;
    let found = of(&[PATCHES, last, open, windows, list, closed, windows, back]);
    let whole = Some(Grid { form: Form::ChannelsLast, channels: 5, height: 4, width: 6, is_certain: true });
    assert_eq!((found[1], found[7]), (whole, whole));
    assert!(found[2..7].iter().all(|grid| grid.is_none_or(|grid| !grid.is_certain)), "{found:?}");
    // Put together in the wrong order it is a mosaic.
    let wrong = r#""op": "reshape", "shape": [0, 4, 6, 5], "inputs": ["n4"]"#;
    assert!(of(&[PATCHES, last, open, windows, list, wrong])[5].is_none_or(|grid| !grid.is_certain));
}

#[test]
fn a_rolled_and_a_merged_picture_are_pictures() {
    let last = r#""op": "transpose", "perm": [0, 2, 3, 1]"#;
    let [below, above] = [[1, 4], [0, 1]].map(|[start, end]| {
        format!(r#""op": "slice", "axis": 1, "start": {start}, "end": {end}, "inputs": ["n1"]"#)
    });
    let rolled = r#""op": "concat", "axis": 1, "inputs": ["n2", "n3"]"#;
    let found = of(&[PATCHES, last, &below, &above, rolled]);
    assert_eq!(found[4], found[1]);
    let even = r#""op": "slice", "axis": 1, "start": 0, "end": 4, "step": 2, "inputs": ["n1"]"#;
    let merged = of(&[PATCHES, last, even])[2].unwrap();
    assert_eq!((merged.height, merged.width, merged.form), (2, 6, Form::ChannelsLast));
}

#[test]
fn a_list_of_places_reshaped_to_other_axes_is_no_certain_map() {
    let list = reshaped(&feature_map([8, 5, 6]), &[1, 8, 30]);
    assert_eq!(list[2].positions(), Some((0, [5, 6])));
    let other = reshaped(&list, &[1, 8, 6, 5]);
    assert!(other[2..].iter().all(|axis| axis.of() == Of::Other), "{other:?}");
    let back = reshaped(&list, &[1, 8, 5, 6]);
    assert_eq!(back[2].parts, [Part { of: Of::Rows, size: 5, step: 1 }]);
}

#[test]
fn samples_of_a_signal_are_tokens_of_one_row() {
    let row = r#""op": "slice", "axis": 2, "start": 0, "end": 1"#;
    let filters = r#""op": "conv2d", "stride": [1, 2], "padding": [0, 1, 0, 0], "params": { "weight": "w" }"#;
    let one_row = [row, filters, r#""op": "squeeze", "axes": [2]"#, LAST];
    let found = of(&one_row)[3];
    assert_eq!(found, Some(Grid { height: 1, ..tokens(0).unwrap() }));
}

#[test]
fn columns_taken_one_by_one_and_joined_are_columns_again() {
    let column = |at: usize| {
        format!(r#""op": "slice", "inputs": ["n0"], "axis": 3, "start": {at}, "end": {}"#, at + 1)
    };
    let columns: Vec<String> = (0..6).map(column).collect();
    let names: Vec<String> = (1..=6).map(|at| format!("\"n{at}\"")).collect();
    let join = format!(r#""op": "concat", "inputs": [{}], "axis": 3"#, names.join(", "));
    let mut nodes = vec![PATCHES];
    nodes.extend(columns.iter().map(String::as_str));
    nodes.extend([&*join, LIST, LAST]);
    assert_eq!(of(&nodes)[9], tokens(0));
}
