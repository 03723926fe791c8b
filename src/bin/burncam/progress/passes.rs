//! Progress inside of an image, for methods that run the network many times: a bar of its own for a single image, words in the bar over many.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

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

/// How far one of the images in progress is, for a bar over many of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inside(Arc<Mutex<Option<Image>>>);

/// The image whose progress is shown.
#[derive(Debug)]
struct Image {
    /// Its worker. Images that are worked on at the same time report in turns, and numbers of all of them would jump back and forth.
    worker: ThreadId,
    done: usize,
    total: usize,
    at: Instant,
}

/// After this time without a report another image is shown: its worker may be at something that takes no passes.
const STALE: Duration = Duration::from_secs(3);

impl Inside {
    /// Reports passes to the bar.
    pub(crate) fn listener(&self) -> Progress {
        let inside = self.clone();
        Progress::new(move |done, total| inside.report(done, total))
    }

    fn report(&self, done: usize, total: usize) {
        let Ok(mut image) = self.0.lock() else { return };
        let worker = thread::current().id();
        let is_free = |image: &Image| image.worker == worker || image.is_over();
        if image.as_ref().is_none_or(is_free) {
            *image = Some(Image { worker, done, total, at: Instant::now() });
        }
    }

    /// `; one at 420 of 1000 passes`; nothing between images, and for methods of few passes.
    pub(super) fn words(&self) -> String {
        let image = self.0.lock();
        let shown = image.as_ref().ok().and_then(|image| image.as_ref()).filter(|image| !image.is_over());
        shown.map_or_else(String::new, |Image { done, total, .. }| {
            format!("; one at {done} of {total} passes")
        })
    }
}

impl Image {
    fn is_over(&self) -> bool {
        self.done >= self.total || self.at.elapsed() > STALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_images_is_shown_until_it_is_done() {
        let inside = Inside::default();
        assert_eq!(inside.words(), "");
        inside.report(1, 4);
        let other = inside.clone();
        thread::spawn(move || other.report(3, 9)).join().unwrap();
        assert_eq!(inside.words(), "; one at 1 of 4 passes");
        inside.report(4, 4);
        assert_eq!(inside.words(), "");
        let other = inside.clone();
        thread::spawn(move || other.report(5, 9)).join().unwrap();
        assert_eq!(inside.words(), "; one at 5 of 9 passes");
    }
}
