//! Pages for the browser test `tests/browser/run`: one with every feature, one of 5,000 pictures, and one of 50,000 entries.

use std::fs;
use std::path::{Path, PathBuf};

use burncam::record::{LabelRecord, Summary};
use image::RgbImage;
use image::imageops::crop_imm;

use super::{Class, GRADCAM, Page, fixture, record};

/// Output directory of the pages.
const FOLDER: &str = "BURNCAM_PAGES";

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

/// Names that need escaping in a URL.
const ODD: &[&str] = &[
    "with space",
    "quote'\"",
    "hash#1",
    "what?",
    "50%25",
    "a&b;c",
    "<b>",
    "caf\u{e9} \u{1f600}",
    "back\\slash",
    "plus+plus",
    "a:b",
    "{{data}}",
];

#[test]
#[ignore = "makes pages for tests/browser/run"]
fn pages_for_a_browser() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect(FOLDER));
    one_of_everything(&folder.join("small"));
    many(&folder.join("large"), 5000);
    many(&folder.join("huge"), 50_000);
}

/// Photos of about the same size, with overlays.
struct Stock(Vec<(RgbImage, RgbImage)>);

impl Stock {
    fn new() -> Self {
        let mut pictures = Vec::new();
        for name in ["coffee.png", "chelsea.png", "rocket.jpg", "camera.png"] {
            let whole = image::open(fixture(name)).unwrap().into_rgb8();
            for part in 0..6 {
                let (width, height) = (whole.width() / 2 + part * 30, whole.height() / 2 + (part % 3) * 20);
                let photo = crop_imm(&whole, part * 7, part * 5, width, height).to_image();
                let mut overlay = photo.clone();
                for (x, y, pixel) in overlay.enumerate_pixels_mut() {
                    let [across, down] =
                        [(x, width), (y, height)].map(|(at, of)| at as f32 / of as f32 - 0.5);
                    let heat = (1.0 - 4.0 * across.hypot(down)).max(0.0);
                    let blend =
                        |from: u8, to: f32| (f32::from(from) * (1.0 - heat * 0.7) + to * heat * 0.7) as u8;
                    pixel.0 = [blend(pixel.0[0], 250.0), blend(pixel.0[1], 200.0), blend(pixel.0[2], 40.0)];
                }
                pictures.push((photo, overlay));
            }
        }
        Self(pictures)
    }

    /// Places a photo and its overlays as a run would.
    fn place(&self, at: usize, photo: &Path, overlays: &[PathBuf]) -> (usize, usize) {
        let (original, overlay) = &self.0[at % self.0.len()];
        original.save_with_format(photo, image::ImageFormat::Jpeg).unwrap();
        for path in overlays {
            overlay.save(path).unwrap();
        }
        (original.width() as usize, original.height() as usize)
    }
}

/// Twelve unusual names, two methods of two classes, labels half of which are wrong, a blank map, failures.
fn one_of_everything(folder: &Path) {
    let stock = Stock::new();
    fs::create_dir_all(folder.join("photos")).unwrap();
    let mut page = Page::new(HOSTILE, &folder.join("report.html")).unwrap();
    for (at, name) in ODD.iter().enumerate() {
        let photo = folder.join("photos").join(format!("{name}.jpg"));
        let first = if at % 3 == 0 { HOSTILE } else { "cat, feline" };
        let classes = [
            (usize::from(at % 3 != 0), first, 0.9 - at as f64 * 0.05),
            (7, "dog", 0.05),
            (8, "jeweler's \"loupe\" & co", 0.01),
        ];
        for method in [GRADCAM, "LayerCAM"] {
            let mut record = record(&photo, method, &classes, 2);
            let files = record
                .targets
                .iter()
                .map(|target| folder.join(&target.artifacts[1].file))
                .collect::<Vec<_>>();
            (record.input.width, record.input.height) = stock.place(at * 2, &photo, &files);
            let label = if at % 2 == 0 { classes[0] } else { classes[1] };
            record.label = Some(LabelRecord { target: label.0, class_name: label.1.to_owned() });
            if at == 4 {
                record.targets[0].finding = Some("the map is flat: every position counts the same".into());
            }
            page.add(&record, folder, None);
            page.heat_outside((at != 4).then_some((at * 5 % 12) as f64 / 12.0));
        }
    }
    for path in [format!("photos/{HOSTILE}.jpg"), "photos/cut.jpg".to_owned()] {
        page.fail(
            &path,
            &format!("image '{path}': cut short: the jpeg ends before its last pixel (is it whole?)"),
        );
    }
    page.write(true, &Summary::new("net", "", 0)).unwrap();
}

/// Three classes of a picture, by its number.
fn three_classes(at: usize) -> [Class<'static>; 3] {
    // A low-discrepancy sequence: reproducible, and it looks random.
    let proba = (at as f64 * 0.618_033_988_749_895).fract();
    let names = ["cat", "dog", "espresso", "tripod", "missile"];
    let class = |step: usize, proba| ((at + step) % 5, names[(at + step) % 5], proba);
    [class(0, proba), class(1, (1.0 - proba) * 0.7), class(2, (1.0 - proba) * 0.2)]
}

/// A run too large to embed. Names repeat with a number; the files are links to a few pictures, of the first 5,000.
fn many(folder: &Path, count: usize) {
    const LOOKED_AT: usize = 5000;
    let stock = Stock::new();
    let [photos, out, few] = ["photos", "out", "few"].map(|name| folder.join(name));
    for directory in [&photos, &out, &few] {
        fs::create_dir_all(directory).unwrap();
    }
    let few: Vec<_> =
        (0..24).map(|at| [few.join(format!("{at}.jpg")), few.join(format!("{at}.png"))]).collect();
    let sizes: Vec<_> = few
        .iter()
        .enumerate()
        .map(|(at, [jpg, png])| stock.place(at, jpg, std::slice::from_ref(png)))
        .collect();
    let mut page = Page::new("net", &folder.join("report.html")).unwrap();
    let mut summary = Summary::new("net", "", count);
    for at in 0..count {
        let photo = photos.join(format!("{:05} {}.jpg", at, ODD[at % ODD.len()]));
        if at % 1000 == 999 {
            page.fail(
                &photo.to_string_lossy(),
                "damaged or cut short: unexpected end of file (is it whole?)",
            );
            continue;
        }
        let classes = three_classes(at);
        let mut record = record(&photo, GRADCAM, &classes, 1);
        (record.input.width, record.input.height) = sizes[at % 24];
        let label = classes[usize::from(at % 10 == 0)];
        record.label = Some(LabelRecord { target: label.0, class_name: label.1.to_owned() });
        for (from, to) in few[at % 24].iter().zip([photo, out.join(&record.targets[0].artifacts[1].file)]) {
            if at < LOOKED_AT && !to.exists() {
                fs::hard_link(from, to).unwrap();
            }
        }
        page.add(&record, &out, None);
        summary.add(&[record], &[]);
    }
    page.write(true, &summary).unwrap();
}
