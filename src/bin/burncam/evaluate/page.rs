//! `--report`: a page with the sentence, the table, and the mean curves as SVG, without a script.

use std::fmt::Write as _;

use burncam::evaluate::Totals;
use burncam::record::{AgreementRecord, EvaluatedRow, Evaluation, FigureRecord, MetricRecord, PairRecord};

use super::plot;
use super::table::{figure, is_lower, legend, short};
use crate::html::{head, text};

const STYLE: &str = include_str!("page.css");

/// The page.
pub(super) fn document(evaluation: &Evaluation<Totals>) -> String {
    let mut page = head("burncam evaluation", STYLE, "data:");
    let model = text(&evaluation.model.name);
    let _ = writeln!(page, "<h1>Which method for {model}?</h1>");
    let _ = writeln!(page, "<p class=\"verdict\">{}</p>", text(&evaluation.verdict));
    let (targets, images) = (evaluation.targets.count, evaluation.images - evaluation.failed);
    let score = text(&evaluation.settings.score);
    let _ = writeln!(
        page,
        "<p class=\"quiet\">{targets} targets in {images} images, score {score}, seed {}. {}.</p>",
        evaluation.settings.seed,
        text(&legend(evaluation).join("; "))
    );
    table(&mut page, evaluation);
    plots(&mut page, evaluation);
    agreement(&mut page, evaluation);
    pairs(&mut page, evaluation);
    metrics(&mut page, &evaluation.metrics);
    page.push_str("</body>\n</html>\n");
    page
}

fn table(page: &mut String, evaluation: &Evaluation<Totals>) {
    page.push_str("<div class=\"wide\"><table>\n<tr><th></th>");
    for metric in &evaluation.metrics {
        let arrow = match metric.better.as_deref() {
            Some("lower") => " \u{2193}",
            Some(_) => " \u{2191}",
            None => "",
        };
        let _ = write!(page, "<th>{}{arrow}</th>", text(&metric.name));
    }
    page.push_str("<th>blank</th></tr>\n");
    for row in &evaluation.rows {
        let class = if row.is_baseline { " class=\"baseline\"" } else { "" };
        let _ = write!(page, "<tr{class}><td>{}</td>", text(&row.name));
        for (at, found) in row.figures.iter().enumerate() {
            let best = if is_best(evaluation, row, at) { " class=\"best\"" } else { "" };
            let _ = write!(page, "<td{best}>{}</td>", text(&figure(found)));
        }
        let _ = writeln!(page, "<td>{}</td></tr>", row.blank);
    }
    page.push_str("</table></div>\n");
}

/// Whether no method has a better mean. Baselines are not marked.
fn is_best(evaluation: &Evaluation<Totals>, row: &EvaluatedRow, at: usize) -> bool {
    let metric = &evaluation.metrics[at];
    let sign = if is_lower(metric) { -1.0 } else { 1.0 };
    let value = |figure: &FigureRecord| figure.mean.map(|mean| sign * mean);
    let methods = evaluation.rows.iter().filter(|row| !row.is_baseline);
    let most = methods.filter_map(|row| value(&row.figures[at])).fold(f64::NEG_INFINITY, f64::max);
    metric.better.is_some() && !row.is_baseline && value(&row.figures[at]).is_some_and(|value| value >= most)
}

fn plots(page: &mut String, evaluation: &Evaluation<Totals>) {
    let names = evaluation.rows.iter().find(|row| !row.curves.is_empty()).map(|row| &row.curves);
    let Some(names) = names else { return };
    page.push_str("<h2>Mean curves</h2>\n<div class=\"plots\">\n");
    for name in names.iter().map(|curve| &curve.metric) {
        plot::draw(page, name, &evaluation.rows);
    }
    page.push_str("</div>\n");
}

/// A figure of two rows' agreement.
type Measure = fn(&AgreementRecord) -> &FigureRecord;

/// A matrix of every measure: rows against rows.
fn agreement(page: &mut String, evaluation: &Evaluation<Totals>) {
    if evaluation.agreement.is_empty() {
        return;
    }
    page.push_str("<h2>How alike the maps of two rows are</h2>\n");
    let measures: [(&str, Measure); 3] = [
        ("Spearman", |pair| &pair.spearman),
        ("Pearson", |pair| &pair.pearson),
        ("structural similarity", |pair| &pair.ssim),
    ];
    let of = |one: &str, other: &str| {
        let is_it = |pair: &&AgreementRecord| {
            (pair.first == one && pair.second == other) || (pair.first == other && pair.second == one)
        };
        evaluation.agreement.iter().find(is_it)
    };
    for (title, measure) in measures {
        let _ = write!(page, "<div class=\"wide\"><table>\n<tr><th>{title}</th>");
        for row in &evaluation.rows {
            let _ = write!(page, "<th>{}</th>", text(&row.name));
        }
        page.push_str("</tr>\n");
        for row in &evaluation.rows {
            let class = if row.is_baseline { " class=\"baseline\"" } else { "" };
            let _ = write!(page, "<tr{class}><td>{}</td>", text(&row.name));
            for other in &evaluation.rows {
                let mean = of(&row.name, &other.name).and_then(|pair| measure(pair).mean);
                let _ = write!(page, "<td>{}</td>", mean.map_or_else(String::new, short));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</table></div>\n");
    }
}

fn pairs(page: &mut String, evaluation: &Evaluation<Totals>) {
    let Some(first) = evaluation.comparisons.first() else { return };
    let _ = writeln!(page, "<h2>{} against each other row, target by target</h2>", text(&first.first));
    page.push_str("<div class=\"wide\"><table>\n<tr><th class=\"text\">row</th><th class=\"text\">metric</th><th>better</th><th>equal</th><th>worse</th><th>mean difference</th><th>95 % interval</th></tr>\n");
    for PairRecord { metric, second, wins, ties, losses, difference, .. } in &evaluation.comparisons {
        let interval = difference
            .interval
            .map_or_else(|| "-".to_owned(), |[low, high]| format!("{low:.3} to {high:.3}"));
        let mean = difference.mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.3}"));
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"text\">{}</td><td>{wins}</td><td>{ties}</td><td>{losses}</td><td>{mean}</td><td>{interval}</td></tr>",
            text(second),
            text(metric)
        );
    }
    page.push_str("</table></div>\n");
}

fn metrics(page: &mut String, metrics: &[MetricRecord]) {
    page.push_str("<h2>What the columns measure</h2>\n<div class=\"wide\"><table>\n<tr><th></th><th class=\"text\">better</th><th class=\"text\">chance</th><th class=\"text\">what</th></tr>\n");
    for metric in metrics {
        let better = metric.better.as_deref().unwrap_or("neither");
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"text\">{better}</td><td class=\"text\">{}</td><td class=\"text\">{}</td></tr>",
            text(&metric.name),
            text(&metric.chance),
            text(&metric.description)
        );
    }
    page.push_str("</table></div>\n");
}
