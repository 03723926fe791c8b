//! The summary at the end of a run over several images. Receives it; writes a file, and a few lines for the terminal.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::internal::output::{self, OutputFile};
use burncam::record::{Accuracy, Confusion, Heat, RunTime, SUMMARY_VERSION, Summary, percent};
use burncam_graph::memory::{Part, read_text};

use crate::text;

/// What the file of a summary is called, without number of a shard and ending.
pub(crate) const STEM: &str = "summary";

/// Number of classes printed; `summary.json` has all of them.
const SHOWN_CLASSES: usize = 5;

/// Writes a summary atomically.
///
/// # Errors
/// When the file exists and `overwrite` is off, or cannot be written.
pub(crate) fn write(summary: &Summary, path: PathBuf, overwrite: bool) -> Result<()> {
    let bytes = summary.to_json()?.into_bytes();
    Ok(output::write_together(&[OutputFile { path, bytes }], &[], overwrite)?)
}

/// The summaries in these files as one.
///
/// # Errors
/// When one cannot be read, or they do not go together.
pub(crate) fn joined(files: &[PathBuf]) -> Result<Summary> {
    Ok(Summary::merge(files.iter().map(|path| read(path)).collect::<Result<_>>()?)?)
}

fn read(path: &Path) -> Result<Summary> {
    let bytes = read_text(path, Part::Text)?;
    let about = || format!("summary '{}' is not one of burncam's, version {SUMMARY_VERSION}", path.display());
    let summary: Summary = serde_json::from_slice(&bytes).with_context(about)?;
    if summary.schema_version != SUMMARY_VERSION {
        bail!(
            "summary '{}' has version {}, expected {SUMMARY_VERSION} (merge with the burncam that wrote it)",
            path.display(),
            summary.schema_version
        );
    }
    Ok(summary)
}

/// The results of a run, as lines.
pub(crate) fn words(summary: &Summary) -> Vec<String> {
    let shard = summary.shard.as_ref().map_or_else(String::new, |shard| format!(" in shard {shard}"));
    let verb = match (&summary.selection, summary.predicted_only) {
        (Some(selection), others) => format!("explained ({selection}), {others} predicted only"),
        (None, 0) => "explained".to_owned(),
        (None, others) => format!("explained, {others} predicted only"),
    };
    let done = (summary.explained, verb.as_str());
    let mut lines = vec![outcome(summary.images, &shard, done, summary.failed, &summary.run)];
    lines.extend(classes(summary));
    lines.extend(summary.accuracy.as_ref().map(accuracy));
    lines.extend(summary.confusion.ranked().first().map(|mistake| most_frequent(mistake)));
    lines.extend(summary.heat.ranked().into_iter().filter_map(on_objects));
    if summary.blank > 0 {
        lines
            .push(format!("{} with a blank map; the records say why", text::counted(summary.blank, "image")));
    }
    if summary.interrupted {
        let done = summary.explained + summary.predicted_only + summary.failed;
        lines.push(format!(
            "interrupted after {done} of {} (the same command with --resume does the rest)",
            text::counted(summary.images, "image")
        ));
    }
    lines
}

/// `2000 images: 1987 explained, 13 failed, in 64 s (31 images per second)`.
pub(crate) fn outcome(
    images: usize,
    shard: &str,
    (done, verb): (usize, &str),
    failed: usize,
    run: &RunTime,
) -> String {
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let rate = match run.images_per_second {
        _ if run.explained == 0 => String::new(),
        rate if rate < 10.0 => format!(" ({rate:.1} images per second)"),
        rate => format!(" ({rate:.0} images per second)"),
    };
    let images = text::counted(images, "image");
    format!("{images}{shard}: {done} {verb}{failed}, in {}{rate}", text::duration(run.seconds))
}

/// `most frequent: tabby 312, espresso 288 and 17 other classes; mean probability 81.2 %`.
fn classes(summary: &Summary) -> Option<String> {
    let ranked = summary.classes.ranked();
    // Synonyms follow a comma; the first is enough for a line.
    let name = |name: &str| name.split(", ").next().unwrap_or_default().to_owned();
    let named = ranked.iter().take(SHOWN_CLASSES);
    let named: Vec<String> =
        named.map(|class| format!("{} {}", name(&class.class_name), class.count)).collect();
    let others = match ranked.len().saturating_sub(SHOWN_CLASSES) {
        0 => String::new(),
        1 => " and 1 other class".to_owned(),
        more => format!(" and {more} other classes"),
    };
    let mean = summary.mean_proba?;
    if named.is_empty() {
        return Some(format!("mean probability {}", percent(mean)));
    }
    Some(format!("most frequent: {}{others}; mean probability {}", named.join(", "), percent(mean)))
}

/// `right: 81.5 % (top 5: 95.0 %) of 1987 labelled images`.
pub(crate) fn accuracy(accuracy: &Accuracy) -> String {
    let top5 = accuracy.top5.map_or_else(String::new, |share| format!(" (top 5: {})", percent(share)));
    let labelled = text::counted(accuracy.labelled, "labelled image");
    format!("right: {}{top5} of {labelled}", percent(accuracy.top1))
}

fn most_frequent(mistake: &Confusion) -> String {
    let times = text::counted(mistake.count, "time");
    format!(
        "most frequent mistake: '{}' taken for '{}', {times}",
        mistake.label.class_name, mistake.predicted.class_name
    )
}

/// `heat of gradcam on the objects: 43.1 % (12.0 % of the area); 14 of 40 maps miss them, 5 of 'dog' are on 'cat'`.
fn on_objects(heat: &Heat) -> Option<String> {
    let on = heat.objects?;
    let reasons = heat.wrong_reasons.ranked();
    let most = reasons.first().map_or_else(String::new, |most| {
        let place =
            most.on.as_ref().map_or("no other object".to_owned(), |class| format!("'{}'", class.class_name));
        let are = if most.count == 1 { "is" } else { "are" };
        format!(", {} of '{}' {are} on {place}", most.count, most.explained.class_name)
    });
    Some(format!(
        "heat of {} on the objects: {} ({} of the area); {} of {} miss them{most}",
        heat.method,
        percent(on.energy),
        percent(on.area),
        on.missed,
        text::counted(on.maps, "map")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(json: &serde_json::Value) -> Summary {
        let mut whole: serde_json::Value =
            serde_json::from_str(&Summary::new("made", "0", 2000).to_json().unwrap()).unwrap();
        for (name, value) in json.as_object().unwrap() {
            whole[name] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_finished_run_says_what_it_found() {
        let class = |target: usize, name: &str, count: usize| serde_json::json!({ "target": target, "class_name": name, "count": count, "mean_proba": 0.5 });
        let summary = summary(&serde_json::json!({
            "explained": 1987, "failed": 13, "mean_proba": 0.8125,
            "classes": [
                class(281, "tabby, tabby cat", 1000), class(967, "espresso", 500), class(1, "goldfish", 400),
                class(2, "shark", 50), class(3, "ray", 30), class(4, "cock", 7)
            ],
            "accuracy": { "labelled": 1987, "top1_correct": 1, "top5_correct": 2, "top1": 0.815, "top5": 0.95 },
            "confusion": [{
                "label": { "target": 1, "class_name": "goldfish" },
                "predicted": { "target": 2, "class_name": "shark" }, "count": 12
            }],
            "blank": 3,
            "run": { "seconds": 64.25, "explained": 1987, "images_per_second": 30.93 }
        }));
        let expected = "\
2000 images: 1987 explained, 13 failed, in 64 s (31 images per second)
most frequent: tabby 1000, espresso 500, goldfish 400, shark 50, ray 30 and 1 other class; mean probability 81.2 %
right: 81.5 % (top 5: 95.0 %) of 1987 labelled images
most frequent mistake: 'goldfish' taken for 'shark', 12 times
3 images with a blank map; the records say why";
        assert_eq!(words(&summary).join("\n"), expected);
    }

    #[test]
    fn an_interrupted_run_says_how_to_go_on() {
        let summary = summary(&serde_json::json!({
            "shard": "2/4", "failed": 1, "interrupted": true, "run": { "seconds": 725.0, "explained": 0, "images_per_second": 0.0 }
        }));
        let expected = "\
2000 images in shard 2/4: 0 explained, 1 failed, in 12 min 5 s
interrupted after 1 of 2000 images (the same command with --resume does the rest)";
        assert_eq!(words(&summary).join("\n"), expected);
    }
}
