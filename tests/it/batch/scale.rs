//! Two thousand photographs: memory, cores, and what becomes of each. Takes minutes; `tests/bench/batch/run` starts it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::album::part;
use super::support::Place;

/// What a run cost.
struct Cost {
    seconds: f64,
    /// Processor time of all threads, in seconds.
    busy: f64,
    /// Seconds in which a core of the machine had nothing to do, or waited for the disk.
    idle: f64,
    /// Greatest resident memory, in MB.
    memory: f64,
}

impl Cost {
    /// Share of the cores' time that was used, of what other programs left.
    fn share(&self) -> f64 {
        self.busy / (self.busy + self.idle)
    }
}

/// Ticks a second, in which Linux counts for `/proc`.
const TICKS: f64 = 100.0;

/// Seconds in which the cores had nothing to do since the machine started: fields 4 and 5 of the first line.
fn idle() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let fields = stat.lines().next().unwrap().split_whitespace();
    fields.skip(4).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// Runs it and reads from `/proc` until it is over: memory while it is there, times when only its entry is left.
fn measured(place: &Place, arguments: &str) -> Cost {
    let (begun, idle) = (Instant::now(), idle());
    let mut child = place.burncam(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let folder = format!("/proc/{}", child.id());
    let mut memory = 0.0_f64;
    loop {
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        };
        memory = memory.max(field("VmHWM:").map_or(0.0, |text| text.parse::<f64>().unwrap() / 1e3));
        if field("State:").is_some_and(|state| state == "Z") {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (seconds, idle) = (begun.elapsed().as_secs_f64(), self::idle() - idle);
    let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap();
    // Fields 14 and 15 of proc(5), counted after the name in brackets; in ticks.
    let after_name: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split_whitespace().collect();
    let busy = [11, 12].map(|at| after_name[at].parse::<f64>().unwrap()).iter().sum::<f64>() / TICKS;
    assert_eq!(child.wait().unwrap().code(), Some(1), "some of the photographs are broken");
    Cost { seconds, busy, idle, memory }
}

/// Twenty hundreds that are alike in sizes, each alone and all together, so that only their number differs. Which large pictures meet in
/// memory is chance, in a hundred as in two thousand, so the greatest of several hundreds is what all are held against.
/// `BURNCAM_BATCH_HUNDREDS` other than 20 makes it shorter.
#[test]
#[ignore = "takes minutes; tests/bench/batch/run starts it"]
#[expect(clippy::print_stdout, reason = "a table is what it is for")]
fn two_thousand_photographs() {
    const ALONE: usize = 5;
    let hundreds = std::env::var("BURNCAM_BATCH_HUNDREDS").map_or(20, |text| text.parse().unwrap());
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    let place = Place::of_hundreds(hundreds);
    println!(
        "{:>8}{:>10}{:>12}{:>8}{:>10}{:>10}{:>14}",
        "images", "seconds", "images/s", "busy", "others", "idle", "memory (MB)"
    );
    let report = |count: usize, arguments: &str| {
        let cost = measured(&place, arguments);
        let percent = |seconds: f64| 100.0 * seconds / (cost.seconds * cores);
        let (busy, idle) = (percent(cost.busy), percent(cost.idle));
        let others = (100.0 - busy - idle).max(0.0);
        let (seconds, rate) = (cost.seconds, count as f64 / cost.seconds);
        println!(
            "{count:>8}{seconds:>10.1}{rate:>12.1}{busy:>6.0} %{others:>8.0} %{idle:>8.0} %{:>14.1}",
            cost.memory
        );
        cost
    };
    let alone =
        |at: usize| report(100, &format!("explain photos/{0} -o alone/{0} --quiet", part(at).display()));
    let few = (0..hundreds.min(ALONE)).map(|at| alone(at).memory).fold(0.0, f64::max);
    let many = report(100 * hundreds, "explain photos -o many --quiet");
    println!("memory {:.2} times that of a hundred, {cores} cores", many.memory / few);
    let summary = place.summary("many/summary.json");
    assert_eq!((summary.images, summary.explained), (100 * hundreds, place.album.good.len()));
    let failures: Vec<&str> = summary.failures.iter().map(|failure| failure.path.as_str()).collect();
    let bad: Vec<String> = place.album.bad.iter().map(|path| format!("photos/{}", path.display())).collect();
    assert_eq!(failures, bad);
    assert_eq!(place.records("many").len(), place.album.good.len());
    assert!(many.memory <= 1.2 * few, "memory grows with the number of images");
    let share = 100.0 * many.share();
    assert!(share > 90.0, "the cores worked {share:.1} % of the time that other programs left them");
}
