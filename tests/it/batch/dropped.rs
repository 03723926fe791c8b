//! Nothing is dropped without a word: names that clash, links and directories that lead nowhere, lists of Windows, files of other kinds.

use serde_json::Value;

use super::album::Sizes;
use super::support::Place;
use crate::support::fixture;

/// A place with copies of one small picture in `p`.
fn place(names: &[&str]) -> Place {
    let place = Place::new(0, Sizes::Small);
    for name in names {
        let path = place.path("p").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(fixture("images/odd/rgb.png"), path).unwrap();
    }
    place
}

fn records(place: &Place, out: &str) -> Vec<String> {
    let files = place.files(out).into_iter().map(|path| path.display().to_string());
    let mut records: Vec<String> =
        files.filter_map(|name| name.strip_suffix(".gradcam.json").map(str::to_owned)).collect();
    records.sort();
    records
}

#[test]
fn pictures_of_one_name_have_files_of_their_own_whatever_the_shard() {
    let place = place(&["a.jpg", "a.png", "b.png", "q/a.png"]);
    let said = String::from_utf8(place.run("explain -m tiny.bpk p -o out", 0).stderr).unwrap();
    assert!(said.contains("4 explained"), "{said}");
    assert_eq!(records(&place, "out"), ["a.jpg", "a.png", "b", "q/a"]);
    let whole = place.tree("out").without(super::support::is_summary);
    for shard in 1..=3 {
        place.run(&format!("explain -m tiny.bpk p -o parts --shard {shard}/3"), 0);
        let said = place.run(&format!("explain -m tiny.bpk p -o out --resume --shard {shard}/3"), 0).stderr;
        assert!(!String::from_utf8(said).unwrap().contains("explained again"));
    }
    place.tree("parts").without(super::support::is_summary).assert_is(&whole, "shards");
    let said = String::from_utf8(place.run("explain -m tiny.bpk p -o out --resume", 0).stderr).unwrap();
    assert!(said.contains("4 images kept from an earlier run"), "{said}");
    place.run("explain -m tiny.bpk p/q p/b.png p/a.png -o arguments", 0);
    assert_eq!(records(&place, "arguments"), ["b", "p/a", "p/q/a"]);
}

#[test]
fn what_leads_nowhere_fails_by_itself() {
    let place = place(&["cup/a.png", "quagga/b.png", "cat/c.png"]);
    std::os::unix::fs::symlink("nowhere", place.path("p/cat/dangling.jpg")).unwrap();
    let run = "explain -m tiny.bpk p -o out --labels from-directory --jsonl lines.jsonl";
    let said = String::from_utf8(place.run(run, 1).stderr).unwrap();
    assert_eq!(records(&place, "out"), ["cat/c", "cup/a"]);
    let summary = place.summary("out/summary.json");
    let failures: Vec<(&str, &str)> =
        summary.failures.iter().map(|failure| (failure.path.as_str(), failure.error.as_str())).collect();
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert_eq!((failures[0].0, failures[1].0), ("p/cat/dangling.jpg", "p/quagga/b.png"));
    assert!(failures[0].1.contains("is a link to 'nowhere' that cannot be followed"), "{failures:?}");
    assert!(failures[1].1.contains("directory 'quagga' is no class of the model"), "{failures:?}");
    assert_eq!(summary.accuracy.as_ref().map(|accuracy| accuracy.labelled), Some(2));
    assert_eq!(said.lines().filter(|line| line.starts_with("burncam: ")).count(), 2, "{said}");
    let lines = std::fs::read_to_string(place.path("lines.jsonl")).unwrap();
    let errors = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["error"] != "");
    assert_eq!(errors.collect::<Vec<_>>(), [false, true, false, true]);
    let said = String::from_utf8(place.run("predict -m tiny.bpk p", 1).stderr).unwrap();
    assert_eq!(said.lines().filter(|line| line.starts_with("burncam: ")).count(), 1, "{said}");
}

#[test]
fn a_list_of_windows_is_read_and_no_directory_of_a_list_is_searched_unasked() {
    let place = place(&["gen/base.jpg", "gen/more/other.png"]);
    let list = fixture("cases/pictures/list_utf16.txt");
    let run = |options: &str, code: i32| {
        let mut command = place.burncam(&format!("predict -m ../tiny.bpk -k 1 --json {options}"));
        let output = command.current_dir(place.path("p")).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (said, _) = run(&format!("--files-from {}", list.display()), 0);
    assert!(said.contains(r#""path":"gen/base.jpg""#) && said.lines().count() == 1, "{said}");
    std::fs::write(place.path("p/list"), "gen\n/\ngen/base.jpg\n").unwrap();
    let (said, wrong) = run("--files-from list", 1);
    // A line each for what failed, too.
    assert_eq!((said.lines().count(), wrong.lines().count()), (3, 2), "{said}{wrong}");
    assert!(
        wrong.contains("'gen': is a directory") && wrong.contains("'/': is the root directory"),
        "{wrong}"
    );
    let (said, wrong) = run("--files-from list --search-listed", 1);
    assert_eq!((said.lines().count(), wrong.lines().count()), (3, 1), "{said}{wrong}");
}

#[test]
fn what_was_not_taken_is_said_and_counted() {
    let place = place(&["a.png", "img.random.png", "b.avif", "c.AVIF", "d.svg", "x/e.jp2", "x/f.jpe"]);
    let run = "explain -m tiny.bpk p -o out --method random";
    let said = String::from_utf8(place.run(run, 0).stderr).unwrap();
    assert!(said.contains("not taken: 2 .avif, 1 .jp2, 1 .svg not read\n"), "{said}");
    let summary = place.summary("out/summary.json");
    assert_eq!(summary.explained, 3, "a photograph may be called as a picture of burncam's is");
    let counts: Vec<(String, usize)> =
        summary.not_taken.ranked().iter().map(|kind| (kind.kind.clone(), kind.count)).collect();
    assert_eq!(counts, [(".avif".to_owned(), 2), (".jp2".to_owned(), 1), (".svg".to_owned(), 1)]);
    for shard in 1..=2 {
        place.run(&format!("{run} --resume --shard {shard}/2 --quiet"), 0);
    }
    place.run("merge out -o merged --quiet", 0);
    assert_eq!(place.summary("merged/summary.json").not_taken, summary.not_taken, "shards find the same");
}

#[test]
fn no_photograph_is_replaced_by_a_picture_of_another() {
    let place = place(&["cat.jpg", "cat.gradcam.png", "dog.png"]);
    let before = std::fs::read(place.path("p/cat.gradcam.png")).unwrap();
    for how in ["", "--force", "--resume"] {
        let run = format!("explain -m tiny.bpk p -o p {how}");
        let said = String::from_utf8(place.run(&run, 1).stderr).unwrap();
        assert!(said.contains("output 'p/cat.gradcam.png' would replace the input of that name"), "{said}");
        assert_eq!(std::fs::read(place.path("p/cat.gradcam.png")).unwrap(), before);
        assert_eq!(records(&place, "p"), ["cat.gradcam", "dog"]);
    }
}
