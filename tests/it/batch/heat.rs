//! Where the heat is, over all images: with boxes of objects, in shards, and after a run that is continued.

use std::path::Path;

use burncam::record::Summary;

use super::album::Sizes;
use super::support::Place;

/// Fewer than the album's first broken picture.
const IMAGES: usize = 8;

/// In each picture a cup on the left half and a cat on the right one, as shares of a picture that may have any size.
fn place_with_boxes() -> Place {
    let place = Place::new(IMAGES, Sizes::Small);
    let mut table = csv::Writer::from_path(place.path("boxes.csv")).unwrap();
    table.write_record(["file", "label", "x", "y", "width", "height"]).unwrap();
    for path in &place.album.good {
        let (width, height) = image::open(place.path("photos").join(path)).unwrap().to_rgb8().dimensions();
        let half = f64::from(width) / 2.0;
        for (label, left) in [("cup", 0.0), ("cat", half)] {
            let numbers = [left, 0.0, half, f64::from(height)].map(|number| number.to_string());
            let row = [&[path.to_str().unwrap().to_owned(), label.to_owned()][..], &numbers].concat();
            table.write_record(row).unwrap();
        }
    }
    table.flush().unwrap();
    place
}

const EXPLAIN: &str = "explain -m tiny.bpk photos --boxes boxes.csv --method gradcam,gradient";

#[test]
fn heat_on_the_objects_is_the_same_in_one_run_in_shards_and_continued() {
    let place = place_with_boxes();
    let targets = "--target cup --target tripod";
    let whole = place.run(&format!("{EXPLAIN} {targets} -o whole --report whole/page.html"), 0);
    let summary = place.summary("whole/summary.json");
    let heat = summary.heat.ranked();
    assert_eq!(heat.iter().map(|heat| heat.method.as_str()).collect::<Vec<_>>(), ["gradcam", "gradient"]);
    for heat in &heat {
        let on = heat.objects.unwrap();
        // Of the two targets only the cup has objects; what is not on the left half is on the cat.
        assert!(heat.maps >= on.maps && on.maps <= IMAGES, "{on:?}");
        assert!((on.area - 0.5).abs() < 0.03, "{on:?}");
        let wrong = heat.wrong_reasons.ranked();
        assert!(wrong.iter().all(|reason| reason.explained.class_name == "cup"));
        assert!(wrong.iter().all(|reason| reason.on.as_ref().is_some_and(|on| on.class_name == "cat")));
        assert_eq!(wrong.iter().map(|reason| reason.count).sum::<usize>(), on.missed);
    }
    let said = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert!(said.contains("heat of gradcam on the objects: "), "{said}");
    let page = std::fs::read_to_string(place.path("whole/page.html")).unwrap();
    assert!(page.contains("Mean maps of gradient") && page.contains("on the objects"));

    for shard in 1..=2 {
        place.run(&format!("{EXPLAIN} {targets} -o parts --shard {shard}/2"), 0);
    }
    place.run("merge parts -o parts", 0);
    assert_eq!(place.summary("parts/summary.json").heat, summary.heat);

    place.run(&format!("{EXPLAIN} {targets} -o whole --report whole/page.html --resume"), 0);
    assert_eq!(place.summary("whole/summary.json").heat, summary.heat);
    assert_eq!(std::fs::read_to_string(place.path("whole/page.html")).unwrap(), page);
}

#[test]
fn the_share_on_the_objects_is_that_of_an_evaluation() {
    let place = place_with_boxes();
    place.run("explain -m tiny.bpk photos --boxes boxes.csv --target cup -o out", 0);
    place.run(
        "evaluate -m tiny.bpk photos --boxes boxes.csv --method gradcam --metrics energy --target cup -o out",
        0,
    );
    let (energy, heat) =
        (place.evaluation("out/evaluation.json").rows[0].figures[0], place.summary("out/summary.json").heat);
    let on = heat.ranked()[0].objects.unwrap();
    assert_eq!(on.maps, energy.count);
    // The grids over the input differ: 70 cells on a side here, 32 pixels there.
    assert!((on.energy - energy.mean.unwrap()).abs() < 0.01, "{} {:?}", on.energy, energy.mean);
}

#[test]
fn boxes_without_use_are_refused_and_an_impossible_one_fails_its_image_alone() {
    let place = place_with_boxes();
    let one = place.album.good[0].display().to_string();
    let refused = place
        .burncam("explain -m tiny.bpk --boxes boxes.csv -o out/a.png")
        .arg(place.path("photos").join(&one))
        .output();
    let refused = refused.unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("--boxes is for the summary of several images")
    );
    let table = format!("file,label,x,y,width,height\n\"{one}\",cup,99999,0,5,5\n");
    std::fs::write(place.path("boxes.csv"), table).unwrap();
    place.run(&format!("{EXPLAIN} -o out"), 1);
    let Summary { failures, explained, heat, .. } = place.summary("out/summary.json");
    assert_eq!((failures.len(), explained), (1, IMAGES - 1));
    assert!(Path::new(&failures[0].path).ends_with(&one), "{}", failures[0].path);
    assert!(heat.ranked().iter().all(|heat| heat.objects.is_none()));
}
