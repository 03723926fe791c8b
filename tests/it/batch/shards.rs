//! A run in parts, merged, is the run as a whole.

use super::album::Sizes;
use super::support::{Place, is_summary, unpacked};

const RUN: &str = "explain -m tiny.bpk photos --quiet";

#[test]
fn shards_into_one_directory_merge_to_the_whole() {
    let place = Place::new(40, Sizes::Small);
    place.run(&format!("{RUN} -o whole"), 1);
    for shard in 1..=3 {
        let code = place
            .burncam(&format!("{RUN} -o parts --shard {shard}/3"))
            .output()
            .unwrap()
            .status
            .code()
            .unwrap();
        assert!(code <= 1, "shard {shard} ended with {code}");
        let summary = place.summary(&format!("parts/summary.{shard}-of-3.json"));
        assert_eq!(summary.shard, Some(format!("{shard}/3")));
        assert!(summary.images < 40);
    }
    let parts = place.tree("parts").without(is_summary);
    parts.assert_is(&place.tree("whole").without(is_summary), "the shards' records and pictures");

    place.run("merge parts -o parts --quiet", 0);
    let (mut merged, mut whole) = (place.summary("parts/summary.json"), place.summary("whole/summary.json"));
    (merged.run, whole.run) = Default::default();
    assert_eq!(merged.to_json().unwrap(), whole.to_json().unwrap());

    let refused = String::from_utf8(place.run("merge parts -o parts", 2).stderr).unwrap();
    assert!(refused.contains("already exists"), "{refused}");
    place.run("merge parts -o parts --force", 0);
    std::fs::remove_file(place.path("parts/summary.2-of-3.json")).unwrap();
    let refused = String::from_utf8(place.run("merge parts -o elsewhere", 2).stderr).unwrap();
    assert!(refused.contains("2/3 is missing"), "{refused}");
    assert!(!place.path("elsewhere").exists(), "a refused merge left a directory");
}

#[test]
fn what_cannot_be_merged_is_told_apart() {
    let place = Place::new(4, Sizes::Small);
    place.run(&format!("{RUN} -o out"), 0);
    for (arguments, reason) in [
        ("merge photos -o all", "holds no summary.json"),
        ("merge missing -o all", "cannot read the directory 'missing'"),
        ("merge out out/. -o all", "named twice"),
    ] {
        let said = String::from_utf8(place.run(arguments, 2).stderr).unwrap();
        assert!(said.contains(reason) && said.lines().count() == 1, "{arguments}: {said}");
    }
    place.run("merge out -o all", 0);
    assert_eq!(place.summary("all/summary.json").images, 4);
    std::fs::write(place.path("out/summary.json"), r#"{"schema_version": 1}"#).unwrap();
    let said = String::from_utf8(place.run("merge out -o all --force", 2).stderr).unwrap();
    assert!(said.contains("summary 'out/summary.json' is not one of burncam's"), "{said}");
}

#[test]
fn a_merged_page_shows_every_shard() {
    let place = Place::new(18, Sizes::Small);
    for shard in 1..=2 {
        let run = format!("{RUN} -o parts/{shard} --shard {shard}/2");
        assert!(place.burncam(&run).output().unwrap().status.code().unwrap() <= 1);
    }
    place.run("merge parts/1 parts/2 -o all --report all/report.html", 0);
    let page = unpacked(&std::fs::read_to_string(place.path("all/report.html")).unwrap(), "data");
    for path in place.album.all() {
        // The rest of the name may be escaped there.
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = &name[name.find("00").unwrap()..];
        assert!(page.contains(number), "'{name}' is not on the page");
    }
    let record = place.path("parts/1").join(
        place.files("parts/1").iter().find(|path| path.to_string_lossy().ends_with(".gradcam.json")).unwrap(),
    );
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(record, text.replacen("\"schema_version\": 2", "\"schema_version\": 3", 1)).unwrap();
    std::fs::write(place.path("parts/2/labels.json"), "{}").unwrap();
    let said =
        String::from_utf8(place.run("merge parts/1 parts/2 -o new --report new.html --quiet", 1).stderr)
            .unwrap();
    assert!(
        said.lines().count() == 1 && said.contains("a record is not on the page: record 'parts/1/"),
        "{said}"
    );
    std::fs::remove_dir_all(place.path("new")).unwrap();
    let refused =
        String::from_utf8(place.run("merge parts/1 parts/2 -o new --report all/report.html", 2).stderr);
    assert!(refused.unwrap().contains("already exists"));
    assert!(!place.path("new").exists());
}
