//! Two thousand photographs: memory, cores, and what becomes of each. Takes minutes; `tests/bench/batch/run` starts it.

use super::album::part;
use super::cost::{Cost, measured};
use super::support::Place;

/// Share of the cores' time that was used, of what other programs left.
fn share(cost: &Cost) -> f64 {
    cost.busy() / (cost.busy() + cost.idle)
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
        let cost = measured(&mut place.burncam(arguments));
        assert_eq!(cost.status.code(), Some(1), "some of the photographs are broken");
        let percent = |seconds: f64| 100.0 * seconds / (cost.seconds * cores);
        let (busy, idle) = (percent(cost.busy()), percent(cost.idle));
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
    let share = 100.0 * share(&many);
    assert!(share > 90.0, "the cores worked {share:.1} % of the time that other programs left them");
}
