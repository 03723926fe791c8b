//! Settings and weights that an operation refuses, each with its sentence.

use burncam::Model;
use burncam_graph::card::Card;
use burncam_model::StoredTensor;

use crate::support::tensor;

/// What is said of an operation that reads `x`, `[1, 2, 2, 3]`, with these tensors.
fn problem(fields: &str, tensors: Vec<StoredTensor>) -> String {
    let text = format!(
        r#"{{ "schema_version": 1, "name": "made", "graph": {{
            "input": {{ "name": "input", "channels": 1, "height": 4, "width": 3 }},
            "nodes": [
                {{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, 2, 2, 3] }},
                {{ "name": "y", "inputs": ["x"], {fields} }},
                {{ "name": "flat", "op": "flatten", "inputs": ["y"] }}],
            "output": "flat" }},
            "preprocess": {{ "resize": {{ "policy": "none" }}, "color": "gray" }} }}"#
    );
    let card = match Card::from_json(&text) {
        Ok(card) => card,
        Err(problem) => return problem.to_string(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.bpk");
    Model::save(&path, &card, tensors, false).unwrap();
    Model::open(&path, None).unwrap_err().to_string()
}

#[test]
fn a_norm_says_what_its_weights_should_be() {
    let layer = r#""op": "layer_norm", "params": { "gamma": "g" }"#;
    let text = problem(layer, vec![tensor("g", &[2], &[1.0; 2])]);
    assert_eq!(
        text,
        "model 'made.bpk': node 'y' (layer_norm): its gamma has shape [2], expected the last axes of its input [1, 2, 2, 3]"
    );
    let everything = problem(layer, vec![tensor("g", &[1, 2, 2, 3], &[1.0; 12])]);
    assert!(everything.contains("expected the last axes"), "{everything}");
    let both = r#""op": "layer_norm", "params": { "gamma": "g", "beta": "b" }"#;
    let text = problem(both, vec![tensor("g", &[3], &[1.0; 3]), tensor("b", &[2], &[1.0; 2])]);
    assert!(text.ends_with("its beta 'b' has shape [2], expected [3]"), "{text}");
    let text = problem(r#""op": "layer_norm""#, vec![]);
    assert!(text.ends_with("'layer_norm' needs the parameter 'gamma'"), "{text}");

    let text = problem(r#""op": "group_norm", "groups": 3"#, vec![]);
    assert!(text.ends_with("node 'y' (group_norm): its 2 channels do not divide into 3 groups"), "{text}");
    let group = r#""op": "group_norm", "groups": 1, "params": { "gamma": "g" }"#;
    let text = problem(group, vec![tensor("g", &[3], &[1.0; 3])]);
    assert!(text.ends_with("its gamma 'g' has shape [3], expected [2]"), "{text}");
}

#[test]
fn a_setting_out_of_range_is_named() {
    for (fields, expected) in [
        (r#""op": "group_norm", "groups": 0"#, "'groups' is 0, expected a positive number"),
        (
            r#""op": "local_response_norm", "size": 0, "alpha": 1, "beta": 1, "k": 1"#,
            "'size' is [0], expected 1 to 4096 each",
        ),
        (
            r#""op": "local_response_norm", "size": 1, "alpha": 1, "beta": 1e30, "k": 1"#,
            "'beta' is 1000000000000000000000000000000, expected -1000000000 to 1000000000",
        ),
        (
            r#""op": "pow", "exponent": -1e10"#,
            "'exponent' is -10000000000, expected -1000000000 to 1000000000",
        ),
        (
            r#""op": "resize", "output_size": [0, 4], "mode": "bilinear""#,
            "'output_size' is [0, 4], expected 1 to 4096 each",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "nearest", "align_corners": true"#,
            "'align_corners' goes with 'bilinear' and 'bicubic', got mode 'nearest'",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "bilinear", "align_corners": true, "mapping": { "coordinates": "asymmetric", "scale": [2, 2] }"#,
            "has both 'align_corners' and 'mapping', expected one of them",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "nearest", "mapping": { "coordinates": "asymmetric", "scale": [0, 2] }"#,
            "'mapping.scale' is [0.0, 2.0], expected positive numbers",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "nearest", "mapping": { "coordinates": "asymmetric", "scale": [1e-4, 1.5] }"#,
            "its 'mapping.scale' [0.0001, 1.5] does not make [4, 4] of 2x3",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "nearest", "mapping": { "coordinates": "asymmetric", "scale": [2, 1.5], "antialias": true }"#,
            "'mapping.antialias' goes with 'bilinear' and 'bicubic', got mode 'nearest'",
        ),
        (
            r#""op": "resize", "output_size": [4, 4], "mode": "bilinear", "mapping": { "coordinates": "asymmetric", "scale": [2, 1.5], "exclude_outside": true }"#,
            "'mapping.exclude_outside' goes with 'bicubic' or 'antialias', got neither",
        ),
    ] {
        let text = problem(fields, vec![]);
        assert!(text.ends_with(expected), "{text}");
    }
    let text = problem(r#""op": "resize", "output_size": [4, 4], "mode": "area""#, vec![]);
    assert!(
        text.contains("unknown variant 'area', expected one of 'nearest', 'bilinear', 'bicubic'"),
        "{text}"
    );
    let text = problem(r#""op": "resize", "output_size": [4, 4]"#, vec![]);
    assert!(text.contains("missing field 'mode'"), "{text}");
}

#[test]
fn a_resize_wants_a_picture_and_two_values_must_broadcast() {
    let flat = r#""op": "flatten" }, { "name": "z", "inputs": ["y"], "op": "resize", "output_size": [4, 4], "mode": "nearest""#;
    let text = problem(flat, vec![]);
    assert!(text.contains("node 'z' (resize): its input has shape [1, 12], expected [batch,"), "{text}");
    let text = problem(r#""op": "maximum", "params": { "other": "c" }"#, vec![tensor("c", &[2], &[1.0; 2])]);
    assert!(text.ends_with("shapes [1, 2, 2, 3] and [2] do not broadcast"), "{text}");
    let text = problem(r#""op": "minimum""#, vec![]);
    assert!(text.ends_with("'minimum' has 1 inputs, expected 2"), "{text}");
}
