//! `burncam evaluate`: measures methods on pictures, prints a table and a sentence, writes `evaluation.json`.

mod csv;
mod dry;
mod page;
mod plot;
mod prepare;
mod resume;
mod spool;
mod table;
mod truth;
mod written;

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result};
use burncam::evaluate::{Gathered, Stage, Together};
use burncam::internal::output::{self, Leftovers};
use burncam::record::{EvaluatedTarget, Failure};
use burncam_picture::input::recycle;

use self::prepare::Run;
use self::resume::Kept;
use crate::args::EvaluateArgs;
use crate::batch::{self, Signals, Steps};
use crate::contain::contained_for;
use crate::explain::task::Task;
use crate::failure::is_of_model;
use crate::failures::Failures;
use crate::outcome::Outcome;
use crate::progress::{Progress, Step};
use crate::{result_files, stages, text};

pub(crate) use self::spool::{Line, Spool, by_text};
pub(crate) use self::table::lines;
pub(crate) use self::written::{Destinations, write};

/// What the file of an evaluation is called, without number of a shard and ending.
pub(crate) const STEM: &str = "evaluation";

/// What is known of a picture.
enum Figures {
    Measured(Vec<EvaluatedTarget>),
    /// An earlier run's, which are on disk.
    Kept(Line),
}

/// Evaluates every input; a failing one is reported and the others continue.
pub(crate) fn run(args: &EvaluateArgs, quiet: bool) -> Result<Outcome> {
    let destinations = destinations(args)?;
    let run = prepare::prepare(args, quiet)?;
    if args.output.dry_run {
        dry::run(&run, &destinations)?;
        return Ok(Outcome::Done);
    }
    measure(args, &run, &destinations, quiet)
}

fn measure(args: &EvaluateArgs, run: &Run, destinations: &Destinations, quiet: bool) -> Result<Outcome> {
    let (spool, kept) = begin(args, run, destinations, quiet)?;
    let signals = Signals::listen()?;
    let one = |task: &Task| contained_for(&task.input.path, || figures(task, run, &spool, &kept));
    let steps = Steps {
        work: |tasks: &[Task]| tasks.iter().map(one).collect(),
        finish: |_: &Task, figures| Ok(figures),
    };
    let mut results = Results::new(args, run, &spool, quiet);
    let taken = batch::run(&run.pool, run.workers, &run.tasks, &signals, &steps, |task, result| {
        // Not this image's fault, nor the next one's.
        if result.as_ref().is_err_and(is_of_model) {
            return result.map(|_| ControlFlow::Break(()));
        }
        results.take(task, result)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let interrupted = taken < run.tasks.len();
    let failed = results.failures.len();
    run.pool.install(|| results.finish(args, run, destinations, interrupted))?;
    spool.end()?;
    Ok(match signals.raised() {
        Some(signal) if interrupted => Outcome::Interrupted(signal),
        _ if failed > 0 || interrupted => Outcome::SomeFailed,
        _ => Outcome::Done,
    })
}

/// What is known of a picture, or what is found out.
fn figures(task: &Task, run: &Run, spool: &Spool, kept: &Kept) -> Result<Figures> {
    let evaluator = &run.evaluator;
    let subject = task.load(evaluator.explainer())?;
    let objects = run.places.of(&task.input, &subject)?;
    let path = &subject.file.path;
    let figures = match kept.of(path, spool, || evaluator.input_sha256(&subject, objects.as_ref()))? {
        Some(line) => Figures::Kept(line),
        None => {
            let measured = evaluator.evaluate(&subject, objects.as_ref());
            Figures::Measured(measured.with_context(|| format!("cannot evaluate '{path}'"))?)
        }
    };
    recycle(subject.picture);
    Ok(figures)
}

/// Where results go. Before the weights are read: a file in the way is reported without waiting for them.
fn destinations(args: &EvaluateArgs) -> Result<Destinations> {
    let (out, overwrite) = (&args.output.out, args.output.force || args.batch.resume);
    let (csv, page) = (args.output.csv.clone(), args.output.report.clone());
    let evaluation = out.join(result_files::name(STEM, args.inputs.shard));
    let unfinished = spool::unfinished(&evaluation);
    if !overwrite {
        output::refuse_existing([&evaluation, &unfinished].into_iter().chain(&csv).chain(&page))?;
    }
    output::check_directory(out)?;
    Leftovers::sweep(out);
    Ok(Destinations { evaluation, csv, page, overwrite })
}

/// The file for the figures of this run, and what it has of an earlier one with `--resume`.
fn begin(args: &EvaluateArgs, run: &Run, destinations: &Destinations, quiet: bool) -> Result<(Spool, Kept)> {
    // A single image is measured again in no time.
    if run.tasks.len() < 2 && !args.batch.resume {
        return Ok((Spool::unnamed()?, Kept::default()));
    }
    let header = run.pool.install(|| run.evaluator.header())?;
    let unfinished = spool::unfinished(&destinations.evaluation);
    let mut spool = Spool::begin(unfinished.clone(), &header)?;
    let mut kept = Kept::default();
    if args.batch.resume {
        let (earlier, refused) = Kept::read(&header, &destinations.evaluation, &unfinished, &spool)?;
        if !quiet {
            refused.iter().for_each(|why| text::note(&format!("measured again: {why}")));
        }
        kept = earlier;
    }
    spool.publish()?;
    Ok((spool, kept))
}

/// Receives the figures of images in the order of the inputs.
struct Results<'a> {
    progress: Progress,
    quiet: bool,
    spool: &'a Spool,
    /// Where the figures of images are, by their tasks.
    lines: Vec<(usize, Line)>,
    taken: usize,
    failures: Vec<Failure>,
    grouped: Failures,
    kept: usize,
}

impl<'a> Results<'a> {
    fn new(args: &EvaluateArgs, run: &Run, spool: &'a Spool, quiet: bool) -> Self {
        let progress = Progress::new(args.batch.progress, run.tasks.len(), quiet, &run.inside);
        let (lines, failures, grouped) = (vec![], vec![], Failures::default());
        Self { progress, quiet, spool, lines, taken: 0, failures, grouped, kept: 0 }
    }

    fn take(&mut self, task: &Task, result: Result<Figures>) -> Result<()> {
        let step = match result {
            Ok(figures) => {
                let (line, step) = match figures {
                    Figures::Measured(targets) => (self.spool.add(&targets)?, Step::Explained),
                    Figures::Kept(line) => (line, Step::Kept),
                };
                self.kept += usize::from(step == Step::Kept);
                self.lines.push((self.taken, line));
                step
            }
            Err(error) => {
                let path = task.input.path.display().to_string();
                self.failures.push(self.grouped.take(&path, &error, &self.progress));
                Step::Failed
            }
        };
        self.taken += 1;
        self.progress.step(step);
        Ok(())
    }

    /// Writes all files or none, and prints the table and the sentence.
    fn finish(
        mut self,
        args: &EvaluateArgs,
        run: &Run,
        destinations: &Destinations,
        interrupted: bool,
    ) -> Result<()> {
        self.progress.finish();
        self.grouped.print();
        let mut whole = run.evaluator.header()?.with_targets(());
        if !interrupted {
            together(args, run, self.quiet)?.put_into(&mut whole);
        }
        whole.shard = args.inputs.shard.map(|shard| shard.to_string());
        whole.images = run.tasks.len();
        whole.failed = self.failures.len();
        whole.failures = self.failures;
        whole.failures.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
        whole.interrupted = interrupted;
        // The tasks have the paths, so that these need not be kept twice.
        let path = |task: usize| &run.tasks[task].input.path;
        self.lines.sort_by(|(one, _), (other, _)| by_text(path(*one), path(*other)));
        let lines: Vec<Line> = self.lines.into_iter().map(|(_, line)| line).collect();
        let evaluation = write(whole, self.spool, &lines, destinations)?;
        if self.quiet {
            return Ok(());
        }
        if self.kept > 0 {
            text::note(&format!("{} kept from an earlier run", text::counted(self.kept, "image")));
        }
        text::lines(&table::lines(&evaluation))
    }
}

/// What the pictures give together, if that was asked for; of a shard its part.
fn together(args: &EvaluateArgs, run: &Run, quiet: bool) -> Result<Together> {
    let explainer = run.evaluator.explainer();
    let tasks = run.all.as_ref().unwrap_or(&run.tasks);
    let read = |at: usize| {
        let task = &tasks[at];
        // One that cannot be read was reported when it was to be measured.
        contained_for(&task.input.path, || task.load(explainer)).ok()
    };
    let share = args.inputs.shard.map_or((0, 1), |shard| (shard.index as usize - 1, shard.count as usize));
    let progress = |stage: Stage| {
        let counted = match stage {
            Stage::Pictures => "pictures for mosaics",
            Stage::Mosaics => "mosaics",
            Stage::Maps => "maps on random networks",
        };
        stages::of_stage(args.batch.progress, quiet, counted)
    };
    let gathered = Gathered { count: tasks.len(), read: &read, share, progress: &progress };
    Ok(run.evaluator.together(&gathered)?)
}
