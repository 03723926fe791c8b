//! `burncam evaluate`: measures methods on pictures, prints a table and a sentence, writes `evaluation.json`.

mod csv;
mod page;
mod plot;
mod prepare;
mod resume;
mod table;
mod truth;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burncam::evaluate::Together;
use burncam::internal::output::{self, OutputFile};
use burncam::record::{EvaluatedTarget, Failure};
use burncam_picture::input::recycle;

use self::prepare::Run;
use self::resume::{Kept, Unfinished};
use crate::args::EvaluateArgs;
use crate::batch::{self, Signals};
use crate::contain::contained_for;
use crate::explain::task::Task;
use crate::failure::is_of_model;
use crate::failures::Failures;
use crate::outcome::Outcome;
use crate::progress::{Progress, Step};
use crate::{result_files, text};

pub(crate) use self::page::file as page;
pub(crate) use self::table::lines;

/// What the file of an evaluation is called, without number of a shard and ending.
pub(crate) const STEM: &str = "evaluation";

/// Evaluates every input; a failing one is reported and the others continue.
pub(crate) fn run(args: &EvaluateArgs, quiet: bool) -> Result<Outcome> {
    let files = Files::new(args)?;
    let run = prepare::prepare(args, quiet)?;
    let kept = files.kept(args, &run, quiet)?;
    let signals = Signals::listen()?;
    let (evaluator, places) = (&run.evaluator, &run.places);
    let one = |task: &Task| {
        contained_for(&task.input.path, || {
            let subject = task.load(evaluator.explainer())?;
            let objects = places.of(&task.input, &subject)?;
            let evaluated =
                match kept.of(&subject.file.path, || evaluator.input_sha256(&subject, objects.as_ref())) {
                    Some(targets) => (targets, Step::Kept),
                    None => (evaluator.evaluate(&subject, objects.as_ref())?, Step::Explained),
                };
            recycle(subject.picture);
            Ok(evaluated)
        })
    };
    let work = |tasks: &[Task]| tasks.iter().map(one).collect();
    let mut results = Results::new(args, &run, &files, quiet)?;
    let taken = batch::run(&run.pool, run.workers, &run.tasks, &signals, work, |task, result| {
        // Not this image's fault, nor the next one's.
        if result.as_ref().is_err_and(is_of_model) {
            return result.map(|_: (Vec<EvaluatedTarget>, Step)| ControlFlow::Break(()));
        }
        results.take(task, result)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let interrupted = taken < run.tasks.len();
    let failed = results.failures.len();
    run.pool.install(|| results.finish(args, &run, files, interrupted))?;
    Ok(match signals.raised() {
        Some(signal) if interrupted => Outcome::Interrupted(signal),
        _ if failed > 0 || interrupted => Outcome::SomeFailed,
        _ => Outcome::Done,
    })
}

/// The destinations of a run.
struct Files {
    evaluation: PathBuf,
    /// The figures so far, until the run ends.
    unfinished: PathBuf,
    csv: Option<PathBuf>,
    page: Option<PathBuf>,
    overwrite: bool,
}

impl Files {
    /// Before the weights are read: a file in the way is reported without waiting for them.
    fn new(args: &EvaluateArgs) -> Result<Self> {
        let (out, overwrite) = (&args.output.out, args.output.force || args.batch.resume);
        let (csv, page) = (args.output.csv.clone(), args.output.report.clone());
        let evaluation = out.join(result_files::name(STEM, args.inputs.shard));
        let unfinished = evaluation.with_extension("part.jsonl");
        let files = Self { evaluation, unfinished, csv, page, overwrite };
        if !overwrite {
            let own = [&files.evaluation, &files.unfinished];
            output::refuse_existing(own.into_iter().chain(&files.csv).chain(&files.page))?;
        }
        output::check_directory(out)?;
        Ok(files)
    }

    /// With `--resume` the figures of an earlier run, else none.
    fn kept(&self, args: &EvaluateArgs, run: &Run, quiet: bool) -> Result<Kept> {
        if !args.batch.resume {
            return Ok(Kept::default());
        }
        let header = run.pool.install(|| run.evaluator.header())?;
        let (kept, refused) = Kept::read(&header, &self.evaluation, &self.unfinished)?;
        if !quiet {
            refused.iter().for_each(|why| text::note(&format!("measured again: {why}")));
        }
        Ok(kept)
    }
}

/// Receives the figures of images in the order of the inputs.
struct Results {
    progress: Progress,
    quiet: bool,
    targets: Vec<EvaluatedTarget>,
    failures: Vec<Failure>,
    grouped: Failures,
    kept: usize,
    /// `None` for a single image, which is measured again in no time.
    unfinished: Option<Unfinished>,
}

impl Results {
    fn new(args: &EvaluateArgs, run: &Run, files: &Files, quiet: bool) -> Result<Self> {
        let tasks = run.tasks.len();
        let progress = Progress::new(args.batch.progress, tasks, quiet, &run.inside);
        let unfinished = if tasks > 1 {
            let header = run.pool.install(|| run.evaluator.header())?;
            Some(Unfinished::begin(files.unfinished.clone(), &header)?)
        } else {
            None
        };
        let (targets, failures, grouped) = (vec![], vec![], Failures::default());
        Ok(Self { progress, quiet, targets, failures, grouped, kept: 0, unfinished })
    }

    fn take(&mut self, task: &Task, result: Result<(Vec<EvaluatedTarget>, Step)>) -> Result<()> {
        let step = match result {
            Ok((targets, step)) => {
                if let Some(unfinished) = &mut self.unfinished {
                    unfinished.add(&targets)?;
                }
                self.kept += usize::from(step == Step::Kept);
                self.targets.extend(targets);
                step
            }
            Err(error) => {
                let path = task.input.path.display().to_string();
                self.failures.push(self.grouped.take(&path, &error, &self.progress));
                Step::Failed
            }
        };
        self.progress.step(step);
        Ok(())
    }

    /// Writes all files or none, and prints the table and the sentence.
    fn finish(self, args: &EvaluateArgs, run: &Run, files: Files, interrupted: bool) -> Result<()> {
        self.progress.finish();
        self.grouped.print();
        let together = if interrupted { Together::default() } else { together(run)? };
        let mut evaluation = run.evaluator.summarise_together(self.targets, together)?;
        evaluation.shard = args.inputs.shard.map(|shard| shard.to_string());
        evaluation.images = run.tasks.len();
        evaluation.failed = self.failures.len();
        evaluation.failures = self.failures;
        evaluation.failures.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
        evaluation.interrupted = interrupted;
        let bytes = evaluation.to_json()?.into_bytes();
        let csv = files.csv.map(|path| csv::file(&evaluation, path)).transpose()?;
        let page = files.page.map(|path| page(&evaluation, path));
        let others: Vec<OutputFile> = csv.into_iter().chain(page).collect();
        let evaluation_file = OutputFile { path: files.evaluation, bytes };
        output::write_together(&others, &[evaluation_file], files.overwrite)?;
        self.unfinished.map_or(Ok(()), Unfinished::end)?;
        if self.quiet {
            return Ok(());
        }
        if self.kept > 0 {
            text::note(&format!("{} kept from an earlier run", text::counted(self.kept, "image")));
        }
        text::lines(&lines(&evaluation))
    }
}

/// What the pictures give together, if that was asked for.
fn together(run: &Run) -> Result<Together> {
    let explainer = run.evaluator.explainer();
    let read = |at: usize| {
        let task = &run.tasks[at];
        // One that cannot be read was reported when it was to be measured.
        contained_for(&task.input.path, || task.load(explainer)).ok()
    };
    Ok(run.evaluator.together(run.tasks.len(), &read)?)
}
