//! Files of every format, sound, odd and hostile.

use std::path::Path;

use burncam_graph::Result;

use super::*;

/// The message of what must be refused.
#[track_caller]
fn refused(result: Result<impl std::fmt::Debug>) -> String {
    let message = result.unwrap_err().to_string();
    assert!(!message.contains('\n') && message.starts_with("file '"), "{message}");
    message.split_once("': ").unwrap().1.to_owned()
}

/// What is read of files with these names and contents in one directory; of a single file, of it alone.
fn read(files: &[(&str, &str)]) -> Result<Truth> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let path = folder.path().to_path_buf();
    Truth::read(&if files.len() == 1 { path.join(files[0].0) } else { path })
}

fn edges(truth: &Truth, entry: usize, height: usize, width: usize) -> Vec<[f64; 4]> {
    let placed = truth.objects(entry, height, width).unwrap();
    placed.all.iter().map(|object| object.bounds).map(|b| [b.left, b.top, b.right, b.bottom]).collect()
}

const COCO: &str = r#"{"info": {"year": 2017}, "images": [
    {"id": 9, "file_name": "val/a.jpg", "width": 100, "height": 50}, {"id": 8, "file_name": "b.jpg"}],
  "annotations": [
    {"id": 1, "image_id": 9, "category_id": 18, "bbox": [10, 5, 20.5, 10], "iscrowd": 0, "segmentation": [[1, 2, 3]]},
    {"id": 2, "image_id": 9, "category_id": 1, "bbox": [90, 40, 20, 20], "iscrowd": 1, "segmentation": {"counts": "a"}}],
  "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog", "supercategory": "animal"}]}"#;

const VOC: &str = r"<annotation><folder>VOC2007</folder><filename>other.jpg</filename>
  <source><database>The VOC2007 Database</database></source>
  <size><width>100</width><height>50</height><depth>3</depth></size>
  <object><name>dog</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>11</ymin><xmax>100</xmax><ymax>20</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>5</xmin><ymin>12</ymin><xmax>6</xmax><ymax>13</ymax></bndbox></part></object>
  <object><name>cat</name><difficult>1</difficult><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object>
</annotation>";

const CSV: &str = "label,file,x,y,width,height,note\ndog,a.jpg,1,2,3,4,\"x, y\"\ncat,b.jpg,0,0,5,5,\ncat,a.jpg,0,0,1.5,1,\n";

#[test]
fn coco_is_read_with_names_crowds_and_sizes() {
    let truth = read(&[("x.json", COCO)]).unwrap();
    assert_eq!((truth.format(), truth.labels()), (Format::Coco, vec!["dog", "person"]));
    assert_eq!(edges(&truth, 0, 50, 100), [[10.0, 5.0, 30.5, 15.0], [90.0, 40.0, 100.0, 50.0]]);
    let placed = truth.objects(0, 50, 100).unwrap();
    assert_eq!(placed.clipped, 1);
    assert_eq!(placed.all.iter().map(|object| object.is_set_apart).collect::<Vec<_>>(), [false, true]);
    assert!(truth.objects(1, 7, 7).unwrap().all.is_empty());
    let message = refused(truth.objects(0, 100, 50));
    assert_eq!(
        message,
        "picture 'val/a.jpg' has another size, expected 100x50 as in the file, got 50x100 (use the pictures that were annotated)"
    );
}

#[test]
fn voc_counts_from_one_and_ilsvrc_from_zero() {
    let truth = read(&[("a.xml", VOC)]).unwrap();
    assert_eq!((truth.format(), truth.labels()), (Format::Voc, vec!["cat", "dog"]));
    assert_eq!(edges(&truth, 0, 50, 100), [[0.0, 10.0, 100.0, 20.0], [2.0, 2.0, 3.0, 3.0]]);
    assert!(truth.objects(0, 50, 100).unwrap().all[1].is_set_apart);
    let ilsvrc = VOC
        .replace("The VOC2007 Database", "ILSVRC_2012")
        .replace("<xmin>1<", "<xmin>0<")
        .replace("100</xmax>", "99</xmax>");
    let truth = read(&[("n01/n01_1.xml", &ilsvrc), ("n02/n02_1.xml", &ilsvrc)]).unwrap();
    assert_eq!(truth.format(), Format::Ilsvrc);
    assert_eq!(edges(&truth, 1, 50, 100)[0], [0.0, 11.0, 100.0, 21.0]);
    let found = truth.assign(&[Path::new("train/n02/n02_1.JPEG"), Path::new("train/n01/n01_1.JPEG")]);
    assert_eq!(found.unwrap(), [Some(1), Some(0)]);
}

#[test]
fn yolo_is_read_with_names_outlines_and_pictures_without_objects() {
    let files = [
        ("data.yaml", "names:\n  0: dog\n  1: cat\n"),
        ("train/images/a.jpg", "no picture"),
        ("train/labels/a.txt", "1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.3 0.2 0.3 0.6\n"),
        ("train/labels/b.txt", ""),
    ];
    let truth = read(&files).unwrap();
    assert_eq!((truth.format(), truth.labels()), (Format::Yolo, vec!["cat", "dog"]));
    let found = edges(&truth, 0, 50, 100);
    let expected = [[40.0, 15.0, 60.0, 35.0], [10.0, 10.0, 30.0, 30.0]];
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    let pictures = ["train/images/a.jpg", "train/images/b.png", "train/images/c.png"].map(Path::new);
    assert_eq!(truth.assign(&pictures).unwrap(), [Some(0), Some(1), None]);
    // Without names the indices are the labels.
    assert_eq!(read(&[("a.txt", "1 0.5 0.5 0.2 0.4")]).unwrap().labels(), ["1"]);
    let named = read(&[("classes.txt", "dog\ncat\n"), ("a.txt", "1 0.5 0.5 0.2 0.4")]).unwrap();
    assert_eq!(named.labels(), ["cat"]);
}

#[test]
fn tables_are_read_by_their_columns() {
    let truth = read(&[("x.csv", CSV)]).unwrap();
    assert_eq!(edges(&truth, 0, 50, 100), [[1.0, 2.0, 4.0, 6.0], [0.0, 0.0, 1.5, 1.0]]);
    let ilsvrc = "ImageId,PredictionString\nILSVRC2012_val_1,n01 0 10 99 20 n02 5 5 6 6 \nILSVRC2012_val_2,n01 1 1 2 2 \n";
    let truth = read(&[("LOC_val_solution.csv", ilsvrc)]).unwrap();
    assert_eq!((truth.format(), truth.labels()), (Format::Ilsvrc, vec!["n01", "n02"]));
    assert_eq!(edges(&truth, 0, 50, 100), [[0.0, 10.0, 100.0, 21.0], [5.0, 5.0, 7.0, 7.0]]);
    assert_eq!(truth.assign(&[Path::new("v/ILSVRC2012_val_2.JPEG")]).unwrap(), [Some(1)]);
}

#[test]
fn the_content_decides_and_not_the_ending() {
    for (text, format) in [
        (COCO, Format::Coco),
        (VOC, Format::Voc),
        (CSV, Format::Table),
        ("\u{feff}3 0.5 0.5 0.1 0.1", Format::Yolo),
    ] {
        assert_eq!(read(&[("boxes", text)]).unwrap().format(), format);
    }
}

#[test]
fn pictures_are_found_by_whole_names_of_their_paths() {
    let row = |file: &str| format!("{file},dog,1,2,3,4\n");
    let table = |files: &[&str]| {
        let rows: String = files.iter().map(|file| row(file)).collect();
        read(&[("x.csv", &format!("file,label,x,y,width,height\n{rows}"))]).unwrap()
    };
    let assigned = |files: &[&str], pictures: &[&str]| {
        table(files).assign(&pictures.iter().map(Path::new).collect::<Vec<_>>())
    };
    let cats = ["cats/1.jpg", "dogs/1.jpg"];
    assert_eq!(assigned(&cats, &["/d/dogs/1.jpg", "./cats/1.jpg"]).unwrap(), [Some(1), Some(0)]);
    assert_eq!(assigned(&["/d/cats/1.jpg"], &["1.jpg"]).unwrap(), [Some(0)]);
    assert_eq!(assigned(&["cats/1.jpg"], &["dogs/1.jpg", "s/1.jpg"]).unwrap(), [None, None]);
    // Another ending is another picture, no ending is any.
    assert_eq!(assigned(&["1.png"], &["1.jpg"]).unwrap(), [None]);
    assert_eq!(assigned(&["1"], &["1.jpg"]).unwrap(), [Some(0)]);
    assert_eq!(assigned(&["a.b"], &["a.b.jpg", "a.jpg"]).unwrap(), [Some(0), None]);
    let message = refused(assigned(&["1.jpg"], &["cats/1.jpg", "dogs/1.jpg"]));
    assert!(
        message.starts_with("has one entry '1.jpg' for two pictures, got 'cats/1.jpg' and 'dogs/1.jpg'"),
        "{message}"
    );
    let message = refused(assigned(&cats, &["1.jpg"]));
    assert!(
        message.starts_with("has two entries for picture '1.jpg', got 'cats/1.jpg' and 'dogs/1.jpg'"),
        "{message}"
    );
}

mod refused;
