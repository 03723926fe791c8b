//! `burncam predict`: the most probable classes, as text, or as records in lists, and how many are right where labels say what is in the images.
//!
//! Results are printed in the order of the inputs, as soon as they are there, and none is kept.

mod rows;

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, bail};
use burncam::Predictor;
use burncam::record::{Accuracy, LabelRecord, PredictionRecord, RunTime};
use burncam_picture::input::recycle;
use rayon::ThreadPool;

use crate::args::PredictArgs;
use crate::batch::{self, Signals, Steps};
use crate::contain::contained_for;
use crate::discover::{Found, discover, report};
use crate::explain::task::Task;
use crate::failure::is_of_model;
use crate::failures::Failures;
use crate::flags::WORDS;
use crate::labels::{Label, labels};
use crate::lists::{Csv, JsonLines};
use crate::outcome::Outcome;
use crate::progress::{Inside, Progress, Step};
use crate::request::runtime;
use crate::threads::Workers;
use crate::{subjects, summary, text};

/// Predicts every input; a failing input is reported and the others continue.
pub(crate) fn run(args: &PredictArgs, quiet: bool) -> Result<Outcome> {
    let run = prepare(args, quiet)?;
    let work = |tasks: &[Task]| {
        let one = |task: &Task| contained_for(&task.input.path, || run.predict(args, task));
        tasks.iter().map(one).collect()
    };
    let mut results = Results::open(args, &run, quiet)?;
    // Signals keep their usual effect: no file can be left half written.
    let steps = Steps { work, finish: |_: &Task, record| Ok(record) };
    batch::run(&run.pool, run.workers, &run.tasks, &Signals::default(), &steps, |task, result| {
        // Not this image's fault, nor the next one's.
        if result.as_ref().is_err_and(is_of_model) {
            return result.map(|_| ControlFlow::Break(()));
        }
        results.take(&run, task, result)?;
        Ok(if results.is_read() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    results.finish();
    Ok(if results.failures.len() > 0 { Outcome::SomeFailed } else { Outcome::Done })
}

/// Everything that is determined before any image is predicted.
struct Run {
    pool: ThreadPool,
    workers: Workers,
    predictor: Predictor,
    tasks: Vec<Task>,
}

fn prepare(args: &PredictArgs, quiet: bool) -> Result<Run> {
    let lists = &args.lists;
    let to_stdout = [&lists.jsonl, &lists.csv].into_iter().flatten().filter(|path| *path == Path::new("-"));
    if to_stdout.count() + usize::from(lists.format.json) > 1 {
        bail!("several lists would mix on standard output (name a file for all but one)");
    }
    let Found { inputs, left, total, .. } = discover(&args.inputs)?;
    if !quiet {
        report(&left);
    }
    let images = inputs.len();
    let workers = Workers::new(&args.run.place, None, None, images)?;
    let pool = workers.pool()?;
    let model = pool.install(|| subjects::open_model(&args.model))?;
    let labels = match &args.labels {
        Some(source) => labels(source, &inputs, images == total, &model)?,
        None => vec![Label::Missing; images],
    };
    let tasks = inputs.into_iter().zip(labels).map(Task::from).collect();
    let predictor = pool.install(|| Predictor::new(model, runtime(&args.run, workers, images)))?;
    Ok(Run { pool, workers, predictor, tasks })
}

impl Run {
    fn predict(&self, args: &PredictArgs, task: &Task) -> Result<PredictionRecord> {
        let model = self.predictor.model();
        let mut reading = args.picture.reading();
        reading.reduced = true;
        let subject = subjects::load(&task.input, &reading, model)?;
        let labels = self.labels(task);
        // A true class may have any rank.
        let count = if labels.is_empty() { args.top_k.into() } else { usize::MAX };
        let ranked = self.predictor.predict(&subject, count)?;
        let mut record =
            PredictionRecord::new(model.name(), &subject.file.path, &ranked, &labels, args.top_k.into());
        record.warnings = subject.warnings.iter().map(|warning| warning.say(WORDS)).collect();
        record.reduced = subject.file.reduced;
        recycle(subject.picture);
        Ok(record)
    }

    fn labels(&self, task: &Task) -> Vec<LabelRecord> {
        let model = self.predictor.model();
        let label = |target: &usize| LabelRecord { target: *target, class_name: model.class_name(*target) };
        task.labels.iter().map(label).collect()
    }
}

/// Receives records in the order of the inputs.
struct Results {
    progress: Progress,
    quiet: bool,
    several: bool,
    json: Option<JsonLines>,
    csv: Option<Csv>,
    /// Whether anything is read but standard output.
    has_files: bool,
    images: usize,
    predicted: usize,
    failures: Failures,
    labelled: usize,
    top1: usize,
    top5: usize,
    /// Whether the five most probable classes are not all.
    has_top5: bool,
}

impl Results {
    fn open(args: &PredictArgs, run: &Run, quiet: bool) -> Result<Self> {
        const FIVE: usize = 5;
        let lists = &args.lists;
        let json = match &lists.jsonl {
            Some(path) => Some(JsonLines::open(path, lists.force)?),
            None if lists.format.json => Some(JsonLines::open("-".as_ref(), true)?),
            None => None,
        };
        let csv =
            lists.csv.as_deref().map(|path| Csv::open(path, &rows::COLUMNS, lists.force, lists.csv_raw));
        let images = run.tasks.len();
        Ok(Self {
            progress: Progress::new(lists.progress, images, quiet, &Inside::default()),
            quiet,
            several: images > 1,
            json,
            csv: csv.transpose()?,
            has_files: [&lists.jsonl, &lists.csv].into_iter().flatten().any(|path| path != Path::new("-")),
            images,
            predicted: 0,
            failures: Failures::default(),
            labelled: 0,
            top1: 0,
            top5: 0,
            has_top5: run.predictor.model().num_classes() > FIVE,
        })
    }

    fn take(&mut self, run: &Run, task: &Task, result: Result<PredictionRecord>) -> Result<()> {
        match result {
            Ok(record) => {
                self.predicted += 1;
                self.count(&record);
                self.progress.aside(|| {
                    for warning in &record.warnings {
                        log::warn!("{}: {warning}", record.path);
                    }
                });
                self.list(&record)?;
                if !self.has_lists() {
                    self.progress.aside(|| print(&record, self.several))?;
                }
                self.progress.step(Step::Explained);
            }
            Err(error) => {
                let path = task.input.path.display().to_string();
                let failure = self.failures.take(&path, &error, &self.progress);
                let name = run.predictor.model().name();
                self.list(&PredictionRecord::failed(name, &run.labels(task), &failure))?;
                self.progress.step(Step::Failed);
            }
        }
        Ok(())
    }

    fn count(&mut self, record: &PredictionRecord) {
        const FIVE: usize = 5;
        let Some(rank) = record.label_rank else { return };
        self.labelled += 1;
        self.top1 += usize::from(rank == 1);
        self.top5 += usize::from(rank <= FIVE);
    }

    fn list(&mut self, record: &PredictionRecord) -> Result<()> {
        if let Some(json) = &mut self.json {
            json.line(&record.to_json_line()?)?;
        }
        if let Some(csv) = &mut self.csv {
            rows::rows(record).iter().try_for_each(|cells| csv.row(cells))?;
        }
        Ok(())
    }

    fn has_lists(&self) -> bool {
        self.json.is_some() || self.csv.is_some()
    }

    /// Whether anyone still reads the results.
    fn is_read(&self) -> bool {
        self.has_files || !text::is_gone()
    }

    fn finish(&self) {
        self.progress.finish();
        self.failures.print();
        if self.quiet {
            return;
        }
        let seconds = self.progress.elapsed().as_secs_f64();
        let run = RunTime {
            seconds,
            explained: self.predicted,
            images_per_second: self.predicted as f64 / seconds,
        };
        if self.several && (self.has_files || self.labelled > 0) {
            text::note(&summary::outcome(
                self.images,
                "",
                (self.predicted, "predicted"),
                self.failures.len(),
                &run,
            ));
        }
        if self.labelled > 0 {
            let share = |count: usize| count as f64 / self.labelled as f64;
            let top5 = self.has_top5.then_some(self.top5);
            let (top1_correct, top1) = (self.top1, share(self.top1));
            let (top5_correct, top5) = (top5, top5.map(share));
            let accuracy = Accuracy { labelled: self.labelled, top1_correct, top5_correct, top1, top5 };
            text::note(&summary::accuracy(&accuracy));
        }
    }
}

fn print(record: &PredictionRecord, several: bool) -> Result<()> {
    if several {
        text::line(&format!("{}:", record.path))?;
    }
    for class in &record.predictions {
        text::line(&format!("{:>7}  {:>4}  {}", class.shown(), class.target, class.class_name))?;
    }
    Ok(())
}
