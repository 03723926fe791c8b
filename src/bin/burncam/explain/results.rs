//! Destinations of a batch's results, in the order of the inputs: the terminal, lists, the summary, the report.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use burncam::internal::output;
use burncam::record::{FailureRecord, PredictedRecord, PredictionRecord, Record, Summary, heat_outside};
use burncam_picture::render::escape::{escaped, escaped_json};

use super::explained::Explained;
use super::resume::Redone;
use super::rows;
use super::sheet::ContactSheet;
use super::task::Task;
use super::work::Work;
use crate::args::ExplainArgs;
use crate::condition::in_words;
use crate::discover::Left;
use crate::failures::Failures;
use crate::lists::{Csv, JsonLines};
use crate::plan::Destination;
use crate::progress::{Inside, Progress, Step};
use crate::report::Page;
use crate::{summary, text};

/// Receives results one by one.
pub(crate) struct Results<'a> {
    args: &'a ExplainArgs,
    work: &'a Work<'a>,
    quiet: bool,
    progress: Progress,
    json: Option<JsonLines>,
    csv: Option<Csv>,
    page: Option<Page>,
    sheet: Option<ContactSheet>,
    summary: Summary,
    /// Path of the summary, if any.
    summary_path: Option<PathBuf>,
    several: bool,
    failures: Failures,
    /// What holds for every image, and was said before the first.
    said: Vec<String>,
    /// Images that an earlier run had finished.
    kept: usize,
}

/// The summary of a run before its first image. The hash of the model may take longer than the first pictures, so it is added at the end.
fn empty(args: &ExplainArgs, model: &str, tasks: usize, left: &Left) -> Summary {
    let mut summary = Summary::new(model, "", tasks);
    left.entries().for_each(|entry| summary.not_taken.add(entry));
    let conditions = &args.batch.conditions;
    summary.selection = (!conditions.is_empty()).then(|| in_words(conditions));
    summary.shard = args.inputs.shard.map(|shard| shard.to_string());
    summary
}

impl<'a> Results<'a> {
    /// Opens every requested list and report before any work.
    ///
    /// # Errors
    /// When a file exists already or cannot be created.
    pub(crate) fn open(
        args: &'a ExplainArgs,
        work: &'a Work<'a>,
        tasks: usize,
        left: &Left,
        (inside, quiet): (&Inside, bool),
    ) -> Result<Self> {
        let model = work.explainer.model();
        let summary_path = work.plan.summary_path(args.inputs.shard);
        if !args.replaces() {
            output::refuse_existing(summary_path.iter().chain(&args.batch.report).chain(&args.batch.sheet))?;
        }
        let json = match &args.batch.jsonl {
            Some(path) => Some(JsonLines::open(path, args.replaces())?),
            None if args.output.json && tasks != 1 => Some(JsonLines::open("-".as_ref(), true)?),
            None => None,
        };
        let page = args.batch.report.as_deref().map(|path| Page::new(model.name(), path)).transpose()?;
        let csv = args.batch.csv.as_deref();
        let csv = csv.map(|path| Csv::open(path, &rows::COLUMNS, args.replaces(), args.batch.csv_raw));
        Ok(Self {
            args,
            work,
            quiet,
            said: [model.warnings(), &work.explainer.warnings()].concat(),
            progress: Progress::new(args.batch.progress, tasks, quiet, inside),
            json,
            csv: csv.transpose()?,
            page,
            sheet: args.batch.sheet.clone().map(ContactSheet::new),
            summary: empty(args, model.name(), tasks, left),
            summary_path,
            several: tasks > 1,
            failures: Failures::default(),
            kept: 0,
        })
    }

    /// Number of failures so far.
    pub(crate) fn failed(&self) -> usize {
        self.summary.failed
    }

    /// Handles one more result.
    ///
    /// # Errors
    /// When it cannot be printed or listed; the image's own failure is not an error.
    pub(crate) fn take(&mut self, task: &Task, result: &Result<Explained>) -> Result<()> {
        match result {
            Ok(explained) => self.explained(explained)?,
            Err(error) => self.failure(task, error)?,
        }
        // After the lines above, so that the bar is drawn below them.
        self.progress.step(match result {
            Ok(explained) if explained.kept => Step::Kept,
            Ok(_) => Step::Explained,
            Err(_) => Step::Failed,
        });
        Ok(())
    }

    fn explained(&mut self, explained: &Explained) -> Result<()> {
        if let Some(prediction) = &explained.prediction {
            return self.predicted(prediction);
        }
        self.summary.add(&explained.records, &explained.objects);
        self.sheet.iter_mut().for_each(|sheet| sheet.add(explained.row.as_ref(), &self.work.wants_rows));
        self.kept += usize::from(explained.kept);
        for (at, record) in explained.records.iter().enumerate() {
            let listed = |list: Option<&PathBuf>| rows::listed(record, list, explained.directory.as_ref());
            if let Some(json) = &mut self.json {
                json.line(&listed(self.args.batch.jsonl.as_ref()).to_json_line()?)?;
            }
            if let Some(csv) = &mut self.csv {
                let record = listed(self.args.batch.csv.as_ref());
                rows::rows(&record).try_for_each(|cells| csv.row(&cells))?;
            }
            if let (Some(page), Some(directory)) = (&mut self.page, &explained.directory) {
                page.add(record, directory, explained.small.get(at));
                page.heat_outside(heat_outside(record, &explained.objects));
            }
        }
        self.progress.aside(|| self.print(explained))
    }

    /// An image that is in the summary and the lists only.
    fn predicted(&mut self, prediction: &PredictionRecord) -> Result<()> {
        self.summary.add_predicted(prediction, self.work.explainer.model().num_classes());
        if let Some(json) = &mut self.json {
            let selection = self.summary.selection.as_deref().unwrap_or_default();
            let top_k = self.work.explainer.request().top_k;
            json.line(&PredictedRecord::new(prediction, selection, top_k).to_json_line()?)?;
        }
        if let Some(csv) = &mut self.csv {
            csv.row(&rows::predicted(prediction))?;
        }
        // Several have a summary, which says how many.
        if !self.several && !self.quiet {
            let selection = self.summary.selection.as_deref().unwrap_or_default();
            text::note(&format!("{}: predicted only: it does not meet {selection}", prediction.path));
        }
        Ok(())
    }

    fn print(&self, explained: &Explained) -> Result<()> {
        let is_brief = self.progress.stands_for_images();
        for record in &explained.records {
            let warnings = record.warnings.iter().filter(|warning| !is_brief && !self.said.contains(warning));
            for warning in warnings {
                log::warn!("{}: {warning}", record.input.path);
            }
        }
        if let Some(picture) = &explained.picture {
            return text::data(picture);
        }
        if self.args.output.json && self.json.is_none() {
            return self.print_records(&explained.records);
        }
        // A line for each of many images would be noise where the bar is seen; another program that reads them gets all.
        if self.quiet || self.speaks_on_stdout() || is_brief && text::is_seen() {
            return Ok(());
        }
        if explained.kept {
            log::info!("{}: kept as it is", explained.path());
            return Ok(());
        }
        self.say(&format!("{}\n", escaped(&explained.sentence())))
    }

    /// Writes escaped text to standard output. A closed pipe is an error only where no files are written.
    fn say(&self, text: &str) -> Result<()> {
        match self.work.plan.destination {
            Destination::Stdout => text::data(text.as_bytes()),
            Destination::Directory(_) | Destination::File(_) => {
                text::data_while_open(text.as_bytes()).context("cannot write to standard output")
            }
        }
    }

    /// For one image: indented for one method, one per line for several.
    fn print_records(&self, records: &[Record]) -> Result<()> {
        for record in records {
            let json = match records.len() {
                1 => record.to_json(),
                _ => record.to_json_line().map(|line| format!("{line}\n")),
            };
            self.say(&escaped_json(&json?))?;
        }
        Ok(())
    }

    /// The warnings of images that the bar stood for, the most frequent first.
    fn print_warnings(&self) {
        const SHOWN: usize = 5;
        if self.quiet || !self.progress.stands_for_images() {
            return;
        }
        let ranked = self.summary.warnings.ranked();
        let ranked = ranked.into_iter().filter(|warned| !self.said.contains(&warned.warning));
        for warned in ranked.take(SHOWN) {
            log::warn!("{}: {}", text::counted(warned.count, "image"), warned.warning);
        }
    }

    /// Whether a list goes to standard output, where messages would interfere.
    fn speaks_on_stdout(&self) -> bool {
        let batch = &self.args.batch;
        self.args.output.json
            || [&batch.jsonl, &batch.csv].into_iter().flatten().any(|path| path.as_os_str() == "-")
    }

    fn failure(&mut self, task: &Task, error: &anyhow::Error) -> Result<()> {
        let path = task.input.path.display().to_string();
        let failure = self.failures.take(&path, error, &self.progress);
        let label = |label: &usize| self.work.explainer.label_record(*label);
        let labels: Vec<_> = task.labels.iter().map(label).collect();
        self.summary.fail(failure.clone());
        if let Some(json) = &mut self.json {
            let estimator = self.work.explainer.model().name();
            for method in &self.work.explainer.request().methods {
                let title = method.info().title;
                let record = FailureRecord::new(estimator, title, labels.first().cloned(), &failure);
                json.line(&record.to_json_line()?)?;
            }
        }
        if let Some(csv) = &mut self.csv {
            csv.row(&rows::failure(&labels, &failure))?;
        }
        if let Some(page) = &mut self.page {
            page.fail(&path, &failure.error);
        }
        Ok(())
    }

    /// Writes the summary and the report, independently of each other, and prints the outcome. Returns whether both
    /// were written.
    pub(crate) fn finish(mut self, interrupted: bool) -> bool {
        self.progress.finish();
        self.failures.print();
        self.print_warnings();
        self.summary.interrupted = interrupted;
        // Images that were kept took no time, and would make the rate too good.
        let done = self.summary.explained + self.summary.predicted_only - self.kept;
        self.summary.took(self.progress.elapsed().as_secs_f64(), done);
        if self.several && !self.quiet {
            summary::words(&self.summary).iter().for_each(|line| text::note(line));
            if self.kept > 0 {
                text::note(&format!("{} kept from an earlier run", text::counted(self.kept, "image")));
            }
        }
        if let Some(words) = self.work.redone.as_ref().and_then(Redone::words).filter(|_| !self.quiet) {
            text::note(&format!("explained again: {words}"));
        }
        if self.several && text::is_gone() {
            text::note("the reader of standard output is gone; files were written all the same");
        }
        // The directory was removed during the run: that was reported, and there is no place for a summary.
        if self.work.plan.is_gone() {
            return true;
        }
        let replaces = self.args.replaces();
        let page = self.page.take().map_or(Ok(()), |page| page.write(replaces, &self.summary));
        let summary = self.summary_path.take().map_or(Ok(()), |path| {
            self.summary.model.sha256 = self.work.explainer.model_sha256()?.to_owned();
            summary::write(&self.summary, path, replaces)
        });
        let sheet = self.sheet.take().map_or(Ok(()), |sheet| sheet.write(self.work.explainer, replaces));
        let problems: Vec<_> = [page, summary, sheet].into_iter().filter_map(Result::err).collect();
        problems.iter().for_each(text::error);
        // Without a line for each image nothing else says where they are.
        if problems.is_empty() && self.progress.stands_for_images() {
            let place = self.work.plan.destination.place(self.args.batch.report.as_deref());
            place.iter().for_each(|line| text::note(line));
        }
        problems.is_empty()
    }
}
