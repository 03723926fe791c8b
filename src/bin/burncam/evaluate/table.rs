//! The terminal's view of an evaluation: tables of at most 80 columns, paired comparisons, a sentence.

use burncam::record::{EvaluatedRow, Evaluation, FigureRecord, MetricRecord, PairRecord};

use crate::text;

/// Width of a table on the terminal.
const COLUMNS: usize = 80;

/// Everything that is printed.
pub(super) fn lines(evaluation: &Evaluation) -> Vec<String> {
    let mut lines = vec![subject(evaluation)];
    for (first, count) in parts(evaluation) {
        lines.push(String::new());
        lines.extend(table(evaluation, first, count));
    }
    lines.push(String::new());
    lines.extend(legend(evaluation));
    let pairs = pairs(evaluation);
    if !pairs.is_empty() {
        lines.push(String::new());
        lines.extend(pairs);
    }
    lines.extend([String::new(), evaluation.verdict.clone()]);
    lines
}

/// `24 targets in 24 images, score prob; 1 image failed`.
fn subject(evaluation: &Evaluation) -> String {
    let images = text::counted(evaluation.images - evaluation.failed, "image");
    let failed = match evaluation.failed {
        0 => String::new(),
        failed => format!("; {} failed", text::counted(failed, "image")),
    };
    let stopped = if evaluation.interrupted { "; interrupted" } else { "" };
    let areas: Vec<f64> = evaluation.targets.iter().filter_map(|target| target.area).collect();
    let area = match areas.len() {
        0 => String::new(),
        count => format!(", objects cover {} of the input", short(areas.iter().sum::<f64>() / count as f64)),
    };
    let targets = text::counted(evaluation.targets.len(), "target");
    format!("{targets} in {images}, score {}{area}{failed}{stopped}", evaluation.settings.score)
}

/// The metrics as few tables that are each narrow enough: the first and the number of metrics of each.
fn parts(evaluation: &Evaluation) -> Vec<(usize, usize)> {
    let width = |first: usize, count: usize| {
        let lines = table(evaluation, first, count).into_iter();
        lines.map(|line| line.chars().count()).max().unwrap_or_default()
    };
    let (mut parts, mut first) = (vec![], 0);
    while first < evaluation.metrics.len() {
        let left = evaluation.metrics.len() - first;
        let count = (1..=left).rev().find(|count| width(first, *count) <= COLUMNS).unwrap_or(1);
        parts.push((first, count));
        first += count;
    }
    parts
}

fn table(evaluation: &Evaluation, first: usize, count: usize) -> Vec<String> {
    let metrics = first..first + count;
    let is_blank = evaluation.rows.iter().any(|row| row.blank > 0);
    let mark = |metric: &MetricRecord| match is_lower(metric) {
        true => format!("{}-", metric.name),
        false => metric.name.clone(),
    };
    let names: Vec<String> = evaluation.metrics[metrics.clone()].iter().map(mark).collect();
    let mut header = vec![""];
    header.extend(names.iter().map(String::as_str));
    if is_blank {
        header.push("blank");
    }
    let row = |row: &EvaluatedRow| {
        let mut cells = vec![row.name.clone()];
        cells.extend(row.figures[metrics.clone()].iter().map(figure));
        if is_blank {
            cells.push(row.blank.to_string());
        }
        cells
    };
    text::table(&header, &evaluation.rows.iter().map(row).collect::<Vec<_>>())
}

/// Whether lower values are better.
pub(super) fn is_lower(metric: &MetricRecord) -> bool {
    metric.better.as_deref() == Some("lower")
}

/// What the marks mean, and which rows are baselines.
pub(super) fn legend(evaluation: &Evaluation) -> Vec<String> {
    let baselines = evaluation.rows.iter().filter(|row| row.is_baseline);
    let names: Vec<&str> = baselines.map(|row| row.name.as_str()).collect();
    let mean = (evaluation.targets.len() > 1).then_some("mean ± half of its 95 % interval");
    let lower = evaluation.metrics.iter().any(is_lower).then_some("-: lower is better");
    let marks: Vec<&str> = mean.into_iter().chain(lower).collect();
    let marks = (!marks.is_empty()).then(|| marks.join("; "));
    marks.into_iter().chain([format!("{} do not know the network", names.join(", "))]).collect()
}

/// The best method against every other row on the first metric that says which is better.
fn pairs(evaluation: &Evaluation) -> Vec<String> {
    let Some(first) = evaluation.comparisons.first() else { return vec![] };
    let of_metric = evaluation.comparisons.iter().filter(|pair| pair.metric == first.metric);
    of_metric.map(|pair| format!("{}: {}", pair.metric, sentence(pair))).collect()
}

/// `layercam beats gradcam on 71 of 100, difference 0.012 (interval 0.004 to 0.020)`.
fn sentence(pair: &PairRecord) -> String {
    let PairRecord { first, second, wins, ties, losses, difference, .. } = pair;
    let equal = if *ties > 0 { format!(", equals it on {ties}") } else { String::new() };
    let interval = match difference.interval {
        Some([low, high]) => format!(" (interval {low:.3} to {high:.3})"),
        None => String::new(),
    };
    let mean = difference.mean.unwrap_or_default();
    let total = wins + ties + losses;
    format!("{first} beats {second} on {wins} of {total}{equal}, difference {mean:.3}{interval}")
}

/// `.412±.012`: three digits after the point, without the zero before it.
pub(super) fn figure(figure: &FigureRecord) -> String {
    let Some(mean) = figure.mean else { return "-".to_owned() };
    match figure.interval {
        Some([low, high]) => format!("{}±{}", short(mean), short((high - low) / 2.0)),
        None => short(mean),
    }
}

fn short(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let size = format!("{:.digits$}", number.abs());
    let is_zero = size.trim_matches(['0', '.']).is_empty();
    let sign = if number < 0.0 && !is_zero { "-" } else { "" };
    match size.strip_prefix("0.") {
        Some(rest) => format!("{sign}.{rest}"),
        None => format!("{sign}{size}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_keep_three_digits() {
        let shown = |mean, interval| {
            figure(&FigureRecord { count: 3, mean: Some(mean), interval, ..FigureRecord::default() })
        };
        assert_eq!(shown(0.4124, Some([0.4, 0.424])), ".412±.012");
        assert_eq!(shown(-0.0123, None), "-.012");
        assert_eq!(shown(-0.0001, None), ".000");
        assert_eq!(shown(1.0, Some([1.0, 1.0])), "1.00±.000");
        assert_eq!(shown(9.837, Some([9.8, 9.9])), "9.84±.050");
        assert_eq!(shown(50_176.0, None), "50176");
        assert_eq!(figure(&FigureRecord::default()), "-");
    }
}
