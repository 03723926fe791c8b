//! A comparison as lines for the terminal.

use burncam::record::{ComparedMaps, ComparedPicture, ComparedRun, Comparison, LimitRecord, Prediction};

use crate::text;

/// Number of pictures listed; `comparison.json` has all of them.
const LISTED: usize = 10;

/// What rounding of sums takes from the correlation of equal maps, amply.
const ROUNDING: f64 = 1e-6;

/// Longest value of a setting, in characters; hashes and lists are longer.
const LONGEST: usize = 24;

/// All lines.
pub(super) fn of(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![
        format!("{:<12}{}", "first", run(&comparison.first)),
        format!("{:<12}{}", "second", run(&comparison.second)),
    ];
    for (at, found) in comparison.differences.iter().enumerate() {
        let lead = if at == 0 { "differs" } else { "" };
        let [first, second] = [&found.first, &found.second].map(|value| short(&value.to_string()));
        lines.push(format!("{lead:<12}{}: {first}, {second}", found.name));
    }
    if comparison.differences.is_empty() {
        lines.push(format!("{:<12}nothing in models and settings", "differs"));
    }
    lines.push(String::new());
    lines.push(format!("{:<12}{}", "pictures", pictures(comparison)));
    lines.push(format!("{:<12}{}", "agreement", agreement(comparison)));
    lines.push(format!("{:<12}{}", "accuracy", accuracy(comparison)));
    for (at, maps) in comparison.maps.iter().enumerate() {
        lines.push(format!("{:<12}{}", if at == 0 { "maps" } else { "" }, of_maps(maps)));
    }
    lines.push(String::new());
    lines.extend(moved(&comparison.pictures));
    if !comparison.limits.is_empty() {
        lines.push(String::new());
        let rows: Vec<_> = comparison.limits.iter().map(limit).collect();
        lines.extend(text::table(&["limit", "result", "drop", "at most"], &rows));
    }
    lines
}

fn run(run: &ComparedRun) -> String {
    let (models, methods) = (run.models.join(", "), run.methods.join(", "));
    let unreadable = match run.unreadable {
        0 => String::new(),
        count => format!(", {count} unreadable"),
    };
    format!("{}: {models}, {methods}, {}{unreadable}", run.directory, text::counted(run.records, "record"))
}

fn short(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &value[..at]),
        None => value.to_owned(),
    }
}

fn pictures(comparison: &Comparison) -> String {
    let [first, second] = [&comparison.only_first, &comparison.only_second].map(Vec::len);
    format!("{} in both, {first} only in the first run, {second} only in the second", comparison.both)
}

fn agreement(comparison: &Comparison) -> String {
    let known = comparison.pictures.iter().filter_map(|picture| picture.same_class);
    let (same, all) = known.fold((0, 0), |(same, all), is_same| (same + usize::from(is_same), all + 1));
    match comparison.agreement {
        Some(share) => format!("{} of the most probable class, {same} of {all} pictures", percent(share)),
        None => "not known: the networks give no classes".to_owned(),
    }
}

fn accuracy(comparison: &Comparison) -> String {
    match comparison.accuracy {
        Some(found) => format!(
            "{} before, {} after, of {} with known classes: {} mended, {} broken",
            percent(found.first),
            percent(found.second),
            text::counted(found.labelled, "picture"),
            found.mended,
            found.broken
        ),
        None => "not known: the records have no true classes (explain with --labels)".to_owned(),
    }
}

fn of_maps(maps: &ComparedMaps) -> String {
    let methods = match maps.first == maps.second {
        true => maps.first.clone(),
        false => format!("{} and {}", maps.first, maps.second),
    };
    let mut line = format!(
        "{methods}: Spearman {}, Pearson {}, IoU of the hottest region {}, means of {} of one class",
        figure(maps.spearman),
        figure(maps.pearson),
        figure(maps.iou),
        text::counted(maps.pairs, "pair"),
    );
    if maps.without_spearman > 0 {
        line.push_str(&format!("; {} without Spearman", maps.without_spearman));
    }
    if maps.other_class > 0 {
        line.push_str(&format!("; {} of other classes not in the means", maps.other_class));
    }
    line
}

fn moved(pictures: &[ComparedPicture]) -> Vec<String> {
    let row = |picture: &ComparedPicture| {
        let labels: Vec<&str> = picture.labels.iter().map(|label| label.class_name.as_str()).collect();
        vec![
            picture.path.clone(),
            class(picture.first.as_ref()),
            class(picture.second.as_ref()),
            labels.join(", "),
            figure(picture.similarity),
        ]
    };
    let moved: Vec<&ComparedPicture> = pictures.iter().filter(|picture| !is_still(picture)).collect();
    if moved.is_empty() {
        return vec!["no picture moved".to_owned()];
    }
    let rows: Vec<_> = moved.iter().take(LISTED).map(|picture| row(picture)).collect();
    let mut lines = text::table(&["moved most", "first", "second", "true class", "Spearman"], &rows);
    if moved.len() > LISTED {
        lines.push(format!("and {} more", moved.len() - LISTED));
    }
    lines
}

/// Same class, same order of heat but for rounding.
fn is_still(picture: &ComparedPicture) -> bool {
    picture.same_class != Some(false)
        && picture.similarity.is_some_and(|similarity| similarity > 1.0 - ROUNDING)
}

/// The first name of a class, or the number.
pub(super) fn class(prediction: Option<&Prediction>) -> String {
    prediction.map_or_else(
        || "-".to_owned(),
        |class| {
            let name = match class.class_name.split(", ").next() {
                Some(name) if name != class.target.to_string() => name.to_owned(),
                _ if class.number.is_some() => return class.shown(),
                _ => format!("class {}", class.target),
            };
            format!("{name} {}", class.shown())
        },
    )
}

fn limit(limit: &LimitRecord) -> Vec<String> {
    let result = match (limit.passed, limit.drop) {
        (true, _) => "ok",
        (false, Some(_)) => "FAILED",
        (false, None) => "FAILED: not known",
    };
    let drop = limit.drop.map_or_else(|| "-".to_owned(), |drop| format!("{:.4}", drop + 0.0));
    vec![limit.of.clone(), result.to_owned(), drop, limit.most.to_string()]
}

/// Two decimals; a dash for none.
pub(super) fn figure(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{:.2}", (100.0 * number).round() / 100.0 + 0.0))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
