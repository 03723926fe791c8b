//! Everything that is determined before any image is evaluated: the inputs with their labels, the request, the evaluator.

use anyhow::{Result, bail};
use burncam::evaluate::{EvaluationRequest, Evaluator, Metric};
use burncam::{Model, Request, Target};
use rayon::ThreadPool;

use super::truth::Places;
use crate::args::{EvaluateArgs, InputArgs, MetricArg};
use crate::discover::{Found, Input, discover, report};
use crate::explain::task::Task;
use crate::flags::WORDS;
use crate::labels::{Label, have_several, labels};
use crate::progress::{Inside, draws_bar};
use crate::request::{each_once, runtime};
use crate::subjects;
use crate::threads::Workers;

/// A run that is ready to start.
pub(super) struct Run {
    pub(super) pool: ThreadPool,
    pub(super) workers: Workers,
    pub(super) evaluator: Evaluator,
    /// Those of this run: of a shard its part.
    pub(super) tasks: Vec<Task>,
    /// Those of all shards, where a shard's figures are of mosaics and images of all pictures.
    pub(super) all: Option<Vec<Task>>,
    pub(super) places: Places,
    /// How far the images in progress are.
    pub(super) inside: Inside,
}

/// Every image takes many passes, so that packed weights are kept, as they are for several images.
const MANY_PASSES: usize = 2;

pub(super) fn prepare(args: &EvaluateArgs, quiet: bool) -> Result<Run> {
    // All inputs first: mosaics are made of all of them, and only then divided.
    let Found { inputs, searched, left, .. } = discover(&InputArgs { shard: None, ..args.inputs.clone() })?;
    refuse(args, &inputs)?;
    let is_own = |input: &Input| args.inputs.shard.is_none_or(|shard| shard.has(&input.relative()));
    let images = inputs.iter().filter(|input| is_own(input)).count();
    let workers = Workers::new(&args.run.place, args.batch.jobs, None, images)?;
    let pool = workers.pool()?;
    let model = pool.install(|| subjects::open_model(&args.model))?;
    let labels = match &args.batch.labels {
        Some(source) => labels(source, &inputs, true, &model)?,
        None => vec![Label::Missing; inputs.len()],
    };
    if searched && !quiet {
        report(&left);
    }
    let places = Places::open(args, &model, &inputs)?;
    let mut tasks: Vec<Task> = inputs.into_iter().zip(labels).map(Task::from).collect();
    let is_of_all = of_all_pictures(args).is_some() && args.inputs.shard.is_some();
    let all = is_of_all.then(|| tasks.clone());
    tasks.retain(|task| is_own(&task.input));
    let inside = Inside::default();
    let mut request = request(args, &model, workers, places.are_known());
    if draws_bar(args.batch.progress, images, quiet) {
        request.explain.options.progress = Some(inside.listener());
    }
    let evaluator = pool.install(|| Evaluator::new(model, request))?;
    for warning in evaluator.explainer().warnings() {
        log::warn!("{warning}");
    }
    Ok(Run { pool, workers, evaluator, tasks, all, places, inside })
}

/// Refuses what cannot be measured with these arguments.
fn refuse(args: &EvaluateArgs, inputs: &[Input]) -> Result<()> {
    let needs_label = args.targets.iter().any(|target| matches!(target, Target::Label | Target::Both));
    if needs_label && args.batch.labels.is_none() {
        bail!("--target label and both need to know the true classes (add --labels)");
    }
    let metrics = || args.metrics.iter().flatten().filter_map(|metric| metric.one());
    let are_located = metrics().find(|metric| metric.needs_objects());
    if let (Some(metric), None, None) = (are_located, &args.boxes, &args.masks) {
        bail!("--metrics {metric} needs to know where objects are (add --boxes or --masks)");
    }
    if let (Some(metric), true) = (of_all_pictures(args), inputs.iter().any(Input::is_stdin)) {
        bail!(
            "--metrics {metric} reads pictures several times, and standard input can be read once (write it to a file)"
        );
    }
    let is_of_mosaics = |metric: &Metric| ["gridpg", "difull"].contains(&metric.to_string().as_str());
    if args.mosaics.is_some() && !metrics().any(|metric| is_of_mosaics(&metric)) {
        bail!("--mosaics would be ignored (add gridpg or difull to --metrics)");
    }
    Ok(())
}

/// A metric of all pictures together, if one was asked for.
fn of_all_pictures(args: &EvaluateArgs) -> Option<Metric> {
    let metrics = args.metrics.iter().flatten().filter_map(|metric| metric.one());
    metrics.into_iter().find(|metric| metric.needs_all_pictures())
}

fn request(args: &EvaluateArgs, model: &Model, workers: Workers, objects: bool) -> EvaluationRequest {
    let mut explain = Request::default();
    explain.runtime = runtime(&args.run, workers, MANY_PASSES);
    explain.methods = each_once(&args.methods);
    explain.score = args.map_score;
    explain.layers = args.layer.layers.clone();
    explain.targets = args.targets.clone();
    explain.several_labels = args.batch.labels.is_some() && have_several(model);
    explain.reading = args.picture.reading();
    explain.options = args.options.options(args.seed);
    explain.options.library = args.compat;
    explain.options.batch_size = args.batch.batch_size.map_or(explain.options.batch_size, usize::from);
    explain.wording = WORDS;
    let mut request = EvaluationRequest::new(explain);
    request.metrics = args.metrics.as_ref().map(|metrics| match metrics.contains(&MetricArg::All) {
        true => Metric::all()
            .filter(|metric| objects || !metric.needs_objects())
            .filter(|metric| !metric.needs_all_pictures())
            .collect(),
        false => metrics.iter().filter_map(|metric| metric.one()).collect(),
    });
    request.objects = objects;
    request.score = args.score;
    request.steps = args.steps.map(|steps| steps as usize);
    request.baseline = args.baseline;
    request.mosaics = args.mosaics.map(|mosaics| mosaics as usize);
    request.agreement = args.agreement;
    request
}
