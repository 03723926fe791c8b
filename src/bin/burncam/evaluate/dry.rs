//! `evaluate --dry-run`: what the run would read, measure and write. Writes nothing.

use anyhow::Result;
use serde_json::json;

use super::prepare::Run;
use super::written::Destinations;
use crate::dry::Facts;

/// Prints what the run would do.
pub(super) fn run(run: &Run, destinations: &Destinations) -> Result<()> {
    let explainer = run.evaluator.explainer();
    let mut facts = Facts::about(&run.tasks, explainer);
    let header = run.pool.install(|| run.evaluator.header())?;
    let metrics: Vec<&str> = header.metrics.iter().map(|metric| metric.name.as_str()).collect();
    facts.add("metrics", metrics.join(", "), &[("metrics", json!(metrics))]);
    let Destinations { evaluation, csv, page, .. } = destinations;
    let files = [evaluation].into_iter().chain(csv).chain(page);
    let files: Vec<String> = files.map(|path| path.display().to_string()).collect();
    facts.add("writes", files.join(" "), &[("files", json!(files))]);
    run.pool.install(|| facts.add_pass(explainer, &explainer.request().methods, &run.tasks));
    facts.print(false)
}
