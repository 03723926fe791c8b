//! Cards that a person, or an enemy, might write.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use burncam::Model;
use burncam_graph::card::Card;
use serde_json::{Value, json};

use super::{Run, args, run, run_limited};
use crate::support::{fixture, tensor};

/// A card on a 16x16 picture; the graph's output is its last node.
fn card(nodes: &[Value]) -> Value {
    json!({
        "schema_version": 1,
        "name": "hostile",
        "graph": {
            "input": { "name": "input", "channels": 3, "height": 16, "width": 16 },
            "nodes": nodes,
            "output": nodes.last().map_or("input", |node| node["name"].as_str().unwrap()),
        },
        "preprocess": { "resize": { "policy": "stretch", "height": 16, "width": 16 } },
    })
}

/// `fields` laid over the fields of `base`.
fn with(mut base: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

/// A convolution that keeps the size, with other settings laid over it.
fn conv(settings: &Value) -> Value {
    let base = json!({ "name": "conv", "op": "conv2d", "inputs": ["input"],
        "params": { "weight": "weight" }, "padding": [1, 1, 1, 1] });
    with(base, settings)
}

/// Pools the value called `input` and flattens it.
fn ending(input: &str) -> [Value; 2] {
    [
        json!({ "name": "pool", "op": "global_avg_pool", "inputs": [input] }),
        json!({ "name": "flat", "op": "flatten", "inputs": ["pool"] }),
    ]
}

pub(super) fn sound() -> Value {
    convolution(&json!({}))
}

/// A graph of one convolution with these settings.
fn convolution(settings: &Value) -> Value {
    let [pool, flat] = ending("conv");
    card(&[conv(settings), pool, flat])
}

/// A sound convolution, `[1, 4, 16, 16]`, then this operation, then the ending.
fn then(op: &Value) -> Value {
    let [pool, flat] = ending("x");
    card(&[conv(&json!({})), with(json!({ "name": "x", "inputs": ["conv"] }), op), pool, flat])
}

/// As [`then`], and after it a reshape back to the convolution's shape.
fn there_and_back(op: &Value) -> Value {
    let [pool, flat] = ending("back");
    let back = json!({ "name": "back", "op": "reshape", "inputs": ["x"], "shape": [1, 4, 16, 16] });
    card(&[conv(&json!({})), with(json!({ "name": "x", "inputs": ["conv"] }), op), back, pool, flat])
}

/// The sound graph, then this operation on the class scores, `[1, 4]`.
fn at_the_end(op: &Value) -> Value {
    let [pool, flat] = ending("conv");
    card(&[conv(&json!({})), pool, flat, with(json!({ "name": "x", "inputs": ["flat"] }), op)])
}

/// A sound graph for a picture of another size, cropped to it.
fn sized(height: u64, width: u64, stride: [u64; 2], resize: &Value) -> Value {
    let mut card = convolution(&json!({ "stride": stride }));
    card["graph"]["input"]["height"] = height.into();
    card["graph"]["input"]["width"] = width.into();
    card["preprocess"] =
        json!({ "resize": resize, "crop": { "policy": "center", "height": height, "width": width } });
    card
}

/// A pack with a convolution's weight and a constant for five pictures at once.
pub(super) fn small_pack(folder: &Path) -> PathBuf {
    let path = folder.join("small.bpk");
    let weight: Vec<f32> = (0..4 * 27).map(|at| (at % 7) as f32 - 2.5).collect();
    let batch = vec![0.25; 5 * 4 * 16 * 16];
    let tensors = vec![tensor("weight", &[4, 3, 3, 3], &weight), tensor("batch", &[5, 4, 16, 16], &batch)];
    Model::save(&path, &Card::from_json(&sound().to_string()).unwrap(), tensors, true).unwrap();
    path
}

/// Runs `explain` with a card, under limits; the record goes to standard output.
fn explain_with(folder: &Path, card: &str) -> Run {
    let spec = folder.join("card.json");
    std::fs::write(&spec, card).unwrap();
    let picture = fixture("images/odd/rgb.png");
    run_limited(args![
        "explain",
        "-q",
        "-m",
        small_pack(folder),
        "--spec",
        spec,
        picture,
        "--json",
        "-o",
        "-"
    ])
}

const MAX: u64 = u64::MAX;
const HUGE: u64 = 1 << 40;

/// Cards with which no picture can be explained.
fn nonsense() -> Vec<(&'static str, Value)> {
    let forward = [
        conv(&json!({})),
        json!({ "name": "x", "op": "relu", "inputs": ["y"] }),
        json!({ "name": "y", "op": "relu", "inputs": ["x"] }),
    ];
    let pool = |kind: &str, kernel: u64| json!({ "op": kind, "kernel": [kernel, kernel], "stride": [1, 1] });
    let no_grid = json!({ "op": "reduce_mean", "axes": [0, 1, 2, 3] });
    vec![
        ("no nodes", card(&[])),
        ("a cycle", card(&forward)),
        ("a node that reads itself", then(&json!({ "op": "relu", "inputs": ["x"] }))),
        ("a stride past the end", convolution(&json!({ "stride": [MAX, MAX] }))),
        ("padding near the greatest number", convolution(&json!({ "padding": [MAX, 0, 0, 0] }))),
        ("padding whose sum wraps", convolution(&json!({ "padding": [MAX - 1, 3, MAX - 1, 3] }))),
        ("a dilation past the end", convolution(&json!({ "dilation": [MAX, MAX] }))),
        ("groups whose product wraps", convolution(&json!({ "groups": 12_297_829_382_473_034_411_u64 }))),
        ("a zero stride", convolution(&json!({ "stride": [0, 1] }))),
        ("a negative stride", convolution(&json!({ "stride": [-1, 1] }))),
        ("a pool that wraps", then(&pool("max_pool2d", MAX))),
        ("an empty pool", then(&pool("avg_pool2d", 0))),
        ("an adaptive pool of nothing", then(&json!({ "op": "adaptive_avg_pool2d", "output_size": [0, 1] }))),
        (
            "an adaptive pool of 4 GiB",
            then(&json!({ "op": "adaptive_avg_pool2d", "output_size": [16384, 16384] })),
        ),
        (
            "an adaptive pool that wraps",
            then(&json!({ "op": "adaptive_avg_pool2d", "output_size": [MAX, MAX] })),
        ),
        ("a pad that wraps", then(&json!({ "op": "pad", "padding": [MAX, 0, 0, 0] }))),
        ("a pad that wraps to the same", then(&json!({ "op": "pad", "padding": [MAX, 1, MAX, 1] }))),
        (
            "a reflection wider than the picture",
            then(&json!({ "op": "pad", "padding": [16, 0, 0, 0], "mode": "reflect" })),
        ),
        ("softmax along no axis", then(&json!({ "op": "softmax", "axis": 9 }))),
        ("concat along no axis", then(&json!({ "op": "concat", "axis": 7, "inputs": ["conv", "conv"] }))),
        ("flatten from no axis", then(&json!({ "op": "flatten", "start_axis": MAX }))),
        ("mean along no axis", then(&json!({ "op": "reduce_mean", "axes": [MAX] }))),
        ("a reshape to a giant", then(&json!({ "op": "reshape", "shape": [1_u64 << 62, 2, 2] }))),
        ("a reshape with two open sides", then(&json!({ "op": "reshape", "shape": [-1, -1, 16, 16] }))),
        (
            "a reshape to rank 7",
            there_and_back(&json!({ "op": "reshape", "shape": [1, 4, 16, 16, 1, 1, 1] })),
        ),
        ("an unsqueeze to rank 7", there_and_back(&json!({ "op": "unsqueeze", "axes": [0, 0, 0] }))),
        ("an unsqueeze past the end", then(&json!({ "op": "unsqueeze", "axes": [MAX] }))),
        ("a mean over everything", there_and_back(&no_grid)),
        ("a slice past the end", then(&json!({ "op": "slice", "axis": 3, "start": MAX, "end": MAX }))),
        (
            "a split whose sum wraps",
            then(&json!({ "op": "split", "axis": 3, "sizes": [MAX, 17], "part": 1 })),
        ),
        (
            "a part wider than the whole",
            then(&json!({ "op": "split", "axis": 3, "sizes": [17, MAX], "part": 0 })),
        ),
        (
            "a part that is not there",
            then(&json!({ "op": "split", "axis": 3, "sizes": [8, 8], "part": MAX })),
        ),
        ("an order of other axes", then(&json!({ "op": "transpose", "perm": [0, 1, 2, 9] }))),
        ("matrices that do not fit", then(&json!({ "op": "matmul", "inputs": ["conv", "input"] }))),
        ("scores in rows", at_the_end(&json!({ "op": "reshape", "shape": [2, 2] }))),
        ("scores on their side", at_the_end(&json!({ "op": "transpose", "perm": [1, 0] }))),
        ("a constant for five pictures", then(&json!({ "op": "add", "params": { "other": "batch" } }))),
        ("an unknown operation", then(&json!({ "op": "conv3d" }))),
        ("a weight that is not there", convolution(&json!({ "params": { "weight": "weigth" } }))),
        ("an input without end", sized(MAX, MAX, [1 << 63, 1 << 63], &json!({ "policy": "none" }))),
        (
            "an input whose size wraps",
            sized(1 << 32, 1 << 32, [1 << 31, 1 << 31], &json!({ "policy": "none" })),
        ),
        ("an input of 12 TB", sized(1 << 20, 1 << 20, [1 << 19, 1 << 19], &json!({ "policy": "none" }))),
        (
            "a letterbox of 96 GB",
            sized(1 << 30, 8, [1 << 29, 1], &json!({ "policy": "letterbox", "height": 1 << 30, "width": 8 })),
        ),
        ("a classes list that is too short", with(sound(), &json!({ "classes": ["only"] }))),
        ("a division by zero in std", {
            let mut card = sound();
            card["preprocess"]["std"] = json!([1, 0, 1]);
            card
        }),
    ]
}

#[test]
fn a_card_that_makes_no_sense_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(explain_with(folder.path(), &sound().to_string()).code, Some(0));
    let mut wrong = Vec::new();
    for (what, card) in nonsense() {
        let run = explain_with(folder.path(), &card.to_string());
        let is_diagnosis = run.stderr.contains("tensors fit") && run.is_orderly();
        if !run.is_refusal(2) && !is_diagnosis {
            wrong.push(format!("{what}: {run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cards:\n{}", wrong.len(), wrong.join("\n"));
}

/// Odd settings that have a meaning, or that only meet their end in the numbers.
#[test]
fn an_odd_card_ends_orderly_and_soon() {
    let wide = |kind: &str| {
        let (size, padding) = ([HUGE, HUGE], [HUGE - 1; 4]);
        then(&json!({ "op": kind, "kernel": size, "stride": size, "padding": padding }))
    };
    let mut scaled = sound();
    scaled["preprocess"]["scale"] = json!(1e300);
    let short = json!({ "policy": "shortest-side", "size": MAX });
    let odd = vec![
        (
            "huge padding",
            convolution(&json!({ "padding": [HUGE, HUGE, HUGE, HUGE], "stride": [HUGE, HUGE] })),
        ),
        (
            "huge dilation",
            convolution(&json!({ "padding": [HUGE, HUGE, HUGE, HUGE], "dilation": [HUGE, HUGE] })),
        ),
        ("a maximum over padding", wide("max_pool2d")),
        ("a mean over padding", wide("avg_pool2d")),
        ("windows inside the padding", {
            let dilated = json!({ "op": "max_pool2d", "kernel": [2, 2], "dilation": [17, 17] });
            then(&with(dilated, &json!({ "stride": [1, 1], "padding": [1, 1, 1, 1] })))
        }),
        ("a value without axes", {
            let all = json!({ "name": "x", "op": "reduce_mean", "inputs": ["conv"], "axes": [0, 1, 2, 3] });
            let back = json!({ "name": "y", "op": "unsqueeze", "inputs": ["x"], "axes": [0, 1] });
            card(&[conv(&json!({})), all, back])
        }),
        (
            "a slice with an end past the end",
            then(&json!({ "op": "slice", "axis": 3, "start": 1, "end": MAX })),
        ),
        ("an axis named twice", then(&json!({ "op": "reduce_mean", "axes": [2, 2], "keep_dims": true }))),
        ("no axes", then(&json!({ "op": "reduce_mean", "axes": [] }))),
        ("pictures in the middle", there_and_back(&json!({ "op": "reshape", "shape": [4, 1, 16, 16] }))),
        ("a division by zero", then(&json!({ "op": "div", "scalar": 0.0 }))),
        ("a scale that overflows", scaled),
        ("a resize without end", sized(16, 16, [1, 1], &short)),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (what, card) in odd {
        let run = explain_with(folder.path(), &card.to_string());
        if !run.is_orderly() || run.stderr.lines().count() > 1 {
            wrong.push(format!("{what}: {run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cards:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_step_past_the_end_takes_the_first_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let every = |step: u64| {
        let slice = json!({ "op": "slice", "axis": 3, "start": 0, "end": 16, "step": step });
        explain_with(folder.path(), &then(&slice).to_string())
    };
    // The cards differ, and the record has their hashes.
    let answer = |stdout: &[u8]| {
        let mut record: Value = serde_json::from_slice(stdout).unwrap();
        record["model"]["card_sha256"].take();
        record
    };
    let first = every(16);
    assert_eq!(first.code, Some(0), "{first:?}");
    for step in [17, 1 << 32, 1 << 63, MAX] {
        let run = every(step);
        assert!(run.is_refusal(2) || answer(&run.stdout) == answer(&first.stdout), "step {step}: {run:?}");
    }
}

#[test]
fn text_that_is_no_card_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "{\"graph\":".repeat(20_000);
    for text in ["", "null", "[]", "{}", "\u{feff}{}", "{\"schema_version\": 1e99}", deep.as_str()] {
        let run = explain_with(folder.path(), text);
        assert!(run.is_refusal(2), "{:.20}: {run:?}", text);
    }
}

#[test]
fn a_network_without_a_grid_can_still_predict() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("flat.json");
    let node = json!({ "name": "flat", "op": "flatten", "inputs": ["input"] });
    std::fs::write(&spec, card(&[node]).to_string()).unwrap();
    let picture = fixture("images/odd/rgb.png");
    let run = run(args!["predict", "-q", "-m", small_pack(folder.path()), "--spec", spec, picture]);
    assert!(run.code == Some(0) && run.stdout.iter().filter(|byte| **byte == b'\n').count() == 5, "{run:?}");
}
