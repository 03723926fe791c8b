//! Progress over images on standard error: a bar on a terminal, or JSON lines for another program.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;

use super::Inside;
use crate::args::ProgressArg;
use crate::text;

/// Interval between JSON lines, so that thousands of images do not fill a log.
const EVERY: Duration = Duration::from_millis(500);

/// From more images on, the bar stands for them: a terminal shows about as many lines without scrolling.
const FEW: usize = 20;

/// Counts images and reports progress.
#[derive(Debug)]
pub(crate) struct Progress {
    report: Report,
    counts: Arc<Mutex<Counts>>,
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

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    total: usize,
    done: usize,
    failed: usize,
    kept: usize,
    /// Seconds from the start to the last image that was done.
    at: f64,
}

/// Whether more messages were asked for.
fn is_verbose() -> bool {
    log::max_level() >= log::LevelFilter::Info
}

/// Whether there is a bar over this many images: on a terminal.
pub(crate) fn draws_bar(kind: ProgressArg, images: usize, quiet: bool) -> bool {
    kind == ProgressArg::Auto && images > 1 && !quiet && !ProgressDrawTarget::stderr().is_hidden()
}

impl Progress {
    /// `auto` draws a bar on a terminal, and in it what is `inside` of images.
    pub(crate) fn new(kind: ProgressArg, total: usize, quiet: bool, inside: &Inside) -> Self {
        let counts = Arc::new(Mutex::new(Counts { total, ..Counts::default() }));
        let begun = Instant::now();
        let report = match kind {
            ProgressArg::Json => Report::Json { last: None },
            _ if draws_bar(kind, total, quiet) => {
                Report::Bar(bar(Arc::clone(&counts), begun, inside.clone()))
            }
            ProgressArg::Auto | ProgressArg::Never => Report::None,
        };
        Self { report, counts, begun }
    }

    /// Whether the bar stands for single images, which then have no lines of their own on the terminal.
    pub(crate) fn stands_for_images(&self) -> bool {
        matches!(self.report, Report::Bar(_)) && self.counts().total > FEW && !is_verbose()
    }

    /// Counts one more image.
    pub(crate) fn step(&mut self, step: Step) {
        let counts = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.done += 1;
            counts.failed += usize::from(step == Step::Failed);
            counts.kept += usize::from(step == Step::Kept);
            counts.at = self.begun.elapsed().as_secs_f64();
            *counts
        };
        match &mut self.report {
            Report::None => {}
            Report::Bar(bar) => bar.inc(1),
            Report::Json { last } => {
                // The first and the last line always: a reader learns the total at once, and sees the end.
                if counts.done == counts.total || last.is_none_or(|last| last.elapsed() >= EVERY) {
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
        let Counts { done, total, .. } = self.counts();
        match &self.report {
            Report::Bar(bar) => bar.finish_and_clear(),
            Report::Json { .. } if done < total => self.print(),
            Report::Json { .. } | Report::None => {}
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self) {
        let counts = self.counts();
        let seconds = self.begun.elapsed().as_secs_f64();
        let explained = counts.done - counts.failed - counts.kept;
        let line = json!({
            "event": "progress",
            "done": counts.done,
            "total": counts.total,
            "failed": counts.failed,
            "seconds": rounded(seconds),
            "images_per_second": rounded(rate(explained, seconds)),
            "seconds_left": rounded(counts.seconds_left(seconds).unwrap_or_default()),
        });
        text::note(&line.to_string());
    }
}

impl Counts {
    /// Kept images take almost no time, failed ones some. `None` before the first image, from which nothing follows.
    fn seconds_left(&self, seconds: f64) -> Option<f64> {
        match self.done - self.kept {
            0 => None,
            worked => Some((self.total - self.done) as f64 / rate(worked, seconds)),
        }
    }

    /// `12 of 500 images, 34 images/s, 14 s left, 3 failed`. Between two images that take long the speed stays, and the rest gets shorter.
    fn words(&self, seconds: f64) -> String {
        let mut words = format!("{} of {} images", self.done, self.total);
        if let Some(left) = self.seconds_left(self.at) {
            let speed = speed(rate(self.done - self.kept, self.at));
            words.push_str(&format!(", {speed}, {} left", whole((left - (seconds - self.at)).max(0.0))));
        }
        if self.failed > 0 {
            words.push_str(&format!(", {} failed", self.failed));
        }
        words
    }
}

fn rate(images: usize, seconds: f64) -> f64 {
    images as f64 / seconds.max(1e-9)
}

/// A rough time, without a decimal that changes at once.
fn whole(seconds: f64) -> String {
    if seconds < 10.0 { format!("{:.0} s", seconds.ceil()) } else { text::duration(seconds) }
}

/// `34 images/s`, `3.4 images/s`, or `2.9 s per image`.
fn speed(rate: f64) -> String {
    match rate {
        9.95.. => format!("{rate:.0} images/s"),
        1.0.. => format!("{rate:.1} images/s"),
        _ => format!("{} per image", text::duration(1.0 / rate)),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn bar(counts: Arc<Mutex<Counts>>, begun: Instant, inside: Inside) -> ProgressBar {
    let total = counts.lock().map_or(0, |counts| counts.total);
    let words = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let counts = counts.lock().map(|counts| *counts).unwrap_or_default();
        // Written to memory, which does not fail.
        let _ = write!(out, "{}{}", counts.words(begun.elapsed().as_secs_f64()), inside.words());
    };
    let bar = ProgressBar::new(total as u64);
    let style =
        ProgressStyle::with_template("{wide_bar} {words}").map(|style| style.with_key("words", words));
    bar.enable_steady_tick(Duration::from_millis(200));
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_words_that_people_read() {
        let counts = Counts { total: 500, done: 68, at: 2.0, ..Counts::default() };
        assert_eq!(counts.words(2.0), "68 of 500 images, 34 images/s, 13 s left");
        let slow = Counts { total: 5, done: 2, failed: 1, at: 5.8, ..Counts::default() };
        assert_eq!(slow.words(5.8), "2 of 5 images, 2.9 s per image, 9 s left, 1 failed");
        assert_eq!(slow.words(7.8), "2 of 5 images, 2.9 s per image, 7 s left, 1 failed");
        assert_eq!(slow.words(60.0), "2 of 5 images, 2.9 s per image, 0 s left, 1 failed");
        assert_eq!(Counts { total: 5, ..Counts::default() }.words(3.0), "0 of 5 images");
        let kept = Counts { total: 5, done: 2, kept: 2, at: 0.1, ..Counts::default() };
        assert_eq!(kept.words(3.0), "2 of 5 images");
    }
}
