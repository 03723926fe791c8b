//! What files of boxes may make their readers allocate, with a counting allocator; and how well the estimate of a text fits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails as a test does")]

mod counting;

use burncam_metrics::truth::Truth;
use counting::{file, held, refused, turn};

#[test]
fn boxes_in_every_format_are_held_by_their_entries() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let many = 120_000;
    let table = format!("file,label,x,y,width,height\n{}", "a,b,1,1,1,1\n".repeat(many));
    let coco = |entry: &str| {
        let entries = vec![entry; many].join(",");
        format!(r#"{{"images":[{entries}],"annotations":[],"categories":[]}}"#)
    };
    let voc = format!("<annotation>{}</annotation>", "<object/>".repeat(many));
    let cases = [
        ("boxes.csv", table),
        ("empty.json", coco("{}")),
        ("lists.json", coco("[[]]")),
        ("images.json", coco(r#"{"id":1,"file_name":"a"}"#)),
        ("boxes.xml", voc),
        ("boxes.txt", "0 .5 .5 .5 .5\n".repeat(many * 2)),
    ];
    for (name, text) in cases {
        let path = file(&folder, name, text.as_bytes());
        refused(name, "of memory, expected at most 32 MiB for one file", || Truth::read(&path));
    }
}

#[test]
fn boxes_that_fit_are_read_within_the_limit() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..15_000).map(|at| format!("{at}.jpg,b,1,1,1,1\n")).collect();
    let images: Vec<String> = (0..6_000).map(|at| format!(r#"{{"id":{at},"file_name":"{at}"}}"#)).collect();
    let boxes: Vec<String> =
        (0..6_000).map(|at| format!(r#"{{"image_id":{at},"category_id":1,"bbox":[1,1,1,1]}}"#)).collect();
    let coco = format!(
        r#"{{"images":[{}],"annotations":[{}],"categories":[{{"id":1,"name":"b"}}]}}"#,
        images.join(","),
        boxes.join(",")
    );
    for (name, text) in [("t.csv", format!("file,label,x,y,width,height\n{rows}")), ("c.json", coco)] {
        let path = file(&folder, name, text.as_bytes());
        held(name, || Truth::read(&path)).unwrap();
    }
}
