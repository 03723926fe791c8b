//! What `--resume` keeps: what would be made again as it is, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use burncam::record::Record;

use super::album::Sizes;
use super::support::Place;
use crate::support::fixture;

/// A place with two small pictures, and how `--resume` with some options goes on after a run with others.
struct Resumed(Place);

impl Resumed {
    fn new() -> Self {
        let place = Place::new(0, Sizes::Small);
        for name in ["photos/a.png", "photos/b.png"] {
            std::fs::copy(fixture("images/odd/alpha.png"), place.path(name)).unwrap();
        }
        Self(place)
    }

    fn run(&self, options: &str) -> String {
        let run = format!("explain -m tiny.bpk photos -o out {options}");
        String::from_utf8(self.0.run(&run, 0).stderr).unwrap()
    }

    /// How many images the second run kept.
    #[track_caller]
    fn kept(&self, first: &str, second: &str) -> usize {
        self.run(&format!("{first} --force"));
        let times = self.times();
        let said = self.run(&format!("{second} --resume"));
        let kept = if said.contains("2 images kept") { 2 } else { 0 };
        assert_eq!(kept == 2, self.times() == times, "{said}");
        assert_eq!(kept == 0, said.contains("explained again: 2 with records of"), "{said}");
        kept
    }

    fn times(&self) -> BTreeMap<PathBuf, SystemTime> {
        let files = self.0.files("out").into_iter().filter(|path| !super::support::is_summary(path));
        let time = |path: &PathBuf| self.0.path("out").join(path).metadata().unwrap().modified().unwrap();
        files.map(|path| (path.clone(), time(&path))).collect()
    }
}

#[test]
fn the_same_settings_in_other_words_keep_everything() {
    let resumed = Resumed::new();
    for (first, second) in [
        ("", ""),
        ("--save overlay,record", "--save record,overlay"),
        ("--save record,mask,overlay", "--save overlay,mask,record,mask"),
        ("-t cat", "-t 1"),
        ("-t 0 -t top", "-t cup -t top1"),
        ("--colormap inferno --alpha-limit 0.65", "--overlay alpha --box 0.15"),
        ("--jobs 1 --batch-size 2", "--jobs 2 --threads 2"),
        ("--background ffffff", "--background FFFFFF"),
        ("", "--icc keep"),
        ("-l relu", "-l 1"),
        ("-l auto", "-l relu"),
        ("--method gradcam,layercam", "--method gradcam"),
        ("--smooth aug,eigen", "--smooth eigen,aug"),
    ] {
        assert_eq!(resumed.kept(first, second), 2, "'{first}' then '{second}'");
    }
}

#[test]
fn whatever_shows_in_the_files_makes_them_again() {
    let resumed = Resumed::new();
    for (first, second) in [
        ("", "--top-k 2"),
        ("", "-t top2"),
        ("-t 0 -t 1", "-t 1 -t 0"),
        ("", "-l conv"),
        ("", "--score margin"),
        ("", "--signed"),
        ("", "--scale 2"),
        ("--scale shared", ""),
        ("", "--no-normalize"),
        ("", "--png-level best"),
        ("", "--background 000000"),
        ("", "--icc convert"),
        ("", "--strict-pictures"),
        ("", "--window 0,255"),
        ("--window 0,255", "--window 0,4095"),
        ("", "--save overlay,record,mask"),
        ("", "--interpolation nearest"),
        ("", "--photo colour"),
        ("--contours", "--contours=0.5"),
        ("", "--crop-edge hide"),
        ("", "--format jpeg"),
        ("--format jpeg", "--format jpeg --quality 80"),
        ("--grid", "--grid --sheet-cell 200"),
        ("", "--box otsu"),
        ("--grid", ""),
        ("--grid --method gradcam,layercam", "--grid"),
        ("", "--spec tiny.json"),
    ] {
        write_card(&resumed.0);
        assert_eq!(resumed.kept(first, second), 0, "'{first}' then '{second}'");
    }
}

/// The network's own card, in a file.
fn write_card(place: &Place) {
    let card = place.run("info tiny.bpk --card", 0).stdout;
    std::fs::write(place.path("tiny.json"), card).unwrap();
}

#[test]
fn a_file_that_is_not_what_its_record_says_is_made_again() {
    let resumed = Resumed::new();
    let resume = "--grid --save overlay,record,npy --resume";
    resumed.run(resume);
    let expected = resumed.0.tree("out").timeless();
    for (file, harm) in [
        ("a.gradcam.png", None),
        ("a.gradcam.png", Some(b"cut".to_vec())),
        ("b.gradcam.npy", Some(vec![0; expected.0[&PathBuf::from("b.gradcam.npy")].len()])),
        ("b.grid.png", None),
        ("a.grid.png", Some(vec![])),
    ] {
        let path = resumed.0.path("out").join(file);
        match &harm {
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        let said = resumed.run(resume);
        assert!(
            said.contains("explained again: 1 with files that are gone or were changed"),
            "{file}: {said}"
        );
        resumed.0.tree("out").timeless().assert_is(&expected, file);
    }
}

/// Versions alone make nothing again; what is not known, or was made by other rules, does.
#[test]
fn records_of_other_versions_are_kept_where_they_say_the_same() {
    let resumed = Resumed::new();
    resumed.run("");
    let path = resumed.0.path("out/a.gradcam.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let revision = format!("\"revision\": {}", burncam::record::REVISION);
    let ours = format!("\"burncam\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for (from, to, words) in [
        (ours.as_str(), "\"burncam\": \"77.0.0\"", "2 images kept"),
        ("\"estimator\"", "\"surprise\": 1, \"estimator\"", "1 with records that this version cannot read"),
        ("\"schema_version\": 2", "\"schema_version\": 3", "1 with records that this version cannot read"),
        (revision.as_str(), "\"revision\": 0", "1 with records of other settings"),
        ("\"top_k\"", "\"surprise\": 1, \"top_k\"", "1 with records that this version cannot read"),
        ("{", "", "1 with records that this version cannot read"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        std::fs::write(&path, changed).unwrap();
        let said = resumed.run("--resume");
        assert!(said.contains(words), "{to}: {said}");
    }
}

/// Records that were written by releases: the one of 0.1 is incomplete, the other is kept by all later releases.
#[test]
fn records_of_earlier_releases_are_read_and_kept_where_they_say_enough() {
    let place = Place::new(0, Sizes::Small);
    let model = fixture("models/squeezenet1_1.bpk");
    std::fs::copy(fixture("images/odd/rgb.png"), place.path("photo.png")).unwrap();
    std::fs::create_dir(place.path("out")).unwrap();
    // In the look of that time.
    let look = "--photo colour --colormap viridis --crop-edge hide";
    let run = format!("explain -m {} photo.png photos -o out --resume {look}", model.display());
    std::fs::copy(fixture("images/odd/rgb.png"), place.path("photos/other.png")).unwrap();
    let put = |from: &str, to: &str| {
        std::fs::copy(fixture("records").join(from), place.path("out").join(to)).unwrap()
    };
    put("burncam_0.1.gradcam.json", "photo.gradcam.json");
    put("photo.gradcam.png", "photo.gradcam.png");
    let said = String::from_utf8(place.run(&run, 0).stderr).unwrap();
    assert!(said.contains("explained again: 1 with records of an older version"), "{said}");

    put("photo.gradcam.json", "photo.gradcam.json");
    put("photo.gradcam.png", "photo.gradcam.png");
    let bytes = std::fs::read(fixture("records/photo.gradcam.json")).unwrap();
    assert_eq!(Record::from_json(&bytes).unwrap().schema_version, 2);
    let said = String::from_utf8(place.run(&format!("{run} --jsonl lines.jsonl"), 0).stderr).unwrap();
    assert!(said.contains("2 images kept from an earlier run"), "{said}");
    assert_eq!(std::fs::read(place.path("out/photo.gradcam.json")).unwrap(), bytes);
    let lines = std::fs::read_to_string(place.path("lines.jsonl")).unwrap();
    let line = Record::from_list(lines.lines().next().unwrap().as_bytes()).unwrap();
    let listed = Record::from_json(&bytes).unwrap().listed("out");
    assert_eq!(line, listed, "numbers read back are the numbers written");
}

#[test]
fn pictures_of_another_format_take_the_place_of_the_old_ones() {
    let resumed = Resumed::new();
    resumed.run("--format jpeg --save overlay,mask,record");
    let expected = resumed.0.tree("out").timeless();
    std::fs::remove_dir_all(resumed.0.path("out")).unwrap();
    resumed.run("--save overlay,mask,record");
    let said = resumed.run("--format jpeg --save overlay,mask,record --resume");
    assert!(said.contains("explained again: 2 with records of"), "{said}");
    resumed.0.tree("out").timeless().assert_is(&expected, "as if there had been no PNG");
    // A file that was changed by hand stays.
    let changed = resumed.0.path("out/b.gradcam.jpg");
    std::fs::write(&changed, b"retouched").unwrap();
    resumed.run("--save overlay,mask,record --resume");
    assert_eq!(std::fs::read(&changed).unwrap(), b"retouched");
    assert!(!resumed.0.path("out/a.gradcam.jpg").exists() && resumed.0.path("out/a.gradcam.png").exists());
}
