//! Directories of photographs, the command as a process: wall time, processor time, page faults and memory, on Linux.
//!
//!     cargo bench --bench directories                      # about two minutes
//!     cargo bench --bench directories -- --rounds 5 OLD    # next to another build of the command
//!
//! 16 JPEGs of 12 megapixels, and 500 of 640x480, made from the fixtures with seeded noise, through the built-in network with two threads and with one.
//! Programs take turns, and of each the fastest round is printed. The machine should have nothing else to do. Files are in TMPDIR, 700 MB at most.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails as a test does")]

#[expect(dead_code, reason = "tests need the rest")]
#[path = "../it/batch/cost.rs"]
mod cost;

use std::path::{Path, PathBuf};
use std::process::Command;

use burncam_picture::render::encode_jpeg;
use cost::{Cost, measured};
use image::RgbImage;
use image::imageops::FilterType;
use rayon::prelude::*;

const LARGE: Album = Album { name: "12 megapixels", size: [4000, 3000], photos: 16 };
const SMALL: Album = Album { name: "640x480", size: [640, 480], photos: 500 };

/// Photographs of one size.
struct Album {
    name: &'static str,
    size: [u32; 2],
    photos: usize,
}

/// A command on an album.
struct Run<'a> {
    burncam: &'a Path,
    album: &'a Album,
    threads: usize,
    lists: &'a [&'a str],
    /// The least of all rounds.
    cost: Option<Cost>,
}

fn main() {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args_os().skip(1).filter(|argument| argument != "--bench").peekable();
    let rounds = arguments.next_if(|argument| argument == "--rounds").and_then(|_| arguments.next());
    let rounds = rounds.map_or(3, |text| text.to_str().unwrap().parse().unwrap());
    let old = arguments.next().map(PathBuf::from);
    let new = PathBuf::from(env!("CARGO_BIN_EXE_burncam"));
    let folder = tempfile::tempdir().unwrap();
    [&LARGE, &SMALL].into_iter().for_each(|album| make(album, folder.path()));
    let mut runs = Vec::new();
    for album in [&LARGE, &SMALL] {
        let run = |burncam, threads, lists| Run { burncam, album, threads, lists, cost: None };
        runs.extend(old.iter().map(|old| run(old.as_path(), 2, &[])));
        runs.extend([run(&new, 2, &[]), run(&new, 1, &[]), run(&new, 2, &["--no-sync"])]);
    }
    let list = |lists| Run { burncam: &new, album: &SMALL, threads: 2, lists, cost: None };
    runs.extend([list(&["--csv", "list.csv"]), list(&["--report", "page.html"])]);
    for _ in 0..rounds {
        runs.iter_mut().for_each(|run| run.measure(folder.path()));
    }
    print(&runs);
}

fn make(album: &Album, folder: &Path) {
    let photos = folder.join(album.name);
    std::fs::create_dir(&photos).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let [width, height] = album.size;
    let sources = ["camera.png", "chelsea.png", "coffee.png", "rocket.jpg"].map(|name| {
        let photo = image::open(fixtures.join(name)).unwrap();
        photo.resize_exact(width, height, FilterType::CatmullRom).to_rgb8()
    });
    (0..album.photos).into_par_iter().for_each(|number| {
        let photo = grainy(&sources[number % sources.len()], number as u64);
        // Below 90 colours have half of the resolution, as in most cameras.
        std::fs::write(photos.join(format!("{number:03}.jpg")), encode_jpeg(&photo, 89).unwrap()).unwrap();
    });
}

/// With noise, which enlarged pictures have none of.
fn grainy(photo: &RgbImage, seed: u64) -> RgbImage {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut photo = photo.clone();
    for level in photo.iter_mut() {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *level = level.saturating_add_signed((state % 17) as i8 - 8);
    }
    photo
}

impl Run<'_> {
    fn measure(&mut self, folder: &Path) {
        let out = folder.join("out");
        let _ = std::fs::remove_dir_all(&out);
        // What earlier runs left for the disk to do is not this one's.
        Command::new("sync").status().unwrap();
        let mut command = Command::new(self.burncam);
        command.current_dir(folder).args(["explain", self.album.name, "--out", "out", "--quiet", "--force"]);
        command.args(["--threads", &self.threads.to_string()]).args(self.lists);
        let cost = measured(&mut command);
        assert!(cost.status.success(), "{command:?}");
        if self.cost.is_none_or(|least| cost.seconds < least.seconds) {
            self.cost = Some(cost);
        }
    }
}

fn print(runs: &[Run]) {
    println!(
        "{:<16}{:<30}{:>8}{:>12}{:>12}{:>9}{:>9}{:>9}{:>12}",
        "photos", "program", "threads", "wall ms", "busy ms", "system", "faults", "MB", "bytes/pixel"
    );
    // Of what does not grow with the photographs.
    let small = |like: &Run| {
        let is_like = |run: &&Run| {
            run.album.photos == SMALL.photos && (run.burncam, run.threads) == (like.burncam, like.threads)
        };
        runs.iter().find(is_like).and_then(|run| run.cost).map_or(0.0, |cost| cost.memory)
    };
    for run in runs {
        let Some(cost) = run.cost else { continue };
        let photos = run.album.photos as f64;
        let name = run.burncam.file_name().unwrap().to_string_lossy();
        let name = [&[name.as_ref()], run.lists].concat().join(" ");
        let each = |seconds: f64| 1e3 * seconds / photos;
        let pixels = |album: &Album| f64::from(album.size[0]) * f64::from(album.size[1]);
        let more = run.threads as f64 * (pixels(run.album) - pixels(&SMALL));
        let memory = (cost.memory - small(run)) * 1e6 / more;
        let memory = if more > 0.0 { format!("{memory:.2}") } else { String::new() };
        println!(
            "{:<16}{name:<30.30}{:>8}{:>12.2}{:>12.2}{:>7.1} %{:>9.0}{:>9.0}{memory:>12}",
            run.album.name,
            run.threads,
            each(cost.seconds),
            each(cost.busy()),
            100.0 * cost.system / cost.busy(),
            cost.faults / photos,
            cost.memory
        );
    }
}
