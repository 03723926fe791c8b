//! `burncam check --picture`: prints the network's input for a picture, and its comparison with another framework.

use std::path::Path;

use anyhow::{Result, bail};
use burncam::Model;
use burncam::check::{InputCheck, PictureReport, PictureRequest, StageCheck, check_picture};

use super::table::{figure, row};
use crate::args::CheckArgs;
use crate::flags::WORDS;
use crate::outcome::Outcome;
use crate::text;

/// Checks one picture and prints the results.
pub(super) fn run(args: &CheckArgs, photo: &Path, model: Model) -> Result<Outcome> {
    if let Some(path) = args.reference.as_deref().filter(|_| args.json_reference().is_none()) {
        bail!(
            "reference '{}': expected a .json file with --picture (leave out --picture for arrays)",
            path.display()
        );
    }
    let request = PictureRequest {
        background: args.background,
        window: args.window,
        device: args.place.device.clone(),
        reference: args.reference.clone(),
        tolerance: args.tolerance.unwrap_or(PictureRequest::TOLERANCE),
        wording: WORDS,
        ..PictureRequest::new(photo)
    };
    let report = check_picture(model, &request)?;
    for warning in &report.warnings {
        log::warn!("{}: {warning}", photo.display());
    }
    if args.format.json {
        text::json_line(&serde_json::to_string(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(if report.passed { Outcome::Done } else { Outcome::SomeFailed })
}

fn print(report: &PictureReport) -> Result<()> {
    let picture = &report.picture;
    let [_, channels, height, width] = report.shape;
    for (name, value) in [
        ("model", report.model.clone()),
        ("file", report.file.clone()),
        ("device", report.device.clone()),
        ("picture", format!("{} ({}, {} x {})", picture.path, picture.format, picture.width, picture.height)),
        ("input", format!("1 x {channels} x {height} x {width} (channels, height, width)")),
    ] {
        text::line(&format!("{name:<8}{value}"))?;
    }
    text::line("")?;
    let numbers = report.channels.iter().enumerate().map(|(channel, numbers)| {
        let [mean, min, max] = [numbers.mean, numbers.min.into(), numbers.max.into()];
        vec![channel.to_string(), format!("{mean:.4}"), format!("{min:.4}"), format!("{max:.4}")]
    });
    text::lines(&text::table(&["channel", "mean", "min", "max"], &numbers.collect::<Vec<_>>()))?;
    text::line("")?;
    for class in &report.predictions {
        text::line(&format!("{:>7}  {:>4}  {}", class.shown(), class.target, class.class_name))?;
    }
    let rows = rows(report);
    if rows.is_empty() {
        return Ok(());
    }
    let header = ["check", "result", "difference", "limit", "what was compared"];
    text::line("")?;
    text::lines(&text::table(&header, &rows))?;
    if let Some(finding) = &report.finding {
        text::line("")?;
        text::line(finding)?;
    }
    Ok(())
}

fn rows(report: &PictureReport) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = report.input.iter().map(input).collect();
    let stages = [
        ("network", "on the reference's input", &report.network),
        ("picture", "from the file on", &report.result),
    ];
    for (name, from, check) in stages {
        rows.extend(check.as_ref().map(|check| stage(name, from, check, report.tolerance)));
    }
    rows
}

fn input(check: &InputCheck) -> Vec<String> {
    let InputCheck { levels, mean_levels, limit, .. } = *check;
    let remark = format!(
        "prepared pictures, in levels of 0 to 255: at most {} apart, {} in the mean",
        figure(levels),
        figure(mean_levels)
    );
    row("input", check.status, Some(levels), limit, remark)
}

fn stage(name: &str, from: &str, check: &StageCheck, tolerance: f64) -> Vec<String> {
    let same = if check.same_top_class { "the same top class" } else { "another top class" };
    let remark = format!("{} of {} {from}, {same}", check.compared, counted_classes(check.classes));
    row(name, check.status, Some(check.difference), tolerance, remark)
}

fn counted_classes(count: usize) -> String {
    format!("{count} class{}", if count == 1 { "" } else { "es" })
}
