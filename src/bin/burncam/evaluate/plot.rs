//! A plot of mean curves as SVG: one line per row, with a key below.

use std::fmt::Write as _;

use burncam::record::{CurveRecord, EvaluatedRow};

use crate::html::text;

/// Size of a plot with the labels of its axes, without the key.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;

/// The edges of the area with the lines.
const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = WIDTH - 8.0;
const BOTTOM: f64 = HEIGHT - 38.0;

/// Entries of the key per line, and the space that each takes.
const ENTRIES: usize = 3;
const ENTRY: [f64; 2] = [140.0, 18.0];

/// Colours of methods in the style; further lines repeat them with dashes.
const COLOURS: usize = 7;

/// Adds the plot of one metric's curves.
pub(super) fn draw(page: &mut String, metric: &str, rows: &[EvaluatedRow]) {
    let curve = |row: &'_ EvaluatedRow| row.curves.iter().position(|curve| curve.metric == metric);
    let lines: Vec<(&EvaluatedRow, &CurveRecord)> =
        rows.iter().filter_map(|row| Some((row, &row.curves[curve(row)?]))).collect();
    let scores = || lines.iter().flat_map(|(_, curve)| curve.scores.iter().map(|score| f64::from(*score)));
    // Probabilities are drawn from 0 to 1, other scores over their own range.
    let range = [scores().fold(0.0, f64::min), scores().fold(1.0, f64::max)];
    let height = HEIGHT + ENTRY[1] * lines.len().div_ceil(ENTRIES) as f64;
    let title = match metric {
        "boxes" => "right boxes: their share against the threshold".to_owned(),
        metric => format!("{metric}: the score against the share of changed pixels"),
    };
    let title = text(&title);
    let _ =
        writeln!(page, "<figure><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{title}</title>");
    axes(page, &title, range);
    let (mut methods, mut baselines) = (0, 0);
    for (at, (row, curve)) in lines.iter().enumerate() {
        let count = if row.is_baseline { &mut baselines } else { &mut methods };
        let (class, name) = (class(row, *count), text(&row.name));
        *count += 1;
        let points = curve.shares.iter().zip(&curve.scores);
        let point =
            |(share, score): (&f32, &f32)| format!("{:.1},{:.1}", x(*share), y(f64::from(*score), range));
        let points = points.map(point).collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            page,
            "<polyline class=\"{class}\" points=\"{points}\"><title>{name}</title></polyline>"
        );
        let column = LEFT + ENTRY[0] * (at % ENTRIES) as f64;
        let line = HEIGHT + 10.0 + ENTRY[1] * (at / ENTRIES) as f64;
        let (middle, right) = (line - 4.0, column + 28.0);
        let _ = writeln!(
            page,
            "<path class=\"key {class}\" d=\"M{column} {middle}h22\"/><text x=\"{right}\" y=\"{line}\">{name}</text>"
        );
    }
    page.push_str("</svg></figure>\n");
}

fn x(share: f32) -> f64 {
    LEFT + f64::from(share) * (RIGHT - LEFT)
}

fn y(score: f64, [low, high]: [f64; 2]) -> f64 {
    BOTTOM - (score - low) / (high - low) * (BOTTOM - TOP)
}

fn axes(page: &mut String, title: &str, [low, high]: [f64; 2]) {
    let _ = writeln!(page, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>");
    for score in [low, (low + high) / 2.0, high] {
        let (right, line) = (LEFT - 6.0, y(score, [low, high]) + 4.0);
        let _ = writeln!(page, "<text x=\"{right}\" y=\"{line:.1}\" text-anchor=\"end\">{score:.2}</text>");
    }
    for (share, anchor) in [(0.0_f32, "start"), (0.5, "middle"), (1.0, "end")] {
        let (middle, line, percent) = (x(share), BOTTOM + 16.0, 100.0 * share);
        let _ = writeln!(
            page,
            "<text x=\"{middle:.1}\" y=\"{line}\" text-anchor=\"{anchor}\">{percent:.0} %</text>"
        );
    }
    let (middle, line) = ((LEFT + RIGHT) / 2.0, BOTTOM + 32.0);
    let _ = writeln!(page, "<text x=\"{middle}\" y=\"{line}\" text-anchor=\"middle\">{title}</text>");
}

/// The style of the line of the `at`-th method, or of the `at`-th baseline.
fn class(row: &EvaluatedRow, at: usize) -> String {
    match row.is_baseline {
        true => format!("baseline b{}", at % 3),
        false if at < COLOURS => format!("s{at}"),
        false => format!("s{} again", at % COLOURS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_from_the_left_edge_to_the_right_and_names_are_text() {
        let curve = CurveRecord {
            metric: "deletion".to_owned(),
            shares: vec![0.0, 0.5, 1.0],
            scores: vec![1.0, 0.5, 0.0],
        };
        let row = EvaluatedRow {
            name: "<b>".to_owned(),
            is_baseline: false,
            blank: 0,
            figures: vec![],
            curves: vec![curve],
        };
        let mut page = String::new();
        draw(&mut page, "deletion", std::slice::from_ref(&row));
        assert!(page.contains("points=\"44.0,10.0 248.0,136.0 452.0,262.0\""), "{page}");
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
        let mut other = String::new();
        draw(&mut other, "insertion", &[row]);
        assert!(!other.contains("polyline"));
    }
}
