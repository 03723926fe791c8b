//! `burncam explain`: one input after another, each whole or not at all.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use burncam::explain::{Drawing, Explainer, Explanation, Settings, Style, Subject};
use burncam::output::{self, OutputFile};
use burncam::record::{Artifact, Record};
use burncam::render::Overlay;

use crate::Outcome;
use crate::args::{ExplainArgs, OverlayArg};
use crate::discover::{Input, discover};
use crate::plan::{Destination, Plan};
use crate::{subjects, text};

/// Explains every input; a failing one is reported and the rest goes on.
pub(crate) fn run(args: &ExplainArgs, quiet: bool) -> Result<Outcome> {
    let inputs = discover(&args.inputs)?;
    let plan = Plan::new(args, &inputs)?;
    plan.check(&inputs, args.output.force)?;
    let model = subjects::open_model(&args.model)?;
    subjects::set_threads(&args.run)?;
    let explainer = Explainer::new(model, settings(args))?;
    log::info!("layer '{}': {}", explainer.layer().name, explainer.layer().reason);
    let mut failed = 0;
    for input in &inputs {
        match explain_one(args, &plan, &explainer, input) {
            Ok(report) => report.print(args, inputs.len() > 1, quiet)?,
            Err(error) => {
                failed += 1;
                text::error(&error);
            }
        }
    }
    if inputs.len() > 1 {
        log::info!("explained {} of {} images", inputs.len() - failed, inputs.len());
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::SomeFailed })
}

fn settings(args: &ExplainArgs) -> Settings {
    Settings {
        device: args.run.device.clone(),
        method: args.method,
        score: args.score,
        layer: args.layer.clone(),
        targets: args.targets.clone(),
        top_k: args.top_k.into(),
    }
}

fn style(args: &ExplainArgs) -> Style {
    let overlay = match args.style.overlay {
        OverlayArg::Alpha => Overlay::Alpha { limit: args.style.alpha_limit },
        OverlayArg::Blend => Overlay::Blend { alpha: args.style.alpha },
    };
    Style { overlay, colormap: args.style.colormap, interpolation: args.style.interpolation }
}

/// What there is to say about one explained input.
struct Report {
    record: Record,
    files: Vec<PathBuf>,
    /// Bytes for standard output, with `--out -`.
    picture: Option<Vec<u8>>,
}

fn explain_one(args: &ExplainArgs, plan: &Plan, explainer: &Explainer, input: &Input) -> Result<Report> {
    let subject = subjects::load(input, &args.picture, args.image.as_deref(), explainer.model())?;
    let explanation = explainer.explain(&subject)?;
    let style = style(args);
    let drawings = explanation.draw(&subject, &style, &plan.artifacts)?;
    if plan.destination == Destination::Stdout {
        let record = explainer.record(&subject, &explanation, Some(&style), no_files(&explanation));
        let picture = drawings.into_iter().flatten().next().map(|drawing| drawing.bytes);
        return Ok(Report { record, files: vec![], picture });
    }
    write(args, plan, explainer, input, &subject, &explanation, drawings)
}

fn no_files(explanation: &Explanation) -> Vec<Vec<Artifact>> {
    vec![vec![]; explanation.targets.len()]
}

fn write(
    args: &ExplainArgs,
    plan: &Plan,
    explainer: &Explainer,
    input: &Input,
    subject: &Subject,
    explanation: &Explanation,
    drawings: Vec<Vec<Drawing>>,
) -> Result<Report> {
    let directory = plan.directory(&input.below).ok_or_else(|| anyhow!("no output directory"))?;
    let mut files = Vec::new();
    let mut artifacts = Vec::new();
    for (target, drawings) in explanation.targets.iter().zip(drawings) {
        let mut of_target = Vec::new();
        for drawing in drawings {
            let file = plan.artifact_name(input, target.class.target, drawing.kind);
            files.push(OutputFile { path: directory.join(&file), bytes: drawing.bytes });
            of_target.push(Artifact { kind: drawing.kind.name().to_owned(), file });
        }
        artifacts.push(of_target);
    }
    let style = (!plan.artifacts.is_empty()).then(|| style(args));
    let record = explainer.record(subject, explanation, style.as_ref(), artifacts);
    if plan.record {
        let json = record.to_json().map_err(|problem| anyhow!("{problem}"))?;
        files.push(OutputFile { path: directory.join(plan.record_name(input)), bytes: json.into_bytes() });
    }
    output::write_together(&files, args.output.force)?;
    Ok(Report { record, files: files.into_iter().map(|file| file.path).collect(), picture: None })
}

impl Report {
    fn print(&self, args: &ExplainArgs, several: bool, quiet: bool) -> Result<()> {
        for warning in &self.record.warnings {
            log::warn!("{}: {warning}", self.record.input.path);
        }
        if let Some(picture) = &self.picture {
            text::data(picture)?;
        } else if args.output.json {
            let json = if several {
                self.record.to_json_line().map(|line| format!("{line}\n"))
            } else {
                self.record.to_json()
            };
            text::data(json.map_err(|problem| anyhow!("{problem}"))?.as_bytes())?;
        } else if !quiet {
            text::line(&self.sentence())?;
        }
        Ok(())
    }

    /// `coffee.png: espresso 95.1 % at layer _relu1 (7x7) -> out/coffee.gradcam.png, out/coffee.gradcam.json`.
    fn sentence(&self) -> String {
        let classes: Vec<String> = self
            .record
            .targets
            .iter()
            .map(|target| {
                let rank = if target.rank > 1 { format!(" (rank {})", target.rank) } else { String::new() };
                let blank = if target.finding.is_some() { ", blank map" } else { "" };
                // Synonyms follow a comma; one name is enough for a line.
                let name = target.class_name.split(", ").next().unwrap_or_default();
                format!("{name} {}{rank}{blank}", text::percent(target.proba))
            })
            .collect();
        let layer = &self.record.layer;
        let files = self.files_in_words();
        format!(
            "{}: {} at layer {} ({}x{}){files}",
            self.record.input.path,
            classes.join(", "),
            layer.name,
            layer.height,
            layer.width
        )
    }

    /// ` -> a.png, a.json`, or how many there are when they would not fit on a line.
    fn files_in_words(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|path| path.display().to_string()).collect();
        match (&names[..], self.files.last().and_then(|path| path.parent())) {
            ([], _) => String::new(),
            ([_, _, _, ..], Some(directory)) if !directory.as_os_str().is_empty() => {
                format!(" -> {} files in {}", names.len(), directory.display())
            }
            _ => format!(" -> {}", names.join(", ")),
        }
    }
}
