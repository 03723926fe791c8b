//! The figures of the crate for arrays of a caller, for comparisons with other libraries.
//!
//! Receives on standard input one line of JSON per map: a picture, its map, the object's mask, and perturbations. Asks for scores
//! and explanations on standard output, a line of JSON each, which the caller answers with a line. Gives a line with all figures.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::io::{BufRead as _, Write as _};

use burncam_graph::error::Error;
use burncam_metrics::localisation::{Region, energy, pointing, rank_accuracy, roc_area};
use burncam_metrics::{
    Area, Baseline, Curve, CurveSettings, Direction, Map, Picture, Removal, Road, RoadSettings, Scorer,
    Sensitivity, SingleDeletion, Steps, effective_complexity, entropy, gini, infidelity, pearson, spearman,
    ssim,
};
use serde_json::{Value, json};

fn main() {
    let mut line = String::new();
    while std::io::stdin().lock().read_line(&mut line).unwrap() > 0 {
        let question: Value = serde_json::from_str(&line).unwrap();
        let mut figures = of_map(&question);
        figures.extend(of_network(&question));
        say(&json!({ "figures": figures }));
        line.clear();
    }
}

type Figures = serde_json::Map<String, Value>;

/// What a map alone and an object give.
fn of_map(question: &Value) -> Figures {
    let [_, height, width] = shape(question);
    let map = Map::new(height, width, numbers(&question["map"])).unwrap();
    let other = Map::new(height, width, numbers(&question["other"])).unwrap();
    let inside = numbers(&question["mask"]).iter().map(|value| *value > 0.0).collect();
    let object = Region::new(height, width, inside).unwrap();
    let figures = json!({
        "sparseness": gini(&map),
        "entropy": entropy(&map),
        "effective_complexity": effective_complexity(&map, burncam_metrics::EFFECTIVE_SHARE),
        "pointing": pointing(&map, &object, 0.0),
        "energy": energy(&map, &object),
        "rank_accuracy": rank_accuracy(&map, &object),
        "roc_area": roc_area(&map, &object),
        "pearson": pearson(&map, &other),
        "spearman": spearman(&map, &other),
        "ssim": ssim(&map, &other),
    });
    figures.as_object().unwrap().clone()
}

/// What needs scores, all of changed copies of the picture, in this order.
fn of_network(question: &Value) -> Figures {
    let [channels, height, width] = shape(question);
    let map = Map::new(height, width, numbers(&question["map"])).unwrap();
    let mut scorer = Asking { channels, name: "whole" };
    let values = numbers(&question["values"]);
    let black = numbers(&question["black"]);
    let picture = Picture::new([channels, height, width], values, black, &mut scorer).unwrap();

    scorer.name = "deletion";
    let settings = CurveSettings {
        steps: Steps::OfOneRow,
        deletion: Baseline::Black,
        insertion: Baseline::Black,
        area: Area::EqualSteps,
    };
    let curve = Curve::new(&picture, &map, Direction::Deletion, &settings, &mut scorer).unwrap();

    scorer.name = "single";
    let single = SingleDeletion::new(&picture, &map, 4, Baseline::Black, &mut scorer).unwrap();

    scorer.name = "infidelity";
    let changes: Vec<Vec<f32>> = arrays(&question["changes"]);
    let perturb = |index: usize, values: &mut [f32]| values.copy_from_slice(&changes[index]);
    let relevances = map.values();
    let infidelity = infidelity(&picture, relevances, changes.len(), false, perturb, &mut scorer).unwrap();

    scorer.name = "road";
    let shares = numbers(&question["shares"]).iter().map(|share| f64::from(*share)).collect();
    let settings = RoadSettings { removal: Removal::Shares(shares), noise: 0.0, seed: 0 };
    Road::new(&picture, &map, &settings, &mut scorer).unwrap();

    let shifts: Vec<Vec<f32>> = arrays(&question["shifts"]);
    let perturb = |index: usize, values: &mut [f32]| values.copy_from_slice(&shifts[index]);
    let explain = |values: &[f32]| Ok(numbers(&ask(&json!({ "explain": values }))));
    let sensitivity = Sensitivity::new(picture.values(), shifts.len(), perturb, explain).unwrap();
    let figures = json!({
        "deletion_scores": curve.scores,
        "deletion": curve.area,
        "single_deletion": single.correlation,
        "infidelity": infidelity,
        "max_sensitivity": sensitivity.max,
        "mean_sensitivity": sensitivity.mean,
    });
    figures.as_object().unwrap().clone()
}

/// The caller's network.
struct Asking {
    channels: usize,
    /// The metric that asks.
    name: &'static str,
}

impl Scorer for Asking {
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
        let question =
            json!({ "score": inputs, "count": count, "channels": self.channels, "for": self.name });
        let answer = ask(&question);
        Ok(answer.as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect())
    }
}

fn shape(question: &Value) -> [usize; 3] {
    let shape = numbers(&question["shape"]);
    [shape[0] as usize, shape[1] as usize, shape[2] as usize]
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn arrays(value: &Value) -> Vec<Vec<f32>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn say(value: &Value) {
    println!("{value}");
    std::io::stdout().flush().unwrap();
}

fn ask(question: &Value) -> Value {
    say(question);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}
