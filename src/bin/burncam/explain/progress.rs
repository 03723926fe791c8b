//! How far a batch has come: a bar on a terminal, or JSON lines for another program, on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::args::ProgressArg;
use crate::text;

/// How often JSON lines come.
const EVERY: Duration = Duration::from_millis(500);

/// Counts and tells.
#[derive(Debug)]
pub(crate) struct Progress {
    teller: Teller,
    total: usize,
    done: usize,
    failed: usize,
    kept: usize,
    begun: Instant,
}

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Explained,
    Failed,
    /// An earlier run had explained it.
    Kept,
}

#[derive(Debug)]
enum Teller {
    Nobody,
    Bar(ProgressBar),
    Json { told: Option<Instant> },
}

impl Progress {
    /// `auto` draws a bar where somebody may look at it.
    pub(crate) fn new(kind: ProgressArg, total: usize, quiet: bool) -> Self {
        let target = ProgressDrawTarget::stderr();
        let teller = match kind {
            ProgressArg::Json => Teller::Json { told: None },
            ProgressArg::Auto if total > 1 && !quiet && !target.is_hidden() => Teller::Bar(bar(total)),
            ProgressArg::Auto | ProgressArg::Never => Teller::Nobody,
        };
        Self { teller, total, done: 0, failed: 0, kept: 0, begun: Instant::now() }
    }

    /// One more image is done.
    pub(crate) fn step(&mut self, step: Step) {
        let failed = step == Step::Failed;
        self.done += 1;
        self.failed += usize::from(failed);
        self.kept += usize::from(step == Step::Kept);
        match &mut self.teller {
            Teller::Nobody => {}
            Teller::Bar(bar) => {
                if failed {
                    bar.set_message(format!(", {} failed", self.failed));
                }
                bar.inc(1);
            }
            Teller::Json { told } => {
                if self.done == self.total || told.is_none_or(|told| told.elapsed() >= EVERY) {
                    *told = Some(Instant::now());
                    self.tell();
                }
            }
        }
    }

    /// Runs what prints, out of the bar's way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.teller {
            Teller::Bar(bar) => bar.suspend(print),
            Teller::Nobody | Teller::Json { .. } => print(),
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&self) {
        match &self.teller {
            Teller::Bar(bar) => bar.finish_and_clear(),
            Teller::Json { .. } if self.done < self.total => self.tell(),
            Teller::Json { .. } | Teller::Nobody => {}
        }
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn tell(&self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = |images: usize| images as f64 / seconds.max(1e-9);
        // What was kept took no time to speak of, what failed took some.
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
