//! `burncam evaluate`: measures methods on pictures, prints a table and a sentence, writes `evaluation.json`.

mod csv;
mod page;
mod plot;
mod prepare;
mod table;
mod truth;

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use burncam::internal::output::{self, OutputFile};
use burncam::record::{EvaluatedTarget, Failure};

use self::prepare::Run;
use crate::args::EvaluateArgs;
use crate::batch::{self, Signals};
use crate::contain::contained_for;
use crate::explain::progress::{Progress, Step};
use crate::explain::task::Task;
use crate::failure::{self, is_of_model};
use crate::outcome::Outcome;
use crate::text;

/// Evaluates every input; a failing one is reported and the others continue.
pub(crate) fn run(args: &EvaluateArgs, quiet: bool) -> Result<Outcome> {
    let files = Files::new(args)?;
    let run = prepare::prepare(args, quiet)?;
    let signals = Signals::listen()?;
    let (evaluator, places) = (&run.evaluator, &run.places);
    let one = |task: &Task| {
        contained_for(&task.input.path, || {
            let subject = task.load(evaluator.explainer())?;
            let objects = places.of(&task.input, &subject)?;
            Ok(evaluator.evaluate(&subject, objects.as_ref())?)
        })
    };
    let work = |tasks: &[Task]| tasks.iter().map(one).collect();
    let mut results = Results::new(args, run.tasks.len(), quiet);
    let taken = batch::run(&run.pool, run.workers, &run.tasks, &signals, work, |task, result| {
        // Not this image's fault, nor the next one's.
        if result.as_ref().is_err_and(is_of_model) {
            return result.map(|_: Vec<EvaluatedTarget>| ControlFlow::Break(()));
        }
        results.take(task, result);
        Ok(ControlFlow::Continue(()))
    })?;
    let interrupted = taken < run.tasks.len();
    let failed = results.failures.len();
    run.pool.install(|| results.finish(&run, files, interrupted))?;
    Ok(match signals.raised() {
        Some(signal) if interrupted => Outcome::Interrupted(signal),
        _ if failed > 0 || interrupted => Outcome::SomeFailed,
        _ => Outcome::Done,
    })
}

/// The destinations of a run.
struct Files {
    evaluation: PathBuf,
    csv: Option<PathBuf>,
    page: Option<PathBuf>,
    overwrite: bool,
}

impl Files {
    /// Before the weights are read: a file in the way is reported without waiting for them.
    fn new(args: &EvaluateArgs) -> Result<Self> {
        let (out, overwrite) = (&args.output.out, args.output.force);
        let (csv, page) = (args.output.csv.clone(), args.output.report.clone());
        let files = Self { evaluation: out.join("evaluation.json"), csv, page, overwrite };
        if !overwrite {
            output::refuse_existing(std::iter::once(&files.evaluation).chain(&files.csv).chain(&files.page))?;
        }
        output::check_directory(out)?;
        Ok(files)
    }
}

/// Receives the figures of images in the order of the inputs.
struct Results {
    progress: Progress,
    quiet: bool,
    targets: Vec<EvaluatedTarget>,
    failures: Vec<Failure>,
}

impl Results {
    fn new(args: &EvaluateArgs, tasks: usize, quiet: bool) -> Self {
        let progress = Progress::new(args.batch.progress, tasks, quiet);
        Self { progress, quiet, targets: vec![], failures: vec![] }
    }

    fn take(&mut self, task: &Task, result: Result<Vec<EvaluatedTarget>>) {
        let step = match result {
            Ok(targets) => {
                self.targets.extend(targets);
                Step::Explained
            }
            Err(error) => {
                self.failures.push(failure::listed(&task.input.path.display().to_string(), &error));
                self.progress.aside(|| text::error(&error));
                Step::Failed
            }
        };
        self.progress.step(step);
    }

    /// Writes all files or none, and prints the table and the sentence.
    fn finish(self, run: &Run, files: Files, interrupted: bool) -> Result<()> {
        self.progress.finish();
        let mut evaluation = run.evaluator.summarise(self.targets)?;
        evaluation.images = run.tasks.len();
        evaluation.failed = self.failures.len();
        evaluation.failures = self.failures;
        evaluation.interrupted = interrupted;
        let bytes = evaluation.to_json()?.into_bytes();
        let csv = files.csv.map(|path| csv::file(&evaluation, path)).transpose()?;
        let page = files.page.map(|path| page::file(&evaluation, path));
        let others: Vec<OutputFile> = csv.into_iter().chain(page).collect();
        let evaluation_file = OutputFile { path: files.evaluation, bytes };
        output::write_together(&others, &[evaluation_file], files.overwrite)?;
        if self.quiet {
            return Ok(());
        }
        text::lines(&table::lines(&evaluation))
    }
}
