//! Sets up an explanation run; `batch` executes it, also for a single image.

mod dry;
mod explained;
mod previews;
mod results;
mod resume;
mod rows;
mod sheet;
pub(crate) mod task;
mod work;

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};
use burncam::{ArtifactKind, Explainer, Model, Request, Target};
use burncam_graph::card::Task as NetworkTask;
use rayon::ThreadPool;

use self::previews::Previews;
use self::results::Results;
use self::resume::Redone;
use self::task::Task;
use self::work::{Work, finish};
use crate::args::{ExplainArgs, ScaleArg};
use crate::batch::{self, Signals, Steps};
use crate::boxes::Boxes;
use crate::contain::contained;
use crate::discover::{Found, Input, Left, discover, report};
use crate::failure::{io_kind, is_broken_pipe, is_of_model};
use crate::labels::{Label, labels};
use crate::outcome::Outcome;
use crate::plan::{Destination, Plan};
use crate::progress::{Inside, draws_bar, listener};
use crate::request::request;
use crate::threads::Workers;
use crate::{subjects, text};

/// Explains every input; a failing one is reported and the others continue.
pub(crate) fn run(args: &ExplainArgs, quiet: bool) -> Result<Outcome> {
    let run = prepare(args, quiet)?;
    if args.output.dry_run {
        return run.dry(args);
    }
    run.plan.sweep(run.tasks.iter().map(|task| task.input.place.as_path()).chain([Path::new("")]));
    run.explain(args, quiet)
}

/// Everything that is determined before any image is explained.
struct Run {
    plan: Plan,
    pool: ThreadPool,
    workers: Workers,
    explainer: Explainer,
    tasks: Vec<Task>,
    boxes: Option<Boxes>,
    left: Left,
    /// How far the images in progress are.
    inside: Inside,
}

impl Run {
    /// Only says what would be done.
    fn dry(&self, args: &ExplainArgs) -> Result<Outcome> {
        let Self { plan, explainer, tasks, workers, .. } = self;
        let pool = Workers { jobs: 1, ..*workers }.pool()?;
        dry::run(&dry::Prepared { args, plan, explainer, tasks, workers: *workers, pool })?;
        Ok(Outcome::Done)
    }

    fn explain(&self, args: &ExplainArgs, quiet: bool) -> Result<Outcome> {
        self.plan.make_root()?;
        // A single image leaves nothing to finish: there the signal ends the program, as the system does it.
        let signals = if self.tasks.len() > 1 { Signals::listen()? } else { Signals::default() };
        let work = self.work(args);
        let mut results = Results::open(args, &work, self.tasks.len(), &self.left, (&self.inside, quiet))?;
        let steps = Steps { work: |tasks: &[Task]| work.explain(tasks), finish };
        let taken = batch::run(&self.pool, self.workers, &self.tasks, &signals, &steps, |task, result| {
            // Not this image's fault, nor the next one's.
            if result.as_ref().is_err_and(is_of_model) {
                return result.map(|_| ControlFlow::Break(()));
            }
            results.take(task, &result)?;
            let stops = |error| args.batch.fail_fast || is_hopeless(error, &self.plan);
            let flow = ControlFlow::Continue(());
            Ok(if result.as_ref().is_err_and(stops) { ControlFlow::Break(()) } else { flow })
        });
        let taken = match taken {
            Err(error) if is_of_model(&error) => return Err(error.downcast::<burncam::Error>()?.into()),
            // The reader has what it wanted; `main` ends without a message.
            Err(error) if is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                text::error(&error);
                None
            }
            Ok(taken) => Some(taken),
        };
        let interrupted = taken != Some(self.tasks.len());
        let failed = results.failed();
        // Also after an error: what was explained is in the summary.
        let written = self.pool.install(|| results.finish(interrupted));
        Ok(match signals.raised() {
            Some(signal) if interrupted => Outcome::Interrupted(signal),
            _ if failed > 0 || interrupted || !written => Outcome::SomeFailed,
            _ => Outcome::Done,
        })
    }

    fn work<'a>(&'a self, args: &'a ExplainArgs) -> Work<'a> {
        // With conditions few of many images may be explained, and be on the page.
        let shown = if args.batch.conditions.is_empty() { self.tasks.len() } else { 0 };
        Work {
            plan: &self.plan,
            explainer: &self.explainer,
            boxes: self.boxes.as_ref(),
            conditions: &args.batch.conditions,
            redone: args.batch.resume.then(Redone::default),
            wants_rows: AtomicBool::new(args.batch.sheet.is_some()),
            previews: args.batch.report.as_ref().and_then(|_| Previews::new(shown)),
        }
    }
}

fn prepare(args: &ExplainArgs, quiet: bool) -> Result<Run> {
    let Found { inputs, searched, total, left, places } = discover(&args.inputs)?;
    let images = inputs.len();
    let workers = Workers::new(&args.run.place, args.batch.jobs, args.batch.batch_size, images)?;
    let destination = Destination::new(&args.output.out, images)?;
    let inside = Inside::default();
    let listener = match images {
        1 => listener(quiet, "passes"),
        _ if draws_bar(args.batch.progress, images, quiet) => Some(inside.listener()),
        _ => None,
    };
    let pool = workers.pool()?;
    let model = pool.install(|| subjects::open_model(&args.model))?;
    let request = request(args, &model, &destination, workers, images, listener)?;
    let plan = Plan::new(args, destination, &request, images, places)?;
    check(args, &request, &inputs)?;
    check_conditions(args, &model)?;
    if args.batch.boxes.is_some() && plan.summary_path(args.inputs.shard).is_none() {
        bail!(
            "--boxes is for the summary of several images, and none is written (name several images and a directory)"
        );
    }
    // Before the weights are read: a file in the way is reported without waiting for them.
    plan.check(&inputs, &request)?;
    plan.refuse_named(args.batch.lists())?;
    if searched && !quiet {
        text::note(&found(images, total));
        report(&left);
    }
    let labels = match &args.batch.labels {
        Some(source) => labels(source, &inputs, images == total, &model)?,
        None => vec![Label::Missing; images],
    };
    let is_part = args.inputs.shard.is_some();
    let boxes = args.batch.boxes.as_deref().map(|path| Boxes::open(path, &model, &inputs, is_part));
    let boxes = boxes.transpose()?;
    let tasks: Vec<Task> = inputs.into_iter().zip(labels).map(Task::from).collect();
    let explainer = pool.install(|| explainer(args, model, request, &tasks))?;
    Ok(Run { plan, pool, workers, explainer, tasks, boxes, left, inside })
}

/// The explainer of all tasks; for a shared scale, after a pass over all of them. Failures in that pass are reported
/// by the pass that writes files.
fn explainer(args: &ExplainArgs, model: Model, request: Request, tasks: &[Task]) -> Result<Explainer> {
    let explainer = Explainer::new(model, request)?;
    for layer in explainer.every_layer() {
        log::info!("layer '{}': {}", layer.name, layer.reason);
    }
    for warning in explainer.warnings() {
        log::warn!("{warning}");
    }
    if args.method.scale != ScaleArg::Shared {
        return Ok(explainer);
    }
    Ok(explainer.share_scale(tasks, |explainer, task| {
        contained(|| Ok(explainer.explain(&task.load(explainer)?)?)).ok()
    }))
}

/// Whether the error of one image would prevent all others from being written too.
fn is_hopeless(error: &anyhow::Error, plan: &Plan) -> bool {
    let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem];
    io_kind(error).is_some_and(|kind| kinds.contains(&kind)) || plan.is_gone()
}

/// `2,000 images`, or `497 of 2,000 images` of a shard.
fn found(own: usize, total: usize) -> String {
    let all = text::counted(total, "image");
    if own == total { all } else { format!("{own} of {all}") }
}

/// Refuses conditions about which the model or the arguments say nothing.
fn check_conditions(args: &ExplainArgs, model: &Model) -> Result<()> {
    let conditions = &args.batch.conditions;
    if let Some(condition) = conditions.iter().find(|condition| condition.needs_labels())
        && args.batch.labels.is_none()
    {
        bail!("--where '{condition}' needs to know the true classes (add --labels)");
    }
    let output = model.output();
    let gives_none = output.is_regression() || output.task == NetworkTask::Embedding;
    match conditions.iter().find(|condition| condition.needs_probabilities()) {
        Some(condition) if gives_none => {
            bail!("--where '{condition}' compares probabilities, but the model gives none (leave it out)")
        }
        _ if !conditions.is_empty() && args.method.scale == ScaleArg::Shared => {
            bail!("--scale shared depends on all images, and --where explains some (drop one of them)")
        }
        _ => Ok(()),
    }
}

/// Refuses contradictory arguments before any work.
fn check(args: &ExplainArgs, request: &Request, inputs: &[Input]) -> Result<()> {
    let batch = &args.batch;
    let shared = args.method.scale == ScaleArg::Shared;
    if shared && inputs.iter().any(Input::is_stdin) {
        bail!("--scale shared reads every input twice, which standard input cannot be (name a file)");
    }
    if batch.resume && !request.record {
        bail!("--resume goes by records, but none are written (add record to --save, and name a directory)");
    }
    if batch.resume && shared {
        bail!("--scale shared depends on all images, so --resume cannot keep any (drop one of them)");
    }
    let needs_label = args.targets.iter().any(|target| matches!(target, Target::Label | Target::Both));
    if needs_label && batch.labels.is_none() {
        bail!("--target label and both need to know the true classes (add --labels)");
    }
    if batch.report.is_some() && !(request.artifacts.contains(&ArtifactKind::Overlay) && request.record) {
        bail!(
            "--report shows records and overlays, but not both are written (add them to --save, and name a directory)"
        );
    }
    if args.output.sheet_cell.is_some() && !request.grid && batch.sheet.is_none() {
        bail!("--sheet-cell is for sheets, and none is written (add --grid or --sheet)");
    }
    if let Some(path) =
        batch.sheet.as_ref().filter(|path| path.extension().is_none_or(|ending| ending != "png"))
    {
        bail!("--sheet '{}': expected the name of a .png file", path.display());
    }
    let to_stdout = [&batch.jsonl, &batch.csv].into_iter().flatten().filter(|path| *path == Path::new("-"));
    let others = usize::from(args.output.json) + usize::from(args.output.out == Path::new("-"));
    if to_stdout.count() + others.min(1) > 1 {
        bail!("several lists would mix on standard output (name a file for all but one)");
    }
    Ok(())
}
