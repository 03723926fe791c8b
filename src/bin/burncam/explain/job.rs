//! From inputs to their files: each input whole or not at all.
//!
//! Receives a few inputs at a time, which share a pass through the network; hands on what there is to say about each.

use anyhow::{Context as _, Result, anyhow};
use burncam::explain::{ClassExplanation, Explainer, Explanation, Illustration, Scale, Style, Subject};
use burncam::output::{self, OutputFile};
use burncam::record::{Artifact, Record};
use burncam::render::{CELL, SheetRow, encode_png, thumbnail};
use image::RgbImage;
use rayon::prelude::*;

use super::explained::Explained;
use super::resume::{Redone, kept};
use crate::args::ExplainArgs;
use crate::contain::{contained, contained_for};
use crate::discover::Input;
use crate::labels::Label;
use crate::plan::{Destination, Plan};
use crate::{sheet, subjects};

/// What stays the same from input to input.
pub(crate) struct Job<'a> {
    pub(crate) args: &'a ExplainArgs,
    pub(crate) plan: &'a Plan,
    pub(crate) explainer: &'a Explainer,
    pub(crate) style: Style,
    /// What maps of each method are divided by, with `--scale shared`.
    pub(crate) shared: Option<Vec<f32>>,
    /// What `--resume` could not keep.
    pub(crate) redone: Redone,
}

/// An input and its true class.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) input: Input,
    pub(crate) label: Option<usize>,
}

impl From<(Input, Label)> for Task {
    fn from((mut input, label): (Input, Label)) -> Self {
        let label = match label {
            Label::Missing => None,
            Label::Class(class) => Some(class),
            Label::Unknown(problem) => {
                input.problem.get_or_insert(problem);
                None
            }
        };
        Self { input, label }
    }
}

/// How far an input has come.
enum Stage {
    Ready(Box<Subject>),
    Over(Result<Explained>),
}

impl Job<'_> {
    /// Explains a few inputs and writes their files. What one does, even a failure inside burncam, is its own.
    pub(crate) fn explain(&self, tasks: &[Task]) -> Vec<Result<Explained>> {
        let stages: Vec<Stage> = tasks.iter().map(|task| self.prepare(task)).collect();
        let subjects: Vec<&Subject> = stages
            .iter()
            .filter_map(|stage| match stage {
                Stage::Ready(subject) => Some(subject.as_ref()),
                Stage::Over(_) => None,
            })
            .collect();
        let mut explanations = self.explain_all(&subjects).into_iter();
        let finish = |(task, stage): (&Task, Stage)| match stage {
            Stage::Over(result) => result,
            Stage::Ready(subject) => {
                let explanations =
                    explanations.next().unwrap_or_else(|| Err(anyhow!("no explanation was made")))?;
                contained_for(&task.input.path, || self.finish(&task.input, &subject, explanations))
            }
        };
        tasks.iter().zip(stages).map(finish).collect()
    }

    fn prepare(&self, task: &Task) -> Stage {
        let prepared = contained_for(&task.input.path, || {
            subjects::check(&task.input)?;
            self.plan.refuse_sources(&task.input)?;
            if self.args.batch.resume
                && let Some(kept) = kept(self, task)?
            {
                return Ok(Stage::Over(Ok(kept)));
            }
            Ok(Stage::Ready(Box::new(self.load(task)?)))
        });
        prepared.unwrap_or_else(|error| Stage::Over(Err(error)))
    }

    /// All together; where that fails each alone, so that the failure is that of one.
    fn explain_all(&self, subjects: &[&Subject]) -> Vec<Result<Vec<Explanation>>> {
        let named = |subject: &Subject, result: Result<Vec<Explanation>>| {
            result.with_context(|| format!("cannot explain '{}'", subject.file.path))
        };
        if let Ok(all) = contained(|| Ok(self.explainer.explain_all(subjects)?)) {
            let pairs = subjects.iter().zip(all);
            return pairs.map(|(subject, result)| named(subject, result.map_err(Into::into))).collect();
        }
        let alone = |subject: &&Subject| named(subject, contained(|| Ok(self.explainer.explain(subject)?)));
        subjects.iter().map(alone).collect()
    }

    fn load(&self, task: &Task) -> Result<Subject> {
        let (picture, drawn_on) = (&self.args.picture, self.args.image.as_deref());
        let subject = subjects::load(&task.input, picture, drawn_on, self.explainer.model())?;
        Ok(Subject { label: task.label, ..subject })
    }

    /// The greatest value of any map of each method over all inputs. One that cannot be read is told of later.
    pub(crate) fn shared_scales(&self, tasks: &[Task]) -> Vec<f32> {
        let greatest = |one: Vec<f32>, other: Vec<f32>| {
            one.into_iter().zip(other).map(|(one, other)| one.max(other)).collect()
        };
        let of_task = |task: &Task| {
            let explained = contained(|| Ok(self.explainer.explain(&self.load(task)?)?));
            explained
                .map(|all| all.iter().map(Explanation::magnitude).collect())
                .unwrap_or_else(|_| self.zeros())
        };
        tasks.par_iter().map(of_task).reduce(|| self.zeros(), greatest)
    }

    fn zeros(&self) -> Vec<f32> {
        vec![0.0; self.plan.methods.len()]
    }

    fn finish(
        &self,
        input: &Input,
        subject: &Subject,
        mut explanations: Vec<Explanation>,
    ) -> Result<Explained> {
        let scales = self.shared.as_deref().unwrap_or_default();
        for (explanation, scale) in explanations.iter_mut().zip(scales) {
            // Where every map is blank there is nothing to divide.
            explanation.scale = if *scale > 0.0 { Scale::Fixed(*scale) } else { Scale::Own };
        }
        if self.plan.destination == Destination::Stdout {
            return self.to_stdout(subject, &explanations);
        }
        self.write(input, subject, &explanations)
    }

    fn to_stdout(&self, subject: &Subject, explanations: &[Explanation]) -> Result<Explained> {
        let record = |explanation: &Explanation| {
            let none = vec![vec![]; explanation.targets.len()];
            self.explainer.record(subject, explanation, &self.style, none)
        };
        let records = explanations.iter().map(record).collect::<Result<_, _>>()?;
        let mut picture = None;
        for explanation in explanations {
            let drawings = explanation.draw(subject, &self.style, &self.plan.artifacts)?;
            picture = picture.or(drawings.into_iter().flatten().next().map(|drawing| drawing.bytes));
        }
        Ok(Explained { records, directory: None, files: vec![], kept: false, picture })
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
            let artifact = Artifact::new(drawing.kind.name(), name.clone(), &drawing.bytes);
            drawn.illustration.artifacts.push(artifact);
            drawn.files.push((name, drawing.bytes));
        }
        Ok(drawn)
    }

    /// Everything of one input at once, the records last: a record means that its pictures exist.
    fn write(&self, input: &Input, subject: &Subject, explanations: &[Explanation]) -> Result<Explained> {
        let directory = self.plan.directory(&input.place).ok_or_else(|| anyhow!("no output directory"))?;
        let mut pictures = Vec::new();
        let mut records: Vec<Record> = Vec::new();
        let mut rows = Vec::new();
        for explanation in explanations {
            let mut illustrations = Vec::new();
            let mut row = SheetRow { label: explanation.method.info().title.to_owned(), cells: vec![] };
            for target in &explanation.targets {
                let drawn = self.draw(input, subject, explanation, target)?;
                let file = |(name, bytes)| OutputFile { path: directory.join(name), bytes };
                pictures.extend(drawn.files.into_iter().map(file));
                illustrations.push(drawn.illustration);
                row.cells.extend(drawn.cell);
            }
            rows.push(row);
            let record = self.explainer.illustrated_record(subject, explanation, &self.style, illustrations);
            records.push(record?);
        }
        if self.plan.grid {
            let sheet = sheet::sheet(self.explainer, subject, explanations, rows, &self.style);
            let bytes = encode_png(&sheet.draw()?, self.style.png_level)?;
            let name = self.plan.grid_name(input);
            for record in &mut records {
                record.grid = Some(Artifact::new("grid", name.clone(), &bytes));
            }
            pictures.push(OutputFile { path: directory.join(name), bytes });
        }
        let mut written = Vec::new();
        if self.plan.record {
            for (explanation, record) in explanations.iter().zip(&records) {
                let json = record.to_json().map_err(|problem| anyhow!("{problem}"))?;
                let path = directory.join(self.plan.record_name(input, explanation.method));
                written.push(OutputFile { path, bytes: json.into_bytes() });
            }
        }
        self.plan.refuse_to_replace(pictures.iter().chain(&written).map(|file| &file.path))?;
        self.plan.expect_root()?;
        output::write_together(&pictures, &written, self.args.replaces())?;
        let files = pictures.into_iter().chain(written).map(|file| file.path).collect();
        Ok(Explained { records, directory: Some(directory), files, kept: false, picture: None })
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
