//! What a card may say, and the messages about what it may not.

use super::*;

const TINY: &str = r#"{
    "schema_version": 1,
    "name": "tiny",
    "graph": {
        "input": { "name": "input", "channels": 3, "height": 8, "width": 8 },
        "nodes": [
            { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight" } },
            { "name": "pool", "op": "global_avg_pool", "inputs": ["conv"] },
            { "name": "flat", "op": "flatten", "inputs": ["pool"] }
        ],
        "output": "flat"
    },
    "preprocess": { "resize": { "policy": "stretch", "height": 8, "width": 8 } }
}"#;

#[test]
fn a_card_survives_the_round_trip() {
    let card = Card::from_json(TINY).unwrap();
    let again = Card::from_json(&card.to_json().unwrap()).unwrap();
    assert_eq!(card, again);
}

#[test]
fn an_unknown_field_is_named_with_its_path() {
    let text = TINY.replace("\"policy\"", "\"filtre\": \"bicubic\", \"policy\"");
    let error = Card::from_json(&text).unwrap_err().to_string();
    assert!(error.starts_with("card field 'preprocess.resize"), "{error}");
    assert!(error.contains("unknown field 'filtre'"), "{error}");

    let text = TINY.replace("\"op\": \"conv2d\"", "\"op\": \"conv2d\", \"strid\": [2, 2]");
    let error = Card::from_json(&text).unwrap_err().to_string();
    assert!(error.starts_with("card field 'graph.nodes[0]"), "{error}");
    assert!(error.contains("strid"), "{error}");
}

#[test]
fn a_dangling_input_and_a_doubled_name_are_refused() {
    let error = Card::from_json(&TINY.replace("[\"pool\"]", "[\"pol\"]")).unwrap_err().to_string();
    assert!(error.contains("'pol'") && error.contains("did you mean 'pool'"), "{error}");
    let error =
        Card::from_json(&TINY.replace("\"name\": \"flat\"", "\"name\": \"pool\"")).unwrap_err().to_string();
    assert!(error.contains("two nodes are called 'pool'"), "{error}");
}

#[test]
fn a_scale_and_a_divisor_that_leave_nothing_of_a_picture_are_refused() {
    for number in ["0", "-0.0", "1e-50", "1e300", "-1e39"] {
        for (field, value) in [("scale", number.to_owned()), ("std", format!("[1, {number}, 1]"))] {
            let text = TINY.replace("\"resize\": {", &format!("\"{field}\": {value}, \"resize\": {{"));
            let error = Card::from_json(&text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("card field 'preprocess.{field}': ")), "{error}");
        }
    }
    let text = TINY.replace("\"resize\": {", "\"scale\": -255.0, \"std\": [1e-3, -1, 1e3], \"resize\": {");
    Card::from_json(&text).unwrap();
}

#[test]
fn a_card_from_the_future_is_refused() {
    let error = Card::from_json(&TINY.replace("\"schema_version\": 1", "\"schema_version\": 2"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("schema_version") && error.contains("got 2"), "{error}");
}

#[test]
fn names_become_numbers_and_are_written_as_names() {
    let card = Card::from_json(TINY).unwrap();
    let graph = card.graph.as_ref().unwrap();
    let inputs: Vec<_> = graph.nodes.iter().map(|node| node.inputs.clone()).collect();
    let [conv, pool, flat] = [0, 1, 2].map(ValueId::of_node);
    assert_eq!((inputs, graph.output), (vec![vec![ValueId::INPUT], vec![conv], vec![pool]], flat));
    let written: serde_json::Value = serde_json::from_str(&card.to_json().unwrap()).unwrap();
    assert_eq!(written["graph"]["nodes"][1]["inputs"], serde_json::json!(["conv"]));
    assert_eq!(written["graph"]["output"], "flat");
}

#[test]
fn a_name_that_comes_later_is_refused() {
    let text = TINY.replace("\"inputs\": [\"input\"]", "\"inputs\": [\"flat\"]");
    let error = Card::from_json(&text).unwrap_err().to_string();
    let expected = "card field 'graph.nodes[0]' ('conv'): reads 'flat', which no earlier node gives";
    assert!(error.starts_with(expected), "{error}");
    for output in ["input", "flap"] {
        let text = TINY.replace("\"output\": \"flat\"", &format!("\"output\": \"{output}\""));
        let error = Card::from_json(&text).unwrap_err().to_string();
        let expected = format!("card field 'graph.output': no node is called '{output}'");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_graph_in_memory_whose_numbers_lead_nowhere_is_refused() {
    let card = Card::from_json(TINY).unwrap();
    let changed = |change: &dyn Fn(&mut Graph)| {
        let mut card = card.clone();
        change(card.graph.as_mut().unwrap());
        (card.check().unwrap_err().to_string(), card.to_json().is_err())
    };
    let (error, _) = changed(&|graph| graph.nodes[1].inputs = vec![ValueId::of_node(1)]);
    assert!(
        error.starts_with("card field 'graph.nodes[1]' ('pool'): reads a tensor that no earlier"),
        "{error}"
    );
    let (error, refused) = changed(&|graph| graph.output = ValueId::of_node(3));
    assert!(error.starts_with("card field 'graph.output'") && refused, "{error}");
    let (error, refused) = changed(&|graph| graph.nodes[2].name = "pool".into());
    assert!(error.contains("two nodes are called 'pool'") && refused, "{error}");
}

/// The operations that have settings which are real numbers, each with infinite ones.
fn operations_without_end() -> Vec<Op> {
    let odd = f64::INFINITY;
    let scalar = Some(odd);
    let mut ops: Vec<Op> = functions::all([odd, odd]).collect();
    ops.extend([
        Op::BatchNorm { epsilon: odd },
        Op::LayerNorm { epsilon: odd },
        Op::GroupNorm { groups: 1, epsilon: odd },
        Op::LocalResponseNorm { size: 1, alpha: 1.0, beta: 1.0, k: odd },
        Op::Pad { padding: [0; 4], mode: PadMode::Constant, value: odd },
    ]);
    ops.extend([Op::Add { scalar }, Op::Sub { scalar }, Op::Mul { scalar }, Op::Div { scalar }]);
    ops.extend([Op::Minimum { scalar }, Op::Maximum { scalar }]);
    ops
}

#[test]
fn settings_that_json_cannot_hold_are_refused_in_every_operation() {
    let mut seen = std::collections::HashSet::new();
    for op in operations_without_end() {
        let written = serde_json::to_value(&op).unwrap();
        let lost = written.as_object().unwrap().iter().find(|(_, value)| value.is_null());
        let refused = op.check().err().map(|problem| problem.to_string());
        match (lost, refused) {
            (Some(_), Some(message)) => assert!(message.contains("is not finite"), "{op:?}: {message}"),
            (None, None) => continue,
            (lost, refused) => panic!("{op:?}: {lost:?}, {refused:?}"),
        }
        seen.insert(format!("{op:?}").split(' ').next().unwrap().to_owned());
    }
    // A new operation with such a setting must be in the list above.
    let mut name = "";
    for line in include_str!("ops.rs").lines().skip_while(|line| !line.contains("pub enum Op")) {
        if let Some(variant) = line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_uppercase)) {
            name = variant.split([' ', '{']).next().unwrap();
        }
        let code = line.split("//").next().unwrap();
        assert!(!code.contains("f64") || seen.contains(name), "{name} has a real number and was not tried");
    }
}
