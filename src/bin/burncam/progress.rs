//! A progress bar, on a terminal only, for what runs the network many times.

use std::sync::Mutex;

use burncam::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws the progress of a method in `passes` or another word for what is counted, unless nothing would see it.
pub(crate) fn listener(quiet: bool, counted: &'static str) -> Option<Progress> {
    let target = ProgressDrawTarget::stderr();
    // Counting costs a lock per batch, so without a terminal no one listens.
    if quiet || target.is_hidden() {
        return None;
    }
    let bar: Mutex<Option<ProgressBar>> = Mutex::new(None);
    Some(Progress::new(move |done, total| {
        let Ok(mut bar) = bar.lock() else { return };
        let shown = bar.get_or_insert_with(|| drawn(total, counted));
        shown.set_length(total as u64);
        shown.set_position(done as u64);
        if done >= total {
            shown.finish_and_clear();
            // The next method starts a bar of its own, with its own total.
            *bar = None;
        }
    }))
}

fn drawn(total: usize, counted: &str) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    let style =
        ProgressStyle::with_template(&format!("{{wide_bar}} {{pos}} of {{len}} {counted}, {{eta}} left"));
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
