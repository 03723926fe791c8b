//! Progress of what a run does after its images: a bar on a terminal, or JSON lines where these were asked for.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use burncam::Progress;
use serde_json::json;

use crate::args::ProgressArg;
use crate::progress::listener;
use crate::text;

/// Interval between JSON lines, so that thousands of steps do not fill a log.
const EVERY: Duration = Duration::from_millis(500);

/// The progress of a stage of a run, as `--progress` wants it.
pub(crate) fn of_stage(kind: ProgressArg, quiet: bool, counted: &'static str) -> Option<Progress> {
    match kind {
        ProgressArg::Never => None,
        ProgressArg::Auto => listener(quiet, counted),
        ProgressArg::Json => Some(lines(counted)),
    }
}

/// A line for the first step, for the last one, and between them from time to time.
fn lines(counted: &'static str) -> Progress {
    let begun = Instant::now();
    let printed: Mutex<Option<(usize, Instant)>> = Mutex::new(None);
    Progress::new(move |done, total| {
        let Ok(mut printed) = printed.lock() else { return };
        // Workers count at the same time, and a smaller number may come after a larger one.
        let is_due = match *printed {
            None => true,
            Some((most, last)) => done > most && (done == total || last.elapsed() >= EVERY),
        };
        if is_due {
            *printed = Some((done, Instant::now()));
            let seconds = begun.elapsed().as_millis() as f64 / 1000.0;
            let line = json!({ "event": "progress", "stage": counted, "done": done, "total": total, "seconds": seconds });
            text::note(&line.to_string());
        }
    })
}
