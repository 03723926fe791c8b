//! `burncam explain`: what is to be explained, and with what; the work itself is the batch's, for one image too.

mod explained;
mod job;
mod resume;

use std::num::NonZero;
use std::path::Path;

use anyhow::{Result, bail};
use burncam::engine::Runtime;
use burncam::explain::{ArtifactKind, Explainer, Target};

pub(crate) use self::explained::Explained;
pub(crate) use self::job::{Job, Task};
use self::resume::Redone;
use crate::args::{ExplainArgs, ScaleArg};
use crate::batch::{self, Crew, Results, Signals};
use crate::discover::{Found, Input, discover, report};
use crate::labels::{Label, labels};
use crate::plan::Plan;
use crate::request::{settings, style};
use crate::{Outcome, progress, subjects, text};

/// Explains every input; a failing one is reported and the rest goes on.
pub(crate) fn run(args: &ExplainArgs, quiet: bool) -> Result<Outcome> {
    let Found { inputs, searched, total, left, places } = discover(&args.inputs)?;
    let plan = Plan::new(args, &inputs, places)?;
    check(args, &plan, &inputs)?;
    plan.check(&inputs, args.replaces())?;
    let style = style(args)?;
    let model = subjects::open_model(&args.model)?;
    if searched && !quiet {
        text::note(&found(inputs.len(), total));
        report(&left);
    }
    let labels = match &args.batch.labels {
        Some(source) => labels(source, &inputs, inputs.len() == total, &model)?,
        None => vec![Label::Missing; inputs.len()],
    };
    let crew = Crew::new(args, inputs.len());
    subjects::set_threads(Some(crew.jobs * crew.threads))?;
    let listener = if inputs.len() == 1 { progress::listener(quiet) } else { None };
    let mut settings = settings(args, &plan, model.output(), listener)?;
    settings.runtime =
        Runtime { threads: NonZero::new(crew.threads), thrifty: inputs.len() == 1, ..settings.runtime };
    let explainer = Explainer::new(model, settings)?;
    for layer in explainer.layers() {
        log::info!("layer '{}': {}", layer.name, layer.reason);
    }
    let tasks: Vec<Task> = inputs.into_iter().zip(labels).map(Task::from).collect();
    let mut job =
        Job { args, plan: &plan, explainer: &explainer, style, shared: None, redone: Redone::default() };
    if args.method.scale == ScaleArg::Shared {
        job.shared = Some(job.shared_scales(&tasks));
    }
    plan.make_root()?;
    let signals = if tasks.len() > 1 { Signals::listen()? } else { Signals::default() };
    let results = Results::open(&job, tasks.len(), &left, quiet)?;
    batch::run(&job, &tasks, crew, results, &signals)
}

/// `2,000 images`, or `497 of 2,000 images` of a shard.
fn found(own: usize, total: usize) -> String {
    let all = text::counted(total, "image");
    if own == total { all } else { format!("{own} of {all}") }
}

/// Refuses what contradicts itself, before any work.
fn check(args: &ExplainArgs, plan: &Plan, inputs: &[Input]) -> Result<()> {
    let batch = &args.batch;
    let shared = args.method.scale == ScaleArg::Shared;
    if shared && inputs.iter().any(Input::is_stdin) {
        bail!("--scale shared reads every input twice, which standard input cannot be (name a file)");
    }
    if batch.resume && !plan.record {
        bail!("--resume goes by records, but none are written (add record to --save, and name a directory)");
    }
    if batch.resume && shared {
        bail!("--scale shared depends on all images, so --resume cannot keep any (drop one of them)");
    }
    let needs_label = args.targets.iter().any(|target| matches!(target, Target::Label | Target::Both));
    if needs_label && batch.labels.is_none() {
        bail!("--target label and both need to know the true classes (add --labels)");
    }
    if batch.report.is_some() && !(plan.artifacts.contains(&ArtifactKind::Overlay) && plan.record) {
        bail!(
            "--report shows records and overlays, but not both are written (add them to --save, and name a directory)"
        );
    }
    let to_stdout = [&batch.jsonl, &batch.csv].into_iter().flatten().filter(|path| *path == Path::new("-"));
    let others = usize::from(args.output.json) + usize::from(args.output.out == Path::new("-"));
    if to_stdout.count() + others.min(1) > 1 {
        bail!("several lists would mix on standard output (name a file for all but one)");
    }
    Ok(())
}
