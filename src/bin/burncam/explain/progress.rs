//! Progress of a batch on standard error: a bar on a terminal, or JSON lines for another program.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::args::ProgressArg;
use crate::text;

/// Interval between JSON lines, so that thousands of images do not fill a log.
const EVERY: Duration = Duration::from_millis(500);

/// Counts images and reports progress.
#[derive(Debug)]
pub(crate) struct Progress {
    report: Report,
    total: usize,
    done: usize,
    failed: usize,
    kept: usize,
    begun: Instant,
}

/// The outcome of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Explained,
    Failed,
    /// An earlier run had explained it.
    Kept,
}

#[derive(Debug)]
enum Report {
    None,
    Bar(ProgressBar),
    Json { last: Option<Instant> },
}

impl Progress {
    /// `auto` draws a bar on a terminal.
    pub(crate) fn new(kind: ProgressArg, total: usize, quiet: bool) -> Self {
        let target = ProgressDrawTarget::stderr();
        let report = match kind {
            ProgressArg::Json => Report::Json { last: None },
            ProgressArg::Auto if total > 1 && !quiet && !target.is_hidden() => Report::Bar(bar(total)),
            ProgressArg::Auto | ProgressArg::Never => Report::None,
        };
        Self { report, total, done: 0, failed: 0, kept: 0, begun: Instant::now() }
    }

    /// Counts one more image.
    pub(crate) fn step(&mut self, step: Step) {
        let failed = step == Step::Failed;
        self.done += 1;
        self.failed += usize::from(failed);
        self.kept += usize::from(step == Step::Kept);
        match &mut self.report {
            Report::None => {}
            Report::Bar(bar) => {
                if failed {
                    bar.set_message(format!(", {} failed", self.failed));
                }
                bar.inc(1);
            }
            Report::Json { last } => {
                // The first and the last line always: a reader learns the total at once, and sees the end.
                if self.done == self.total || last.is_none_or(|last| last.elapsed() >= EVERY) {
                    *last = Some(Instant::now());
                    self.print();
                }
            }
        }
    }

    /// Runs `print` while the bar is hidden.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.report {
            // A line printed over a bar would leave half of it on the screen.
            Report::Bar(bar) => bar.suspend(print),
            Report::None | Report::Json { .. } => print(),
        }
    }

    /// The batch has ended.
    pub(crate) fn finish(&self) {
        match &self.report {
            Report::Bar(bar) => bar.finish_and_clear(),
            Report::Json { .. } if self.done < self.total => self.print(),
            Report::Json { .. } | Report::None => {}
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn print(&self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = |images: usize| images as f64 / seconds.max(1e-9);
        // Kept images take almost no time, failed ones some.
        let left = match self.done - self.kept {
            0 => 0.0,
            worked => (self.total - self.done) as f64 / rate(worked),
        };
        let explained = self.done - self.failed - self.kept;
        let line = json!({
            "event": "progress",
            "done": self.done,
            "total": self.total,
            "failed": self.failed,
            "seconds": rounded(seconds),
            "images_per_second": rounded(rate(explained)),
            "seconds_left": rounded(left),
        });
        text::note(&line.to_string());
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} images, {per_sec}, {eta} left{msg}");
    bar.enable_steady_tick(Duration::from_millis(200));
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
