//! `explain --dry-run`: what the run would read and write, and about how long it would take. Writes nothing.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use burncam::{Explainer, Reads, Target};
use rayon::ThreadPool;
use serde_json::{Value, json};

use super::task::Task;
use crate::args::ExplainArgs;
use crate::contain::contained;
use crate::dry::{Facts, precise, rounded};
use crate::plan::{Destination, Plan};
use crate::text;
use crate::threads::Workers;

/// What a run has prepared.
pub(super) struct Prepared<'a> {
    pub(super) args: &'a ExplainArgs,
    pub(super) plan: &'a Plan,
    pub(super) explainer: &'a Explainer,
    pub(super) tasks: &'a [Task],
    pub(super) workers: Workers,
    /// One worker's threads.
    pub(super) pool: ThreadPool,
}

/// Prints what the run would do.
pub(super) fn run(prepared: &Prepared) -> Result<()> {
    let Prepared { args, explainer, tasks, .. } = prepared;
    let mut facts = Facts::about(tasks, explainer);
    if !args.batch.conditions.is_empty() {
        let words = crate::condition::in_words(&args.batch.conditions);
        facts.add("where", format!("{words}; all are predicted first"), &[("where", json!(words))]);
    }
    prepared.add_files(&mut facts);
    prepared.pool.install(|| prepared.add_time(&mut facts));
    facts.print(args.output.json)
}

impl Prepared<'_> {
    fn add_files(&self, facts: &mut Facts) {
        let request = self.explainer.request();
        let mut kinds: Vec<&str> = request.artifacts.iter().map(|kind| kind.name()).collect();
        kinds.extend(request.record.then_some("record"));
        kinds.extend(request.grid.then_some("grid"));
        let several = if request.has_several_classes() { ", pictures for each class" } else { "" };
        let known =
            |task: &Task| self.plan.names(&task.input).map_or_else(Vec::new, |names| names.known(request));
        // By their names: those of classes are known only after the network has run.
        let count: Option<usize> =
            (!request.has_several_classes()).then(|| self.tasks.iter().map(|task| known(task).len()).sum());
        let files = count.map_or_else(String::new, |count| format!(": {}", text::counted(count, "file")));
        let words = match &self.plan.destination {
            Destination::Stdout => "one picture or record to standard output".to_owned(),
            Destination::Directory(path) | Destination::File(path) if !kinds.is_empty() => {
                format!("{} of each image{several}, {}{files}", kinds.join(", "), path.display())
            }
            Destination::Directory(_) | Destination::File(_) => "no files of single images".to_owned(),
        };
        facts.add("writes", words, &[("kinds", json!(kinds)), ("files", json!(count))]);
        let examples = self.tasks.first().map_or_else(Vec::new, known);
        let paths =
            |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        if !examples.is_empty() {
            facts.add(
                "",
                format!("such as {}", paths(&examples).join(" ")),
                &[("examples", json!(paths(&examples)))],
            );
        }
        let summary = self.plan.summary_path(self.args.inputs.shard);
        let others: Vec<PathBuf> = summary.into_iter().chain(self.args.batch.lists().cloned()).collect();
        if !others.is_empty() {
            facts.add("", paths(&others).join(" "), &[("lists", json!(paths(&others)))]);
        }
    }

    /// One image is explained and drawn in memory where that is cheap; otherwise a pass is timed.
    fn add_time(&self, facts: &mut Facts) {
        let request = self.explainer.request();
        let is_long = |reads: Reads| request.methods.iter().any(|method| method.reads(reads));
        let smoothing = &self.args.method.smooth;
        if is_long(Reads::Samples)
            || is_long(Reads::BatchSize)
            || !smoothing.is_empty()
            || request.targets.contains(&Target::All)
            // How many are explained is not known before all are predicted.
            || !self.args.batch.conditions.is_empty()
        {
            return facts.add_pass(self.explainer, &request.methods, self.tasks);
        }
        let Some(seconds) = self.one_image() else {
            let words = "not known: no image can be read".to_owned();
            return facts.add("time", words, &[("seconds_per_image", Value::Null), ("seconds", Value::Null)]);
        };
        let (images, jobs) = (self.tasks.len(), self.workers.jobs);
        let all = seconds * images.div_ceil(jobs) as f64;
        let total = match images {
            1 => String::new(),
            _ => format!(", so about {} for all, {jobs} at a time", precise(all)),
        };
        let words = format!(
            "about {} per image{total}; measured once, on the first image that can be read",
            precise(seconds)
        );
        facts.add(
            "time",
            words,
            &[("seconds_per_image", json!(rounded(seconds))), ("seconds", json!(rounded(all)))],
        );
    }

    /// Seconds to read, explain and draw the first image that can be read, without writing.
    fn one_image(&self) -> Option<f64> {
        let once = |task: &Task| {
            contained(|| {
                let subject = task.load(self.explainer)?;
                for explanation in self.explainer.explain(&subject)? {
                    for target in &explanation.targets {
                        let canvas = explanation.canvas(target, &subject, &self.explainer.request().style);
                        for kind in &self.explainer.request().artifacts {
                            canvas.draw(*kind)?;
                        }
                    }
                }
                Ok(())
            })
        };
        // The first time packs weights, which later ones do not.
        let task = self.tasks.iter().find(|task| !task.input.is_stdin() && once(task).is_ok())?;
        let begun = Instant::now();
        once(task).ok()?;
        Some(begun.elapsed().as_secs_f64())
    }
}
