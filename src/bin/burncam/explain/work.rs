//! A worker's processing of a few images: reading, explaining, and writing the files of each, all or none.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, anyhow};
use burncam::record::{InputRecord, LabelRecord, PredictionRecord, Record};
use burncam::{Explainer, Explanation, Subject, Written};
use burncam_metrics::localisation::Bounds;
use burncam_picture::input::recycle;

use super::explained::Explained;
use super::previews::Previews;
use super::resume::{Redone, earlier, kept, remove_other_formats};
use super::task::Task;
use crate::boxes::Boxes;
use crate::condition::Condition;
use crate::contain::{contained, contained_for};
use crate::flags::WORDS;
use crate::plan::Plan;
use crate::subjects;

/// Data shared by all images.
pub(crate) struct Work<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) explainer: &'a Explainer,
    pub(crate) boxes: Option<&'a Boxes>,
    /// What the images that are explained meet.
    pub(crate) conditions: &'a [Condition],
    /// With `--resume`: why images with records are explained again.
    pub(crate) redone: Option<Redone>,
    /// Whether the sheet of all images takes further rows. Images come to it in their order, so that those after the last row need none.
    pub(crate) wants_rows: AtomicBool,
    /// With `--report`, where the page may embed its pictures.
    pub(crate) previews: Option<Previews>,
}

/// The state of an image.
enum Stage {
    Ready(Box<Subject>),
    Over(Box<Result<Explained>>),
}

impl Stage {
    fn over(result: Result<Explained>) -> Self {
        Self::Over(Box::new(result))
    }
}

/// An image whose files are written, and have their names after what is left to do.
pub(crate) struct Made<'a> {
    explained: Explained,
    left: Option<Box<Left<'a>>>,
}

/// Waits for the disk and names the files. Its records are those of the image.
type Left<'a> = dyn FnOnce(&[Record]) -> Result<()> + Send + 'a;

impl From<Explained> for Made<'_> {
    /// One of which nothing is left to do.
    fn from(explained: Explained) -> Self {
        Self { explained, left: None }
    }
}

/// Does what is left to do of an image.
pub(crate) fn finish(task: &Task, made: Made<'_>) -> Result<Explained> {
    let Made { explained, left } = made;
    contained_for(&task.input.path, || {
        left.map_or(Ok(()), |left| left(&explained.records))?;
        Ok(explained)
    })
}

impl Work<'_> {
    /// Explains a few images and writes their files, which [`finish`] names. Images are isolated: a failure, even a panic, affects only its own
    /// result.
    pub(crate) fn explain(&self, tasks: &[Task]) -> Vec<Result<Made<'_>>> {
        let stages: Vec<Stage> = tasks.iter().map(|task| self.prepare(task)).collect();
        let subjects: Vec<&Subject> = stages
            .iter()
            .filter_map(|stage| match stage {
                Stage::Ready(subject) => Some(subject.as_ref()),
                Stage::Over(_) => None,
            })
            .collect();
        let mut explanations = self.explain_all(&subjects).into_iter();
        let written = |(task, stage): (&Task, Stage)| match stage {
            Stage::Over(result) => (*result).map(Made::from),
            Stage::Ready(subject) => {
                let explanations =
                    explanations.next().unwrap_or_else(|| Err(anyhow!("no explanation was made")))?;
                let made = contained_for(&task.input.path, || self.write(task, &subject, &explanations));
                recycle(subject.picture);
                made
            }
        };
        tasks.iter().zip(stages).map(written).collect()
    }

    fn prepare(&self, task: &Task) -> Stage {
        let prepared = contained_for(&task.input.path, || {
            subjects::check(&task.input)?;
            self.plan.refuse_sources(&task.input, self.explainer.request())?;
            let loaded = if self.conditions.is_empty() { None } else { Some(task.load(self.explainer)?) };
            if let Some(prediction) = loaded.as_ref().map(|subject| self.predict(subject)).transpose()?
                && !self.conditions.iter().all(|condition| condition.holds(&prediction))
            {
                loaded.into_iter().for_each(|subject| recycle(subject.picture));
                return Ok(Stage::over(Ok(Explained::predicted(prediction))));
            }
            if let Some(redone) = &self.redone
                && let Some(kept) = kept(self.explainer, self.plan, task, redone)?
            {
                let objects = kept.records.first().map(|record| self.objects(task, &record.input));
                return Ok(Stage::over(Ok(Explained {
                    objects: objects.transpose()?.unwrap_or_default(),
                    ..kept
                })));
            }
            let subject = loaded.map_or_else(|| task.load(self.explainer), Ok)?;
            Ok(Stage::Ready(Box::new(subject)))
        });
        prepared.unwrap_or_else(|error| Stage::over(Err(error)))
    }

    /// One pass forward, from which conditions and lists read the most probable classes.
    fn predict(&self, subject: &Subject) -> Result<PredictionRecord> {
        // A margin is between the first two.
        const LEAST: usize = 2;
        let explainer = self.explainer;
        let ranked = explainer.predict(subject)?;
        let labels: Vec<_> = subject.labels.iter().map(|label| explainer.label_record(*label)).collect();
        let count = explainer.request().top_k.max(LEAST);
        let (model, path) = (explainer.model().name(), &subject.file.path);
        let mut record = PredictionRecord::new(model, path, &ranked, &labels, count);
        record.warnings = subject.warnings.iter().map(|warning| warning.say(WORDS)).collect();
        Ok(record)
    }

    /// All together; if that fails, each alone, so that only the faulty image fails.
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

    /// The boxes of an image's objects with their classes; none where none are known.
    fn objects(&self, task: &Task, file: &InputRecord) -> Result<Vec<(LabelRecord, Bounds)>> {
        let boxes = self.boxes.map(|boxes| boxes.of(&task.input, file.height, file.width)).transpose()?;
        let named = |(class, bounds)| (self.explainer.label_record(class), bounds);
        Ok(boxes.flatten().into_iter().flatten().map(named).collect())
    }

    fn write(&self, task: &Task, subject: &Subject, explanations: &[Explanation]) -> Result<Made<'_>> {
        let Some(names) = self.plan.names(&task.input) else {
            return self.show(subject, explanations).map(Made::from);
        };
        // Before the files: a box that cannot be is an error of its image, which then has none.
        let objects = self.objects(task, &subject.file)?;
        let files = self.explainer.files(subject, explanations, &names);
        self.plan.refuse_to_replace(files.paths())?;
        self.plan.expect_root()?;
        let earlier = self.redone.as_ref().map_or_else(Vec::new, |_| earlier(self.explainer, &names));
        let (Written { records, files }, put_in_place) = files.stage()?;
        let directory = Some(names.directory().to_path_buf());
        let previews = self.previews.as_ref();
        let small =
            previews.map_or_else(Vec::new, |previews| previews.of(self.explainer, subject, explanations));
        let wants_row = self.wants_rows.load(Ordering::Relaxed);
        let row = wants_row.then(|| self.explainer.sheet_row(subject, explanations)).transpose()?;
        let explained = Explained { records, directory, files, objects, small, row, ..Explained::default() };
        let left = move |records: &[Record]| {
            put_in_place()?;
            remove_other_formats(&earlier, &names, self.plan, records);
            Ok(())
        };
        Ok(Made { explained, left: Some(Box::new(left)) })
    }

    /// For standard output: the first picture, and records without files.
    fn show(&self, subject: &Subject, explanations: &[Explanation]) -> Result<Explained> {
        let record = |explanation: &Explanation| {
            let none = vec![vec![]; explanation.targets.len()];
            self.explainer.record(subject, explanation, none)
        };
        let records = explanations.iter().map(record).collect::<Result<_, _>>()?;
        let request = self.explainer.request();
        let mut targets =
            explanations.iter().flat_map(|one| one.targets.iter().map(move |target| (one, target)));
        let picture = match (targets.next(), request.artifacts.first()) {
            (Some((one, target)), Some(kind)) => {
                Some(one.canvas(target, subject, &request.style).draw(*kind)?)
            }
            _ => None,
        };
        Ok(Explained { records, picture, ..Explained::default() })
    }
}
