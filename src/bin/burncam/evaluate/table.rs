//! The terminal's view of an evaluation: tables of at most 80 columns, paired comparisons, a sentence.

use std::ops::Range;

use burncam::evaluate::Totals;
use burncam::record::{
    AgreementRecord, EvaluatedRow, Evaluation, FigureRecord, MetricRecord, MosaicSettingsRecord, PairRecord,
    SanitySettingsRecord,
};

use crate::text;

/// Width of a table on the terminal.
const COLUMNS: usize = 80;

/// Pairs of methods that are printed: those of six methods.
const SHOWN_PAIRS: usize = 15;

/// Columns between a name and its figures.
const GAP: usize = 2;

/// Room that every table leaves for names, with the gap: that of `layercam`, so that few names need a line of their own.
const SHORT: usize = 10;

/// Everything that is printed.
pub(crate) fn lines(evaluation: &Evaluation<Totals>) -> Vec<String> {
    let mut lines = vec![subject(evaluation)];
    for part in parts(&evaluation.rows, &evaluation.metrics) {
        lines.push(String::new());
        lines.extend(table(&evaluation.rows, &evaluation.metrics, part));
    }
    lines.push(String::new());
    lines.extend(legend(evaluation));
    for more in [together(evaluation), agreement(evaluation), pairs(evaluation)] {
        if !more.is_empty() {
            lines.push(String::new());
            lines.extend(more);
        }
    }
    lines.extend([String::new(), evaluation.verdict.clone()]);
    lines
}

/// `24 targets in 24 images, score prob; 1 image failed`.
fn subject(evaluation: &Evaluation<Totals>) -> String {
    let images = text::counted(evaluation.images - evaluation.failed, "image");
    let failed = match evaluation.failed {
        0 => String::new(),
        failed => format!("; {} failed", text::counted(failed, "image")),
    };
    let stopped = if evaluation.interrupted { "; interrupted" } else { "" };
    let area = match evaluation.targets.area {
        None => String::new(),
        Some(area) => format!(", objects cover {} of the input", short(area)),
    };
    let targets = text::counted(evaluation.targets.count, "target");
    format!("{targets} in {images}, score {}{area}{failed}{stopped}", evaluation.settings.score)
}

/// The metrics as few tables that are each narrow enough, by the places of their metrics.
fn parts(rows: &[EvaluatedRow], metrics: &[MetricRecord]) -> Vec<Range<usize>> {
    let (mut parts, mut first) = (vec![], 0);
    while first < metrics.len() {
        let fits = |end: &usize| width(&figures(rows, metrics, first..*end)) + SHORT <= COLUMNS;
        let end = (first + 1..=metrics.len()).rev().find(fits).unwrap_or(first + 1);
        parts.push(first..end);
        first = end;
    }
    parts
}

/// The names of the rows and a part of their figures. A name for which there is no room stands on a line of its own, above its figures.
fn table(rows: &[EvaluatedRow], metrics: &[MetricRecord], part: Range<usize>) -> Vec<String> {
    let figures = figures(rows, metrics, part);
    let room = COLUMNS.saturating_sub(width(&figures)).max(SHORT);
    let taken = |row: &EvaluatedRow| row.name.chars().count() + GAP;
    let names = rows.iter().map(taken).filter(|taken| *taken <= room).max().unwrap_or(GAP);
    let mut lines = vec![format!("{:names$}{}", "", figures[0])];
    for (row, figures) in rows.iter().zip(&figures[1..]) {
        if taken(row) <= room {
            lines.push(format!("{:names$}{figures}", row.name));
        } else {
            lines.extend([row.name.clone(), format!("{:names$}{figures}", "")]);
        }
    }
    lines
}

/// Columns without the names of the rows: the header, then a line per row.
fn figures(rows: &[EvaluatedRow], metrics: &[MetricRecord], part: Range<usize>) -> Vec<String> {
    let is_blank = rows.iter().any(|row| row.blank > 0);
    let mark = |metric: &MetricRecord| match is_lower(metric) {
        true => format!("{}-", metric.name),
        false => metric.name.clone(),
    };
    let names: Vec<String> = metrics[part.clone()].iter().map(mark).collect();
    let mut header: Vec<&str> = names.iter().map(String::as_str).collect();
    if is_blank {
        header.push("blank");
    }
    let row = |row: &EvaluatedRow| {
        let mut cells: Vec<String> = row.figures[part.clone()].iter().map(figure).collect();
        if is_blank {
            cells.push(row.blank.to_string());
        }
        cells
    };
    text::table(&header, &rows.iter().map(row).collect::<Vec<_>>())
}

fn width(lines: &[String]) -> usize {
    lines.iter().map(|line| line.chars().count()).max().unwrap_or_default()
}

/// Whether lower values are better.
pub(super) fn is_lower(metric: &MetricRecord) -> bool {
    metric.better.as_deref() == Some("lower")
}

/// What the marks mean, and which rows are baselines.
pub(super) fn legend(evaluation: &Evaluation<Totals>) -> Vec<String> {
    let baselines = evaluation.rows.iter().filter(|row| row.is_baseline);
    let names: Vec<&str> = baselines.map(|row| row.name.as_str()).collect();
    let mean = (evaluation.targets.count > 1).then_some("mean ± half of its 95 % interval");
    let lower = evaluation.metrics.iter().any(is_lower).then_some("-: lower is better");
    let marks: Vec<&str> = mean.into_iter().chain(lower).collect();
    let marks = (!marks.is_empty()).then(|| marks.join("; "));
    marks.into_iter().chain([format!("{} do not know the network", names.join(", "))]).collect()
}

/// What metrics of several pictures were computed of.
fn together(evaluation: &Evaluation<Totals>) -> Vec<String> {
    let mosaics = evaluation.settings.mosaics.as_ref().map(|settings| {
        let MosaicSettingsRecord { side, confidence, pictures, classes, seed, .. } = settings;
        let made = text::counted(evaluation.mosaics.len(), "mosaic");
        let of = format!("{} with one class of at least {confidence}", text::counted(*pictures, "picture"));
        let needed = side * side;
        let few = if *classes < needed { format!(", expected {needed} classes") } else { String::new() };
        format!("{made} of {side} x {side} from {of}, {classes} classes, seed {seed}{few}")
    });
    let sanity = evaluation.settings.sanity.as_ref().map(|settings| {
        let SanitySettingsRecord { pictures, networks, seed, layers, stops } = settings;
        format!(
            "sanity: the first {}, {networks} random networks from seed {seed} on, compared after {stops} of {layers} layers",
            text::counted(*pictures, "picture")
        )
    });
    mosaics.into_iter().chain(sanity).collect()
}

/// The pairs of two methods, the most alike first. Those with baselines are in the file.
fn agreement(evaluation: &Evaluation<Totals>) -> Vec<String> {
    let is_method = |name: &str| evaluation.rows.iter().any(|row| row.name == name && !row.is_baseline);
    let pairs = evaluation.agreement.iter();
    let mut pairs: Vec<_> = pairs.filter(|pair| is_method(&pair.first) && is_method(&pair.second)).collect();
    let Some(_) = pairs.first() else { return vec![] };
    let mean = |pair: &AgreementRecord| pair.spearman.mean.unwrap_or(f64::NEG_INFINITY);
    pairs.sort_by(|one, other| mean(other).total_cmp(&mean(one)));
    let row = |pair: &&AgreementRecord| {
        let names = format!("{} and {}", pair.first, pair.second);
        let figures = [&pair.spearman, &pair.pearson, &pair.ssim].map(figure);
        [names].into_iter().chain(figures).collect()
    };
    let rows: Vec<Vec<String>> = pairs.iter().take(SHOWN_PAIRS).map(row).collect();
    let mut lines = text::table(&["agreement of maps", "Spearman", "Pearson", "SSIM"], &rows);
    if pairs.len() > SHOWN_PAIRS {
        lines.push(format!("and {} more pairs in the file", pairs.len() - SHOWN_PAIRS));
    }
    lines
}

/// The best method against every other row on the first metric that says which is better.
fn pairs(evaluation: &Evaluation<Totals>) -> Vec<String> {
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

pub(super) fn short(number: f64) -> String {
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

    fn row(name: &str, metrics: usize) -> EvaluatedRow {
        let interval = Some([0.4, 0.6]);
        let figure = FigureRecord { count: 9, mean: Some(0.5), interval, ..FigureRecord::default() };
        let name = name.to_owned();
        EvaluatedRow { name, is_baseline: false, blank: 1, figures: vec![figure; metrics], curves: vec![] }
    }

    fn metric(name: &str) -> MetricRecord {
        MetricRecord {
            name: name.to_owned(),
            group: String::new(),
            of: String::new(),
            better: None,
            least: None,
            most: None,
            chance: String::new(),
            description: String::new(),
        }
    }

    #[test]
    fn a_name_without_room_stands_above_its_figures() {
        let metrics = ["road", "insertion", "deletion", "drop", "increase"].map(metric);
        let rows = ["gradcam", "integratedgradients"].map(|name| row(name, metrics.len()));
        assert_eq!(parts(&rows, &metrics), vec![0..metrics.len()]);
        let lines = table(&rows, &metrics, 0..5);
        assert_eq!((lines[2].as_str(), lines[3].find(".500±.100")), ("integratedgradients", Some(9)));
        assert!(width(&lines) <= COLUMNS, "{lines:#?}");
        assert_eq!(table(&rows, &metrics, 0..1)[2], "integratedgradients  .500±.100  1");
        let many =
            ["road", "insertion", "deletion", "drop", "increase", "sparseness", "complexity"].map(metric);
        let rows = [row("gradcam", many.len())];
        assert_eq!(parts(&rows, &many), [0..5, 5..7]);
        assert!(width(&table(&rows, &many, 0..6)) > COLUMNS);
    }

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
