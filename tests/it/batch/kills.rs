//! SIGKILL at random moments: what is there stays whole, and `--resume` comes to what an undisturbed run comes to.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::album::Sizes;
use super::support::Place;

const KILLS: usize = 20;
const RUN: &str = "explain -m tiny.bpk photos -o out --jsonl out/lines.jsonl --batch-size 4 --quiet";

/// Seeded by the clock, and said when something fails: kills are to come at other moments every time.
struct Moments(u64);

impl Moments {
    fn next(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        most.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[test]
fn killed_twenty_times_and_resumed_it_is_as_if_nothing_had_happened() {
    let place = Place::new(60, Sizes::Small);
    let begun = Instant::now();
    place.run(RUN, 1);
    let whole_run = begun.elapsed();
    let expected = place.tree("out").timeless();
    std::fs::remove_dir_all(place.path("out")).unwrap();

    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let mut moments = Moments(seed);
    let (mut kills, mut finished) = (0, 0);
    while kills < KILLS {
        let mut child = place.burncam(&format!("{RUN} --resume")).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moments.next(whole_run));
        let done = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        place.records("out");
        if done.is_none() {
            kills += 1;
            continue;
        }
        // It came to its end before the moment did; the next ones get a directory to fill again.
        place.tree("out").timeless().assert_is(&expected, &format!("after {kills} kills, seed {seed}"));
        std::fs::remove_dir_all(place.path("out")).unwrap();
        finished += 1;
        assert!(finished < 10 * KILLS, "the run is too fast to be killed");
    }
    place.run(&format!("{RUN} --resume"), 1);
    place.tree("out").timeless().assert_is(&expected, &format!("at the end, seed {seed}"));
}

#[test]
fn two_processes_in_one_directory_lose_nothing() {
    let place = Place::new(40, Sizes::Small);
    let run = format!("{} --resume", RUN.replace(" --jsonl out/lines.jsonl", ""));
    let begun = Instant::now();
    place.run(&run, 1);
    let whole_run = begun.elapsed();
    let expected = place.tree("out").timeless();
    let mut moments = Moments(3);
    for at in 0..6 {
        std::fs::remove_dir_all(place.path("out")).unwrap();
        let start = || place.burncam(&run).stderr(Stdio::null()).spawn().unwrap();
        let mut first = start();
        std::thread::sleep(moments.next(whole_run));
        let mut second = start();
        assert_eq!((first.wait().unwrap().code(), second.wait().unwrap().code()), (Some(1), Some(1)));
        place.tree("out").timeless().assert_is(&expected, &format!("pair {at}"));
    }
}

#[test]
fn what_is_done_is_not_done_again_and_what_changed_is() {
    let place = Place::new(18, Sizes::Small);
    let resume = format!("{RUN} --resume");
    place.run(&resume, 1);
    let expected = place.tree("out").timeless();
    let times = || -> Vec<_> {
        let records =
            place.tree("out").0.into_keys().filter(|path| path.to_string_lossy().ends_with(".gradcam.json"));
        records
            .map(|path| (path.clone(), place.path("out").join(path).metadata().unwrap().modified().unwrap()))
            .collect()
    };
    let before = times();
    std::thread::sleep(Duration::from_millis(20));
    place.run(&resume, 1);
    assert_eq!(times(), before, "a second run wrote records again");
    place.tree("out").timeless().assert_is(&expected, "a second run");

    // Another picture under a name that was done, and a record whose picture is gone.
    let (changed, lost) = (&place.album.good[0], &place.album.good[1]);
    let bytes = std::fs::read(place.path("photos").join(changed)).unwrap();
    std::fs::copy(crate::support::fixture("images/odd/rgb.png"), place.path("photos").join(changed)).unwrap();
    let overlay = lost.with_file_name(format!("{}.gradcam.png", lost.file_stem().unwrap().to_string_lossy()));
    std::fs::remove_file(place.path("out").join(&overlay)).unwrap();
    place.run(&resume, 1);
    let again: Vec<_> = times().into_iter().zip(&before).filter(|(now, then)| now != *then).collect();
    assert_eq!(again.len(), 2, "{again:?}");
    std::fs::write(place.path("photos").join(changed), bytes).unwrap();
    place.run(&resume, 1);
    place.tree("out").timeless().assert_is(&expected, "with the first picture again");

    // Other settings: everything again.
    let before = times();
    std::thread::sleep(Duration::from_millis(20));
    place.run(&format!("{resume} --colormap jet"), 1);
    assert!(
        times().into_iter().zip(&before).all(|(now, then)| now != *then),
        "records of other settings were kept"
    );
}
