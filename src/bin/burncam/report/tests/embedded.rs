//! Small pictures on the page: in small runs only, and where they come from.

use super::*;

/// A folder with the overlay of an upright photo, and the record of both.
fn one_overlay() -> (tempfile::TempDir, Record) {
    let folder = tempfile::tempdir().unwrap();
    let overlay = RgbImage::from_pixel(800, 400, image::Rgb([250, 10, 10]));
    overlay.save(folder.path().join("exif_6.Grad-CAM.4.png")).unwrap();
    (folder, record(&fixture("odd/exif_6.jpg"), GRADCAM, &[(4, "cat", 0.75)], 1))
}

fn page_of<'a>(folder: &Path, records: impl IntoIterator<Item = &'a Record>) -> Value {
    let mut page = Page::new("net", &folder.join("report.html")).unwrap();
    records.into_iter().for_each(|record| page.add(record, folder, None));
    data(page)
}

fn pixels(uri: &Value) -> RgbImage {
    let jpeg = uri.as_str().unwrap().strip_prefix("data:image/jpeg;base64,").unwrap();
    let bytes = data_encoding::BASE64.decode(jpeg.as_bytes()).unwrap();
    image::load_from_memory(&bytes).unwrap().into_rgb8()
}

#[test]
fn small_runs_hold_their_pictures_upright() {
    let (folder, record) = one_overlay();
    let small = page_of(folder.path(), [&record]);
    assert_eq!(small["embedded"], json!(true));
    let upright = burncam::Picture::open(Path::new(&record.input.path), [255; 3]).unwrap().rgb;
    let shown = pixels(&small["cards"][0]["thumb"]);
    assert_eq!(shown.dimensions(), upright.dimensions(), "a small photo is neither turned nor enlarged");
    let apart = |(one, other): (&u8, &u8)| f64::from(one.abs_diff(*other));
    let off = shown.iter().zip(upright.iter()).map(apart).sum::<f64>() / shown.len() as f64;
    // Every block of this one has edges, and colours are stored at half of the size. Turned upside down it is 68 off, mirrored 46.
    assert!(off < 10.0, "the thumbnail is {off} levels off its photo");
    assert_eq!(pixels(&small["cards"][0]["views"][0]["thumb"]).dimensions(), (360, 180));
}

#[test]
fn large_runs_link_to_their_pictures() {
    let (folder, record) = one_overlay();
    let path = fixture("coffee.png");
    let other = |at: usize| {
        let mut other = record.clone();
        other.input.path = if at == 0 { path.to_string_lossy().into_owned() } else { format!("{at}.jpg") };
        other
    };
    let others: Vec<Record> = (0..MOST_EMBEDDED).map(other).collect();
    assert_eq!(page_of(folder.path(), &others)["embedded"], json!(true));
    let large = page_of(folder.path(), [&record].into_iter().chain(&others));
    assert_eq!(large["embedded"], json!(false));
    assert_eq!(large["cards"].as_array().unwrap().len(), 1 + others.len());
    assert!(large["cards"][0]["thumb"].is_null() && large["cards"][0]["views"][0]["thumb"].is_null());
    assert_eq!(large["cards"][0]["views"][0]["files"][0], json!([0, "exif_6.Grad-CAM.4.png"]));
    let original = large["cards"][1]["original"].as_str().unwrap();
    assert!(original.starts_with("../") && original.ends_with("/fixtures/images/coffee.png"), "{original}");
}

#[test]
fn pictures_that_were_made_with_the_files_are_taken_as_they_are_while_the_page_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let page_of = |count: usize| {
        let mut page = Page::new("net", &folder.path().join("report.html")).unwrap();
        for at in 0..count {
            let record = record(Path::new(&format!("{at}.jpg")), GRADCAM, &[(4, "cat", 0.75)], 1);
            let [photo, overlay] = ["photo", "overlay"].map(|kind| Some(format!("data:{kind} {at}")));
            let small = Small { photo, maps: vec![SmallMap { overlay, mask: None }] };
            page.add(&record, folder.path(), Some(&small));
            page.fail(&format!("{at}.gif"), "damaged");
        }
        data(page)
    };
    let few = page_of(MOST_EMBEDDED);
    let shown = |card: &Value| (card["thumb"].clone(), card["views"][0]["thumb"].clone());
    assert_eq!(shown(&few["cards"][6]), (json!("data:photo 3"), json!("data:overlay 3")));
    // The cards of many pictures wait in a file, and come back whole and in order.
    let many = page_of(MOST_EMBEDDED + 50);
    let cards = many["cards"].as_array().unwrap();
    assert_eq!(cards.len(), 2 * (MOST_EMBEDDED + 50));
    for (at, pair) in cards.chunks(2).enumerate() {
        assert_eq!(pair[0]["path"], format!("{at}.jpg"));
        assert_eq!(pair[0]["views"].as_array().unwrap().len(), 1);
        assert_eq!(shown(&pair[0]), (Value::Null, Value::Null));
        assert_eq!(pair[1], json!({ "path": format!("{at}.gif"), "error": "damaged" }));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the temporary file has no name");
}
