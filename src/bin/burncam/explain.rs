//! `burncam explain`: one input after another, each whole or not at all.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use burncam::explain::{ClassExplanation, Explainer, Explanation, Illustration, Scale, Style, Subject};
use burncam::output::{self, OutputFile};
use burncam::record::{Artifact, Record};
use burncam::render::{CELL, SheetRow, encode_png, thumbnail};
use image::RgbImage;

use crate::args::{ExplainArgs, ScaleArg};
use crate::discover::{Input, discover};
use crate::plan::{Destination, Plan};
use crate::request::{settings, style};
use crate::{Outcome, progress, sheet, subjects, text};

/// Explains every input; a failing one is reported and the rest goes on.
pub(crate) fn run(args: &ExplainArgs, quiet: bool) -> Result<Outcome> {
    let inputs = discover(&args.inputs)?.inputs;
    let plan = Plan::new(args, &inputs)?;
    plan.check(&inputs, args.output.force)?;
    if args.method.scale == ScaleArg::Shared && inputs.iter().any(Input::is_stdin) {
        bail!("--scale shared reads every input twice, which standard input cannot be (name a file)");
    }
    let style = style(args)?;
    let model = subjects::open_model(&args.model)?;
    subjects::set_threads(&args.run.place)?;
    let settings = settings(args, &plan.methods, model.output(), progress::listener(quiet));
    let explainer = Explainer::new(model, settings)?;
    for layer in explainer.layers() {
        log::info!("layer '{}': {}", layer.name, layer.reason);
    }
    let job = Job { args, plan: &plan, explainer: &explainer, style };
    let shared = if args.method.scale == ScaleArg::Shared { Some(job.shared_scales(&inputs)) } else { None };
    let mut failed = 0;
    for input in &inputs {
        match job.explain(input, shared.as_deref()) {
            Ok(report) => report.print(args, inputs.len() > 1 || plan.methods.len() > 1, quiet)?,
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

/// What stays the same from input to input.
struct Job<'a> {
    args: &'a ExplainArgs,
    plan: &'a Plan,
    explainer: &'a Explainer,
    style: Style,
}

/// What there is to say about one explained input.
struct Report {
    /// One a method.
    records: Vec<Record>,
    files: Vec<PathBuf>,
    /// Bytes for standard output, with `--out -`.
    picture: Option<Vec<u8>>,
}

impl Job<'_> {
    fn load(&self, input: &Input) -> Result<Subject> {
        subjects::load(input, &self.args.picture, self.args.image.as_deref(), self.explainer.model())
    }

    /// The greatest value of any map of each method over all inputs. One that cannot be read is told of later.
    fn shared_scales(&self, inputs: &[Input]) -> Vec<f32> {
        let mut greatest = vec![0.0_f32; self.plan.methods.len()];
        for input in inputs {
            let explanations = self.load(input).and_then(|subject| Ok(self.explainer.explain(&subject)?));
            for (most, explanation) in greatest.iter_mut().zip(explanations.into_iter().flatten()) {
                *most = most.max(explanation.magnitude());
            }
        }
        greatest
    }

    fn explain(&self, input: &Input, shared: Option<&[f32]>) -> Result<Report> {
        let subject = self.load(input)?;
        let mut explanations = self.explainer.explain(&subject)?;
        for (explanation, scale) in explanations.iter_mut().zip(shared.unwrap_or_default()) {
            // Where every map is blank there is nothing to divide.
            explanation.scale = if *scale > 0.0 { Scale::Fixed(*scale) } else { Scale::Own };
        }
        if self.plan.destination == Destination::Stdout {
            return self.to_stdout(&subject, &explanations);
        }
        self.write(input, &subject, &explanations)
    }

    fn to_stdout(&self, subject: &Subject, explanations: &[Explanation]) -> Result<Report> {
        let record = |explanation: &Explanation| {
            let none = vec![vec![]; explanation.targets.len()];
            self.explainer.record(subject, explanation, &self.style, none)
        };
        let records = explanations.iter().map(record).collect();
        let mut picture = None;
        for explanation in explanations {
            let drawings = explanation.draw(subject, &self.style, &self.plan.artifacts)?;
            picture = picture.or(drawings.into_iter().flatten().next().map(|drawing| drawing.bytes));
        }
        Ok(Report { records, files: vec![], picture })
    }

    /// Pictures and boxes of one class, from one enlarged map.
    fn draw(
        &self,
        input: &Input,
        subject: &Subject,
        explanation: &Explanation,
        target: &ClassExplanation,
    ) -> Result<Drawn> {
        let canvas = explanation.canvas(target, subject, &self.style);
        let (drawings, boxes) = canvas.draw_with_boxes(&self.plan.artifacts)?;
        let mut drawn = Drawn {
            files: vec![],
            illustration: Illustration { artifacts: vec![], boxes },
            cell: self.plan.grid.then(|| thumbnail(canvas.overlay(), CELL)).transpose()?,
        };
        for drawing in drawings {
            let name = self.plan.artifact_name(input, explanation.method, target.class.target, drawing.kind);
            let kind = drawing.kind.name().to_owned();
            drawn.illustration.artifacts.push(Artifact { kind, file: name.clone() });
            drawn.files.push((name, drawing.bytes));
        }
        Ok(drawn)
    }

    /// Everything of one input at once, the records last: a record means that its pictures exist.
    fn write(&self, input: &Input, subject: &Subject, explanations: &[Explanation]) -> Result<Report> {
        let directory = self.plan.directory(&input.below).ok_or_else(|| anyhow!("no output directory"))?;
        let mut files = Vec::new();
        let mut records = Vec::new();
        let mut rows = Vec::new();
        for explanation in explanations {
            let mut illustrations = Vec::new();
            let mut row = SheetRow { label: explanation.method.info().title.to_owned(), cells: vec![] };
            for target in &explanation.targets {
                let drawn = self.draw(input, subject, explanation, target)?;
                files.extend(
                    drawn
                        .files
                        .into_iter()
                        .map(|(name, bytes)| OutputFile { path: directory.join(name), bytes }),
                );
                illustrations.push(drawn.illustration);
                row.cells.extend(drawn.cell);
            }
            rows.push(row);
            records.push(self.explainer.illustrated_record(subject, explanation, &self.style, illustrations));
        }
        if self.plan.grid {
            let sheet = sheet::sheet(self.explainer, subject, explanations, rows, &self.style);
            let bytes = encode_png(&sheet.draw()?, self.style.png_level)?;
            files.push(OutputFile { path: directory.join(self.plan.grid_name(input)), bytes });
        }
        if self.plan.record {
            for (explanation, record) in explanations.iter().zip(&records) {
                let json = record.to_json().map_err(|problem| anyhow!("{problem}"))?;
                let path = directory.join(self.plan.record_name(input, explanation.method));
                files.push(OutputFile { path, bytes: json.into_bytes() });
            }
        }
        output::write_together(&files, self.args.output.force)?;
        Ok(Report { records, files: files.into_iter().map(|file| file.path).collect(), picture: None })
    }
}

/// What one class of a method gives.
struct Drawn {
    /// Names and bytes.
    files: Vec<(String, Vec<u8>)>,
    illustration: Illustration,
    /// For the sheet, small at once, so that a sheet of many does not hold them all in full size.
    cell: Option<RgbImage>,
}

impl Report {
    fn print(&self, args: &ExplainArgs, several: bool, quiet: bool) -> Result<()> {
        for record in &self.records {
            for warning in &record.warnings {
                log::warn!("{}: {warning}", record.input.path);
            }
        }
        if let Some(picture) = &self.picture {
            return text::data(picture);
        }
        if args.output.json {
            for record in &self.records {
                let json = if several {
                    record.to_json_line().map(|line| format!("{line}\n"))
                } else {
                    record.to_json()
                };
                text::data(json.map_err(|problem| anyhow!("{problem}"))?.as_bytes())?;
            }
        } else if !quiet {
            text::line(&self.sentence())?;
        }
        Ok(())
    }

    /// `coffee.png: espresso 95.1 % at layer _relu1 (7x7) -> out/coffee.gradcam.png, out/coffee.gradcam.json`.
    fn sentence(&self) -> String {
        let Some(first) = self.records.first() else { return String::new() };
        let classes: Vec<String> = first
            .targets
            .iter()
            .enumerate()
            .map(|(at, target)| {
                let rank = if target.rank > 1 { format!(" (rank {})", target.rank) } else { String::new() };
                // Synonyms follow a comma; one name is enough for a line.
                let name = target.class_name.split(", ").next().unwrap_or_default();
                format!("{name} {}{rank}{}", text::percent(target.proba), self.blanks(at))
            })
            .collect();
        let layers: Vec<String> = self
            .records
            .iter()
            .map(|record| &record.layers)
            .find(|layers| !layers.is_empty())
            .map(|layers| layers.iter().map(|l| format!("{} ({}x{})", l.name, l.height, l.width)).collect())
            .unwrap_or_default();
        let place = match &layers[..] {
            [] => String::new(),
            [layer] => format!(" at layer {layer}"),
            several => format!(" at layers {}", several.join(", ")),
        };
        let methods =
            if self.records.len() > 1 { format!(", {} methods", self.records.len()) } else { String::new() };
        format!("{}: {}{place}{methods}{}", first.input.path, classes.join(", "), self.files_in_words())
    }

    /// Which of the methods had nothing to show for a target.
    fn blanks(&self, target: usize) -> String {
        let blank = |record: &&Record| record.targets[target].finding.is_some();
        let names: Vec<&str> =
            self.records.iter().filter(blank).map(|record| record.settings.method.as_str()).collect();
        match names[..] {
            [] => String::new(),
            _ if self.records.len() == 1 => ", blank map".to_owned(),
            _ => format!(", blank map of {}", names.join(" and ")),
        }
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
