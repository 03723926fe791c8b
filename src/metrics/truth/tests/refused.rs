//! What is unclear, damaged or hostile.

use super::*;

/// Each of these contents of a file is refused with a message that begins with this.
#[track_caller]
fn all_refused(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let message = refused(read(&[("x", text)]));
        assert!(message.starts_with(expected), "{message}\nexpected {expected}");
    }
}

#[test]
fn unclear_tables_are_refused_in_one_line() {
    let table = |rows: &str| format!("file,label,x,y,width,height\n{rows}\n");
    all_refused(&[
        ("", "has other columns"),
        (&table(""), "has no boxes, expected at least one"),
        ("file,label,xmin,ymin,xmax,ymax\na,b,1,2,3,4\n", "has other columns, expected one each of file"),
        ("file,file,label,x,y,width,height\na,a,b,1,2,3,4\n", "has other columns"),
        (&table("a,b,1,2,0,4"), "line '2' has a box without area"),
        (&table("a,b,1,2,nan,4"), "line '2' has no width, expected a number, got 'nan'"),
        (&table("a,b,1,2,3"), "cannot be read as a table"),
        (&table("a,,1,2,3,4"), "line '2' has a label of no use"),
        (&table(",b,1,2,3,4"), "line '2' has no picture, expected its path"),
        (&table("a,b,0.1,0.2,0.3,0.4"), "has boxes within the first pixel alone"),
        ("ImageId,PredictionString\na,n01 1 2 3\n", "line '2' has an unfinished list of boxes"),
    ]);
}

#[test]
fn unclear_annotations_of_coco_are_refused_in_one_line() {
    let of_two = COCO.replace("9, \"category_id\": 18", "9, \"category_id\": 2");
    all_refused(&[
        ("[{\"image_id\": 1}]", "is a list, expected COCO's annotations"),
        ("{\"images\": []}", "cannot be read as COCO's annotations: missing field"),
        (&of_two, "annotation '0' is of an image or a category"),
        (&COCO.replace("20.5", "-20.5"), "annotation '0' has a box without area"),
        (&COCO.replace("\"id\": 8", "\"id\": 9"), "image 'b.jpg' has the id of another image"),
    ]);
}

#[test]
fn unclear_xml_is_refused_in_one_line() {
    let no_box = "<annotation><object><name>a</name></object></annotation>";
    all_refused(&[
        ("<html></html>", "is not Pascal VOC's XML, expected <annotation>, got <html>"),
        (no_box, "object '1' has no box, expected <bndbox>"),
        (&VOC.replace("<xmax>100</xmax>", ""), "object '1' has no xmax, expected a number, got ''"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><annotation/>", "cannot be read as XML"),
    ]);
}

#[test]
fn unclear_lines_of_yolo_are_refused() {
    all_refused(&[
        ("1 0.5 0.5 0.2 0.4 0.9", "line '1' has 6 numbers"),
        ("1 50 50 20 40", "line '1' is not in shares of the picture"),
        ("1.5 0.5 0.5 0.2 0.4", "line '1' has no class, expected a whole number from 0, got 1.5"),
        ("1 0.5 0.5 0 0.4", "line '1' has a box without area"),
        ("1 0.5 0.5 0.1 0.4\nhello", "line '2' has words"),
    ]);
}

#[test]
fn unclear_directories_are_refused() {
    let yolo = ("a.txt", "1 0.5 0.5 0.2 0.4");
    let cases = [
        (
            [("classes.txt", "dog"), yolo],
            "line '1' has a class without name, expected an index up to 0, got 1",
        ),
        ([("data.yaml", "nc: 3"), yolo], "has no list of names that can be read"),
        ([("a.xml", VOC), yolo], "has files of two formats"),
        ([("a.jpg", ""), ("b.jpg", "")], "has no files of boxes"),
    ];
    for (files, expected) in cases {
        let message = refused(read(&files));
        assert!(message.starts_with(expected), "{message}\nexpected {expected}");
    }
    assert!(Truth::read(Path::new("no/such/file")).unwrap_err().to_string().starts_with("cannot read"));
}

#[test]
fn boxes_outside_of_their_picture_are_refused() {
    let outside = read(&[("x", "file,label,x,y,width,height\na,b,100,2,3,4\n")]).unwrap();
    assert!(refused(outside.objects(0, 50, 100)).starts_with("picture 'a' has a box of 'b' outside of it"));
}

#[test]
fn hostile_files_are_refused_quickly() {
    let deep = 200_000;
    let list = format!("{{\"images\": {}", "[".repeat(deep));
    assert!(refused(read(&[("x", &list)])).contains("cannot be read as COCO"));
    let nested = format!("<annotation>{}", "<a>".repeat(deep));
    assert!(refused(read(&[("x", &nested)])).contains("cannot be read as XML"));
    let many = format!("<annotation>{}</annotation>", "<a/>".repeat(1_100_000));
    assert!(refused(read(&[("x", &many)])).contains("cannot be read as XML"));
    let wide = format!("file,label,x,y,width,height\na,{},1,2,3,4", "b".repeat(100_000));
    assert!(refused(read(&[("x", &wide)])).contains("has a label of no use"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), [0xff, 0xfe, 0]).unwrap();
    assert!(refused(Truth::read(folder.path())).contains("is no text in UTF-8"));
}

#[test]
fn no_cut_or_changed_file_panics() {
    let samples = [COCO, VOC, CSV, "1 0.5 0.5 0.2 0.4\n", "ImageId,PredictionString\na,n01 1 2 3 4\n"];
    let mut noise = crate::Noise::new(0, 0);
    for sample in samples {
        for _ in 0..200 {
            let mut bytes = sample.as_bytes().to_vec();
            bytes.truncate(1 + noise.below(bytes.len()));
            let at = noise.below(bytes.len());
            bytes[at] = b"0-9.,<>{}[]\"\n e"[noise.below(15)];
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Ok(truth) = read(&[("x", &text)]) {
                let _ = truth.assign(&[Path::new("a.jpg")]);
                let _ = truth.objects(0, 50, 100);
            }
        }
    }
}
