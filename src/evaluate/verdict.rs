//! Which of these methods should be used? The answer of the figures, or why they give none.
//!
//! Each metric that says which is better ranks the rows by their means; the best method has the least mean rank. What a metric does not
//! rank for a row, because all its maps are blank, is the last rank. A method whose maps were found not to depend on the weights is never taken,
//! regardless of its ranks.

use burncam_metrics::Better;

use super::info::Rule;
use super::metric::Metric;
use crate::check::SanityRequest;
use crate::record::{EvaluatedRow, PairRecord};

/// Targets below which an interval says little: resampling so few values gives too narrow ones.
const ENOUGH: usize = 10;

/// The index of the method with the best mean rank; `None` when no metric says which is better, or no method that may be chosen has a figure.
pub(super) fn best(metrics: &[Metric], rows: &[EvaluatedRow]) -> Option<usize> {
    let ranks = mean_ranks(metrics, rows)?;
    // The first of equal ones, which is the one that was named first.
    choosable(metrics, rows).min_by(|a, b| ranks[*a].total_cmp(&ranks[*b]))
}

/// The methods that may be chosen: those with figures whose maps depend on the weights, as far as that is known.
fn choosable(metrics: &[Metric], rows: &[EvaluatedRow]) -> impl Iterator<Item = usize> {
    let is_one = |row: &EvaluatedRow| {
        !row.is_baseline && has_figures(row) && similarity(metrics, row).is_none_or(|found| !is_insane(found))
    };
    (0..rows.len()).filter(move |at| is_one(&rows[*at]))
}

/// How alike the maps of a row are before and after weights are randomised, if that was measured.
fn similarity(metrics: &[Metric], row: &EvaluatedRow) -> Option<f64> {
    let at = metrics.iter().position(|metric| matches!(metric.info().rule, Rule::Weights))?;
    row.figures.get(at)?.mean
}

fn is_insane(similarity: f64) -> bool {
    similarity >= SanityRequest::LIMIT
}

/// The methods whose maps do not depend on the weights, with what was measured.
fn independent(metrics: &[Metric], rows: &[EvaluatedRow]) -> Vec<String> {
    let methods = rows.iter().filter(|row| !row.is_baseline);
    let found =
        methods.filter_map(|row| Some((row, similarity(metrics, row).filter(|found| is_insane(*found))?)));
    found.map(|(row, similarity)| format!("{} (sanity {similarity:.2})", row.name)).collect()
}

/// The metrics that count: those that vote, and that any row has a figure of.
fn votes(metrics: &[Metric], rows: &[EvaluatedRow]) -> Vec<usize> {
    let has_figure = |at: usize| rows.iter().any(|row| row.figures[at].mean.is_some());
    (0..metrics.len()).filter(|at| metrics[*at].info().votes && has_figure(*at)).collect()
}

fn has_figures(row: &EvaluatedRow) -> bool {
    row.figures.iter().any(|figure| figure.mean.is_some())
}

/// For each row the mean over metrics of its rank among all rows, 1 for the best; equal rows share the mean of their ranks.
fn mean_ranks(metrics: &[Metric], rows: &[EvaluatedRow]) -> Option<Vec<f64>> {
    let votes = votes(metrics, rows);
    if votes.is_empty() {
        return None;
    }
    let key = |row: &EvaluatedRow, at: usize| match (row.figures[at].mean, metrics[at].info().better) {
        (Some(mean), Some(Better::Higher)) => -mean,
        (Some(mean), Some(Better::Lower)) => mean,
        _ => f64::INFINITY,
    };
    let rank = |row: &EvaluatedRow, at: usize| {
        let own = key(row, at);
        let less = rows.iter().filter(|other| key(other, at) < own).count();
        let equal = rows.iter().filter(|other| key(other, at) == own).count();
        less as f64 + (equal + 1) as f64 / 2.0
    };
    let mean = |row: &EvaluatedRow| votes.iter().map(|at| rank(row, *at)).sum::<f64>() / votes.len() as f64;
    Some(rows.iter().map(mean).collect())
}

/// The answer in a sentence.
pub(super) fn sentence(
    metrics: &[Metric],
    rows: &[EvaluatedRow],
    best: Option<usize>,
    comparisons: &[PairRecord],
) -> String {
    let independent = independent(metrics, rows);
    let left_out = match &independent[..] {
        [] => String::new(),
        names => format!("; {} left out, because maps hardly change with the weights", joined(names)),
    };
    let (Some(best), Some(ranks)) = (best, mean_ranks(metrics, rows)) else {
        let method = if independent.is_empty() { "method" } else { "other method" };
        return format!(
            "no choice: no {method} has a figure of a metric that says which is better{left_out}"
        );
    };
    let name = &rows[best].name;
    let names = votes(metrics, rows).into_iter().map(|at| metrics[at].to_string());
    let over = joined(&names.collect::<Vec<_>>());
    let by_rank = |row: &usize, other: &usize| ranks[*row].total_cmp(&ranks[*other]);
    let baseline = (0..rows.len()).filter(|row| rows[*row].is_baseline).min_by(by_rank);
    if let Some(baseline) = baseline.filter(|baseline| ranks[*baseline] <= ranks[best]) {
        let other = &rows[baseline].name;
        return format!(
            "none of these: the baseline '{other}', which does not know the network, ranks at least as well as {name}, the best of them, over {over}{left_out}"
        );
    }
    let next = choosable(metrics, rows).filter(|row| *row != best).min_by(by_rank);
    let Some(next) = next else {
        let others = if left_out.is_empty() { "; no other method was evaluated" } else { &left_out };
        return format!("{name} ranks better than every baseline over {over}{others}");
    };
    let second = &rows[next].name;
    let pairs: Vec<&PairRecord> = comparisons.iter().filter(|one| one.second == *second).collect();
    format!("{name} ranks best over {over}, before {second}{}{left_out}", certainty(metrics, &pairs))
}

/// How sure it is that the first of these pairs is the better one.
fn certainty(metrics: &[Metric], pairs: &[&PairRecord]) -> String {
    let most = pairs.iter().map(|pair| pair.difference.count).max().unwrap_or_default();
    if most < ENOUGH {
        return format!("; {most} targets are too few to say more");
    }
    let clear = |wanted: Better| -> Vec<String> {
        let is_it = |pair: &&&PairRecord| side(metrics, pair) == Some(wanted);
        pairs.iter().filter(is_it).map(|pair| pair.metric.clone()).collect()
    };
    match (&clear(Better::Higher)[..], &clear(Better::Lower)[..]) {
        ([], []) => ", but no metric distinguishes the two on these pictures".to_owned(),
        ([], worse) => format!(", but is clearly better on none and worse on {}", joined(worse)),
        (better, []) => format!(", and is clearly better on {}", joined(better)),
        (better, worse) => format!(": clearly better on {}, and worse on {}", joined(better), joined(worse)),
    }
}

/// Whether the first of a pair is better (`Higher`) or worse on a metric that votes: the interval of the difference is on one side of zero.
fn side(metrics: &[Metric], pair: &PairRecord) -> Option<Better> {
    let metric = metrics.iter().find(|metric| metric.info().votes && metric.to_string() == pair.metric)?;
    let [low, high] = pair.difference.interval?;
    match (low > 0.0, high < 0.0, metric.info().better?) {
        (true, _, Better::Higher) | (_, true, Better::Lower) => Some(Better::Higher),
        (true, ..) | (_, true, _) => Some(Better::Lower),
        _ => None,
    }
}

/// `drop, increase and deletion`.
fn joined(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FigureRecord;

    fn row(name: &str, is_baseline: bool, means: [Option<f64>; 2]) -> EvaluatedRow {
        let figure = |mean: Option<f64>| FigureRecord { count: 24, mean, ..FigureRecord::default() };
        let figures = means.map(figure).to_vec();
        EvaluatedRow { name: name.to_owned(), is_baseline, blank: 0, figures, curves: vec![] }
    }

    fn metrics() -> Vec<Metric> {
        ["insertion", "deletion"].map(|name| name.parse().unwrap()).to_vec()
    }

    fn pair(metric: &str, count: usize, interval: [f64; 2]) -> PairRecord {
        let difference = FigureRecord { count, interval: Some(interval), ..FigureRecord::default() };
        let [first, second] = ["a", "b"].map(str::to_owned);
        PairRecord { metric: metric.to_owned(), first, second, wins: 0, ties: 0, losses: 0, difference }
    }

    fn answer(rows: &[EvaluatedRow], pairs: &[PairRecord]) -> String {
        sentence(&metrics(), rows, best(&metrics(), rows), pairs)
    }

    #[test]
    fn the_best_mean_rank_is_taken_and_what_is_clear_is_said() {
        let rows = [
            row("b", false, [Some(0.8), Some(0.3)]),
            row("a", false, [Some(0.9), Some(0.2)]),
            row("random", true, [Some(0.1), Some(0.9)]),
        ];
        assert_eq!(best(&metrics(), &rows), Some(1));
        let clear = [pair("insertion", 24, [0.05, 0.15]), pair("deletion", 24, [0.1, 0.2])];
        let expected = "a ranks best over insertion and deletion, before b: clearly better on insertion, and worse on deletion";
        assert_eq!(answer(&rows, &clear), expected, "lower is better for deletion");
        let open = [pair("insertion", 24, [-0.05, 0.15])];
        assert!(
            answer(&rows, &open).ends_with("before b, but no metric distinguishes the two on these pictures")
        );
        let few = [pair("insertion", 3, [0.05, 0.15])];
        assert!(answer(&rows, &few).ends_with("before b; 3 targets are too few to say more"));
    }

    #[test]
    fn a_baseline_that_ranks_as_well_is_no_reason_to_choose() {
        let rows = [row("a", false, [Some(0.8), Some(0.3)]), row("centre", true, [Some(0.8), Some(0.3)])];
        assert!(answer(&rows, &[]).starts_with("none of these: the baseline 'centre'"));
    }

    #[test]
    fn a_method_whose_maps_do_not_depend_on_the_weights_is_never_recommended() {
        let mut metrics = metrics();
        metrics.push("sanity".parse().unwrap());
        let row = |name, is_baseline, means: [f64; 3]| {
            let mut row = row(name, is_baseline, [Some(means[0]), Some(means[1])]);
            row.figures.push(FigureRecord { count: 8, mean: Some(means[2]), ..FigureRecord::default() });
            row
        };
        let best_of_all = row("guided", false, [0.9, 0.1, 0.5]);
        let rows = [
            best_of_all.clone(),
            row("a", false, [0.7, 0.3, 0.25]),
            row("b", false, [0.8, 0.4, 0.375]),
            row("random", true, [0.1, 0.9, 1.0]),
        ];
        let answer = |rows: &[EvaluatedRow]| sentence(&metrics, rows, best(&metrics, rows), &[]);
        assert_eq!(best(&metrics, &rows), Some(1));
        let said = answer(&rows);
        assert!(said.starts_with("a ranks best over insertion and deletion, before b"), "{said}");
        let left_out = "; guided (sanity 0.50) left out, because maps hardly change with the weights";
        assert!(said.ends_with(left_out), "{said}");
        let said = answer(&[best_of_all.clone(), rows[1].clone(), rows[3].clone()]);
        assert_eq!(said, format!("a ranks better than every baseline over insertion and deletion{left_out}"));
        let said = answer(&[best_of_all, rows[3].clone()]);
        assert_eq!(
            said,
            format!(
                "no choice: no other method has a figure of a metric that says which is better{left_out}"
            )
        );
    }

    #[test]
    fn blank_maps_rank_last_and_without_figures_there_is_no_choice() {
        let rows = [
            row("blank", false, [None, None]),
            row("a", false, [Some(0.1), Some(0.9)]),
            row("random", true, [Some(0.05), Some(0.95)]),
        ];
        assert_eq!(best(&metrics(), &rows), Some(1));
        assert!(answer(&rows, &[]).starts_with("a ranks better than every baseline"));
        assert!(answer(&rows[..1], &[]).starts_with("no choice"));
        let complexity: Vec<Metric> = vec!["sparseness".parse().unwrap()];
        assert_eq!(best(&complexity, &rows), None);
    }
}
