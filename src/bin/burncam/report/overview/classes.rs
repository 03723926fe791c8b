//! How well each class is recognised, and which is taken for which. Numbers are buttons, which the page's script makes filters of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use burncam::record::{Confusion, LabelCount, LabelRecord, Summary, percent};

use crate::html::text as safe;

/// Classes in the table: those with most mistakes.
const MOST_ROWS: usize = 100;

/// Classes in the confusion matrix: those with most mistakes. More do not fit next to each other.
const MOST_CLASSES: usize = 12;

/// A line for each true class, those with most mistakes first.
pub(super) fn table(page: &mut String, summary: &Summary) {
    let mut classes = summary.labels.ranked();
    if classes.is_empty() {
        return;
    }
    let mistakes = summary.confusion.ranked();
    // Stable, so that equal counts stay in order of class.
    classes.sort_by_key(|class| std::cmp::Reverse(class.count - class.correct));
    page.push_str(
        "<h2>How well each class is recognised</h2>\n<div class=\"wide\"><table class=\"classes\">\n<tr><th>true class</th>\
         <th>pictures</th><th>right</th><th>mistakes</th><th>of those predicted as it, right</th>\
         <th class=\"text\">most often taken for</th></tr>\n",
    );
    for class in classes.iter().take(MOST_ROWS) {
        row(page, class, &mistakes);
    }
    page.push_str("</table></div>\n");
    if let Some(more) = classes.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(
            page,
            "<p class=\"quiet\">{more} more classes with fewer mistakes are in summary.json.</p>"
        );
    }
}

fn row(page: &mut String, class: &LabelCount, mistakes: &[&Confusion]) {
    let index = class.label.target;
    let own = format!("data-label=\"{index}\"");
    let taken = mistakes.iter().find(|mistake| mistake.label.target == index);
    let taken = taken.map_or_else(String::new, |mistake| taken_for(mistake));
    let of_others = mistakes.iter().filter(|mistake| mistake.predicted.target == index);
    let of_others: usize = of_others.map(|mistake| mistake.count).sum();
    let share = |of: usize| if of == 0 { "-".to_owned() } else { percent(class.correct as f64 / of as f64) };
    let _ = writeln!(
        page,
        "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"text\">{taken}</td></tr>",
        safe(&class.label.class_name),
        button(&own, class.count),
        share(class.count),
        button(&format!("{own} data-only=\"mistakes\""), class.count - class.correct),
        share(class.correct + of_others),
    );
}

fn taken_for(Confusion { label, predicted, count }: &Confusion) -> String {
    let pair = format!("data-label=\"{}\" data-predicted=\"{}\"", label.target, predicted.target);
    format!("{} {}", safe(&predicted.class_name), button(&pair, *count))
}

/// A number that filters the page; nothing for none.
fn button(of: &str, count: usize) -> String {
    if count == 0 { String::new() } else { format!("<button type=\"button\" {of}>{count}</button>") }
}

/// The confusion matrix of the classes with most mistakes.
pub(super) fn matrix(page: &mut String, summary: &Summary) {
    let mistakes = summary.confusion.ranked();
    if summary.labels.is_empty() || mistakes.is_empty() {
        return;
    }
    let classes = confused(&mistakes);
    let counts: BTreeMap<(usize, usize), usize> = mistakes
        .iter()
        .map(|mistake| ((mistake.label.target, mistake.predicted.target), mistake.count))
        .collect();
    page.push_str("<h2>Which classes are taken for which</h2>\n<div class=\"wide\"><table class=\"matrix\">\n<tr><th>true class</th>");
    for number in 1..=classes.len() {
        let _ = write!(page, "<th>{number}</th>");
    }
    page.push_str("<th>others</th><th>pictures</th></tr>\n");
    let known = summary.labels.ranked();
    for (number, class) in classes.iter().enumerate() {
        let of = known.iter().find(|of| of.label.target == class.target);
        let (all, correct) = of.map_or((0, 0), |of| (of.count, of.correct));
        let _ = write!(page, "<tr><th>{}. {}</th>", number + 1, safe(&class.class_name));
        let mut shown = 0;
        for other in &classes {
            let is_right = other.target == class.target;
            let wrong = counts.get(&(class.target, other.target)).copied().unwrap_or_default();
            let count = if is_right { correct } else { wrong };
            shown += count;
            let kind = if is_right { " class=\"right\"" } else { "" };
            let pair = format!("data-label=\"{}\" data-predicted=\"{}\"", class.target, other.target);
            let _ = write!(page, "<td{kind}>{}</td>", button(&pair, count));
        }
        let rest = if all > shown { (all - shown).to_string() } else { String::new() };
        let whole = button(&format!("data-label=\"{}\"", class.target), all);
        let _ = writeln!(page, "<td>{rest}</td><td>{whole}</td></tr>");
    }
    page.push_str("</table></div>\n<p class=\"quiet\">Columns are the predicted classes with the numbers of the rows. A number shows its pictures below.</p>\n");
}

/// The classes with most mistakes, as the true or as the predicted class.
fn confused(mistakes: &[&Confusion]) -> Vec<LabelRecord> {
    let mut counts: BTreeMap<usize, (usize, &LabelRecord)> = BTreeMap::new();
    for mistake in mistakes {
        for class in [&mistake.label, &mistake.predicted] {
            counts.entry(class.target).or_insert((0, class)).0 += mistake.count;
        }
    }
    let mut ranked: Vec<(usize, &LabelRecord)> = counts.into_values().collect();
    // Stable, so that equal counts stay in order of class.
    ranked.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    ranked.into_iter().take(MOST_CLASSES).map(|(_, class)| class.clone()).collect()
}
