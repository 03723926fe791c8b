//! What `explain` draws: formats of files, figures, sheets of several images, and options that contradict each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burncam::record::Record;
use image::ImageFormat;

use super::album::Sizes;
use super::support::Place;
use crate::support::fixture;

/// A place with three photographs.
fn place() -> Place {
    let place = Place::new(0, Sizes::Small);
    for name in ["coffee.png", "chelsea.png", "camera.png"] {
        std::fs::copy(fixture("images").join(name), place.path("photos").join(name)).unwrap();
    }
    place
}

/// The format of each file below a directory that is a picture, found from its content.
fn formats(place: &Place, name: &str) -> BTreeMap<String, ImageFormat> {
    let format = |path: PathBuf| {
        let bytes = std::fs::read(place.path(name).join(&path)).unwrap();
        Some((path.display().to_string(), image::guess_format(&bytes).ok()?))
    };
    place.files(name).into_iter().filter_map(format).collect()
}

fn said(place: &Place, arguments: &str, code: i32) -> String {
    String::from_utf8(place.run(arguments, code).stderr).unwrap()
}

#[test]
fn a_format_is_that_of_pictures_that_show_the_photo() {
    let place = place();
    let kinds = "--save overlay,record,mask,heatmap,boxes,side-by-side,cut-out";
    for (option, ending, format) in [("jpeg", "jpg", ImageFormat::Jpeg), ("webp", "webp", ImageFormat::WebP)]
    {
        let run = format!("explain -m tiny.bpk photos/coffee.png -o {option} {kinds} --format {option}");
        place.run(&run, 0);
        let expected = [
            (format!("coffee.gradcam.boxes.{ending}"), format),
            ("coffee.gradcam.cut-out.png".to_owned(), ImageFormat::Png),
            ("coffee.gradcam.heatmap.png".to_owned(), ImageFormat::Png),
            (format!("coffee.gradcam.{ending}"), format),
            ("coffee.gradcam.mask.png".to_owned(), ImageFormat::Png),
            (format!("coffee.gradcam.side-by-side.{ending}"), format),
        ];
        assert_eq!(formats(&place, option), BTreeMap::from(expected));
        // The record's files are there and whole, by their sizes and hashes.
        let read = |name: &str| std::fs::read(place.path(option).join(name)).unwrap();
        let record = Record::from_json(&read("coffee.gradcam.json")).unwrap();
        assert!(record.targets[0].artifacts.iter().all(|file| file.is(&read(&file.file)) == Some(true)));
        assert_eq!(record.targets[0].artifacts[0].file, format!("coffee.gradcam.{ending}"));
        assert!(said(&place, &run, 2).contains(&format!("coffee.gradcam.{ending}")), "a file in the way");
    }
    let size = |quality: u32| {
        let run =
            format!("explain -m tiny.bpk photos/coffee.png -o q{quality} --format jpg --quality {quality}");
        place.run(&run, 0);
        place.path(&format!("q{quality}/coffee.gradcam.jpg")).metadata().unwrap().len()
    };
    assert!(size(30) < size(95) / 3);
}

#[test]
fn the_name_in_out_says_the_format_and_contradictions_are_refused() {
    let place = place();
    let explain = |more: &str| format!("explain -m tiny.bpk photos/coffee.png {more}");
    for (name, format) in
        [("a.jpg", ImageFormat::Jpeg), ("b.webp", ImageFormat::WebP), ("c.jpeg", ImageFormat::Jpeg)]
    {
        place.run(&explain(&format!("-o {name}")), 0);
        assert_eq!(image::guess_format(&std::fs::read(place.path(name)).unwrap()).unwrap(), format, "{name}");
        assert!(place.path(name).with_extension("json").is_file());
    }
    place.run(&explain("-o d.pdf --save pdf"), 0);
    assert!(std::fs::read(place.path("d.pdf")).unwrap().starts_with(b"%PDF-"));
    // The first kind that can have the name gets it.
    place.run(&explain("-o e.png --save npy,mask"), 0);
    assert_eq!(image::open(place.path("e.png")).unwrap().color(), image::ColorType::L8);
    for (more, expected) in [
        ("-o x.jpg --format png", "contradict each other (drop --format)"),
        ("-o x.jpg --save mask", "mask is a .png file"),
        ("-o x.svg", "overlay is a .png file"),
        ("-o x.gif", "pictures are written as PNG, JPEG or WebP"),
        ("-o x --quality 50", "--quality is for JPEG"),
        ("-o x --format webp --quality 50", "--quality is for JPEG"),
        ("-o x --sheet-cell 500", "add --grid or --sheet"),
        ("-o x --sheet sheet.jpg", "expected the name of a .png file"),
        ("-o x --compat captum --photo dim", "--photo would be ignored"),
        ("-o x --compat captum --contours", "--contours would be ignored"),
        ("-o x --compat captum --crop-edge hide", "--crop-edge would be ignored"),
        ("-o x --contours=2", "up to 8 shares of the greatest heat"),
    ] {
        let said = said(&place, &explain(more), 2);
        assert!(said.contains(expected), "{more}: {said}");
        assert!(!place.path("x").exists() && !place.path("x.jpg").exists());
    }
}

#[test]
fn a_figure_has_class_method_and_layer_as_text() {
    let place = place();
    place.run(
        "explain -m tiny.bpk photos/coffee.png -o out --save figure,svg,pdf,record -t cat --contours=0.5",
        0,
    );
    let svg = std::fs::read_to_string(place.path("out/coffee.gradcam.figure.svg")).unwrap();
    for text in [">cat, ", ">Grad-CAM, layer relu (8x8)<", ">Contours at 50 % of the brightest.<", ">max<"] {
        assert!(svg.contains(text), "{text}");
    }
    let figure = image::open(place.path("out/coffee.gradcam.figure.png")).unwrap();
    // Two panels of 480 pixels, the bar and its ends.
    assert!((1000..1200).contains(&figure.width()) && figure.height() > 320, "{}", figure.width());
    let pdf = std::fs::read(place.path("out/coffee.gradcam.figure.pdf")).unwrap();
    assert!(pdf.ends_with(b"%%EOF\n"));
    let record =
        place.run("explain -m tiny.bpk photos/coffee.png --save figure,svg,pdf --json -o again", 0).stdout;
    let record = String::from_utf8(record).unwrap();
    assert!(record.contains("coffee.gradcam.figure.svg") && record.contains("coffee.gradcam.figure.pdf"));
}

#[test]
fn the_sheet_of_all_images_has_a_row_for_each_that_could_be_explained() {
    let place = place();
    std::fs::write(place.path("photos/broken.png"), b"no picture").unwrap();
    let run = "explain -m tiny.bpk photos -o out --method gradcam,eigencam --sheet out/sheet.png";
    place.run(run, 1);
    let sheet = |name: &str| image::open(place.path(name)).unwrap().into_rgb8();
    let three = sheet("out/sheet.png");
    assert!(
        said(&place, "explain -m tiny.bpk photos -o other --jsonl list.jsonl --sheet out/sheet.png", 2)
            .contains("sheet.png"),
        "a file in the way"
    );
    assert!(!place.path("list.jsonl").exists(), "refused before a list is begun");
    let photo = || std::fs::read(place.path("photos/coffee.png")).unwrap();
    let before = photo();
    for list in ["--sheet", "--csv", "--jsonl", "--report"] {
        let run = format!("explain -m tiny.bpk photos -o other -f {list} photos/coffee.png");
        assert!(said(&place, &run, 2).contains("would replace the input of that name (name another file)"));
        assert!(photo() == before, "{list} replaces no input");
    }
    place.run(
        "explain -m tiny.bpk photos/coffee.png -o one --method gradcam,eigencam --sheet one/sheet.png",
        0,
    );
    let one = sheet("one/sheet.png");
    // Rows of 512x512, 451x300 and 600x400 pixels in cells of 320: 320, 213 and 213, and two gaps.
    assert_eq!(three.height() - one.height(), 320 + 213 + 2 * 14);
    place.run("explain -m tiny.bpk photos/coffee.png -o two --sheet two/sheet.png --sheet-cell 160", 0);
    assert!(sheet("two/sheet.png").height() < one.height());
}

#[test]
fn what_asks_no_class_is_drawn_once_and_blank_cells_say_why() {
    let place = place();
    let run = |method: &str, out: &str| {
        place.run(
            &format!("explain -m tiny.bpk photos/coffee.png -o {out} -t 0 -t 1 --method {method} --grid"),
            0,
        );
        image::open(place.path(out).join("coffee.grid.png")).unwrap().into_rgb8()
    };
    let sheet = run("gradcam,eigencam", "both");
    let white_below = |x: u32| {
        let column = (0..sheet.height()).map(|y| sheet.get_pixel(x, y).0);
        column.filter(|pixel| *pixel != [255; 3]).count()
    };
    // The second column has one cell less than the first.
    let middle = sheet.width() - 36 - 160;
    assert!(white_below(middle) + 150 < white_below(middle - 334), "{}", white_below(middle));
    assert!(Path::new(&place.path("both/coffee.eigencam.1.png")).is_file(), "files are of every class");
}
