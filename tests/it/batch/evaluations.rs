//! An evaluation in parts is the evaluation of the whole, and one that was stopped goes on.

use super::album::Sizes;
use super::support::Place;

const RUN: &str = "evaluate -m tiny.bpk photos --method gradcam,gradient --metrics insertion,drop,sparseness --steps 4 --agreement --quiet";

#[test]
fn shards_of_an_evaluation_merge_to_the_whole_byte_for_byte() {
    let place = Place::new(40, Sizes::Small);
    place.run(&format!("{RUN} -o whole"), 1);
    for shard in 1..=3 {
        let output = place.burncam(&format!("{RUN} -o parts --shard {shard}/3")).output().unwrap();
        assert!(output.status.code().unwrap() <= 1, "shard {shard}: {output:?}");
        let part = place.evaluation(&format!("parts/evaluation.{shard}-of-3.json"));
        assert_eq!(part.shard, Some(format!("{shard}/3")));
    }
    place.run("merge parts -o merged --report merged.html --quiet", 0);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert!(place.evaluation("whole/evaluation.json").targets.len() > 20);
    assert_eq!(read("merged/evaluation.json"), read("whole/evaluation.json"));
    assert!(read("merged.html").contains("Spearman"));

    std::fs::remove_file(place.path("parts/evaluation.2-of-3.json")).unwrap();
    let refused = String::from_utf8(place.run("merge parts -o elsewhere", 2).stderr).unwrap();
    assert!(refused.contains("2/3 is missing"), "{refused}");
    place.run("evaluate -m tiny.bpk photos --metrics drop -o other -q", 1);
    let refused = String::from_utf8(place.run("merge whole other -o elsewhere", 2).stderr).unwrap();
    assert!(refused.contains("evaluations have different settings"), "{refused}");
    let refused = String::from_utf8(place.run("merge whole merged -o elsewhere", 2).stderr).unwrap();
    assert!(refused.contains("is in two of the evaluations"), "{refused}");
    assert!(!place.path("elsewhere").exists(), "a refused merge left a directory");
}

#[test]
fn shards_of_figures_of_all_pictures_merge_to_the_whole_byte_for_byte_and_show_their_progress() {
    let place = Place::new(9, Sizes::Small);
    let run = RUN.replace("sparseness", "gridpg,sanity");
    let output = place.run(&format!("{run} -o whole --progress json"), 1);
    let said = String::from_utf8(output.stderr).unwrap();
    for stage in ["pictures for mosaics", "maps on random networks"] {
        assert!(said.contains(&format!("\"stage\":\"{stage}\"")), "{said}");
    }
    assert_eq!(place.evaluation("whole/evaluation.json").sanity.len(), 8);
    for shard in 1..=2 {
        let output = place.burncam(&format!("{run} -o parts --shard {shard}/2")).output().unwrap();
        assert!(output.status.code().unwrap() <= 1, "shard {shard}: {output:?}");
        assert_eq!(place.evaluation(&format!("parts/evaluation.{shard}-of-2.json")).sanity.len(), 4);
    }
    place.run("merge parts -o merged --quiet", 0);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("merged/evaluation.json"), read("whole/evaluation.json"));
}

#[test]
fn a_picture_that_cannot_be_evaluated_is_named() {
    let place = Place::new(2, Sizes::Small);
    let [first, second] = [0, 1].map(|at| place.album.good[at].display().to_string());
    std::fs::write(place.path("labels.csv"), format!("path,label\n{first},0\n")).unwrap();
    let run = "evaluate -m tiny.bpk photos --method gradcam --metrics drop --labels labels.csv --target label -o out";
    let said = String::from_utf8(place.run(run, 1).stderr).unwrap();
    let expected = format!("cannot evaluate 'photos/{second}': the image has no label");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn the_figures_of_a_run_that_was_killed_are_kept_while_all_that_they_depend_on_is_the_same() {
    let place = Place::new(12, Sizes::Small);
    place.run(&format!("{RUN} -o whole"), 1);
    let mut whole = place.evaluation("whole/evaluation.json");
    assert!(!place.path("whole/evaluation.part.jsonl").exists());
    // What a kill leaves: the header, two pictures, of which one has a figure that no run would give, and a line that was cut off.
    let [first, second, third] = [0, 1, 2].map(|at| whole.targets[at].clone());
    let mut marked = first.clone();
    marked.rows[0].values[1] = Some(0.125);
    let line = |target| serde_json::to_string(&vec![target]).unwrap();
    let cut = line(&third);
    let header = serde_json::to_string(&whole).unwrap();
    let left = format!("{header}\n{}\n{}\n{}", line(&marked), line(&second), &cut[..cut.len() / 2]);
    let unfinished = "again/evaluation.part.jsonl";
    std::fs::create_dir(place.path("again")).unwrap();
    std::fs::write(place.path(unfinished), &left).unwrap();

    let refused = String::from_utf8(place.run(&format!("{RUN} -o again"), 2).stderr).unwrap();
    assert!(refused.contains("evaluation.part.jsonl' already exists"), "{refused}");
    place.run(&format!("{RUN} -o again --resume"), 1);
    whole.targets[0] = marked;
    assert_eq!(place.evaluation("again/evaluation.json").targets, whole.targets);
    assert!(!place.path(unfinished).exists());

    // The finished run is kept, too, but for a picture that is another one now.
    std::fs::copy(place.path(&second.path), place.path(&first.path)).unwrap();
    place.run(&format!("{RUN} -o again --resume"), 1);
    let again = place.evaluation("again/evaluation.json");
    assert_eq!((&again.targets[0].sha256, &again.targets[0].rows), (&second.sha256, &second.rows));
    assert_eq!(again.targets[1..], whole.targets[1..]);

    // Other settings measure everything again, and say so.
    let other = place.run("evaluate -m tiny.bpk photos --method gradcam --metrics drop -o again --resume", 1);
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("measured again: 'again/evaluation.json' has other settings"), "{said}");
    assert_eq!(place.evaluation("again/evaluation.json").rows.len(), 4);
}
