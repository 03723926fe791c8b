//! Figures: what is drawn in pixels, and what the files of the other formats hold.

use std::io::Read as _;

use data_encoding::BASE64;
use image::Rgb;

use super::super::colormap::Colormap;
use super::*;

const BLUE: Rgb<u8> = Rgb([10, 10, 200]);
const RED: Rgb<u8> = Rgb([200, 10, 10]);

fn figure(width: u32, height: u32) -> Figure {
    Figure {
        title: "espresso & <cup>, 95.1 %".to_owned(),
        detail: "Grad-CAM, layer _relu1 (7x7)".to_owned(),
        note: String::new(),
        photo: RgbImage::from_pixel(width, height, BLUE),
        map: RgbImage::from_pixel(width, height, RED),
        bar: Some(Bar::new(Colormap::Inferno, false, "1")),
    }
}

fn count(picture: &RgbImage, color: Rgb<u8>) -> u32 {
    picture.pixels().filter(|pixel| **pixel == color).count() as u32
}

#[test]
fn photo_map_and_bar_stand_side_by_side() {
    for (width, height, panel) in
        [(600, 400, 480 * 320), (300, 900, 160 * 480), (320, 320, 480 * 480), (8000, 1000, 480 * 60)]
    {
        let drawn = figure(width, height).to_rgb().unwrap();
        assert_eq!((count(&drawn, BLUE), count(&drawn, RED)), (panel, panel), "{width}x{height}");
        let at = |color: Rgb<u8>| {
            drawn.enumerate_pixels().filter(move |(.., pixel)| **pixel == color).map(|(x, y, _)| (x, y))
        };
        let (photo, map) = (at(BLUE).max().unwrap(), at(RED).min().unwrap());
        assert!(photo.0 < map.0);
        if 3 * height < width {
            // The bar is finer than it is high.
            continue;
        }
        let hot = at(Rgb(Colormap::Inferno.color(1.0))).min().unwrap();
        let cold = at(Rgb(Colormap::Inferno.color(0.0))).max().unwrap();
        assert!(at(RED).max().unwrap().0 < hot.0 && hot.1 < cold.1, "the bar is on the right, hot above");
    }
}

#[test]
fn a_note_and_a_missing_bar_change_the_size() {
    let size = |figure: &Figure| figure.to_rgb().unwrap().dimensions();
    let plain = figure(600, 400);
    let without = Figure { bar: None, ..plain.clone() };
    let noted = Figure { note: "the map is blank: no evidence for the class".to_owned(), ..plain.clone() };
    assert!(size(&without).0 < size(&plain).0 && size(&noted).1 > size(&plain).1);
    let long = Figure { title: "a name without end ".repeat(40), ..plain.clone() };
    assert_eq!(size(&long), size(&plain));
}

#[test]
fn text_of_an_svg_is_text_and_its_pictures_are_png() {
    let svg = String::from_utf8(figure(600, 400).to_svg().unwrap()).unwrap();
    assert!(svg.contains(">espresso &amp; &lt;cup&gt;, 95.1 %</text>"), "{}", &svg[..300]);
    assert!(svg.contains(">Grad-CAM, layer _relu1 (7x7)</text>"));
    let pictures: Vec<RgbImage> = svg
        .split("base64,")
        .skip(1)
        .map(|rest| BASE64.decode(rest.split('"').next().unwrap().as_bytes()).unwrap())
        .map(|png| image::load_from_memory(&png).unwrap().into_rgb8())
        .collect();
    let sizes: Vec<_> = pictures.iter().map(RgbImage::dimensions).collect();
    assert_eq!(sizes, [(600, 400), (600, 400), (1, 256)]);
    assert!(pictures[0] == figure(600, 400).photo && pictures[1] == figure(600, 400).map);
    assert!(figure(32, 32).to_svg().unwrap().windows(9).any(|part| part == b"pixelated"));
}

#[test]
fn a_pdf_has_its_objects_where_its_table_says_and_its_streams_unpack() {
    let pdf = Figure { title: "Å (1)".to_owned(), ..figure(30, 20) }.to_pdf().unwrap();
    let text = String::from_utf8_lossy(&pdf);
    let start: usize =
        text.rsplit("startxref\n").next().unwrap().split('\n').next().unwrap().parse().unwrap();
    let table = std::str::from_utf8(&pdf[start..]).unwrap();
    let places: Vec<usize> =
        table.lines().filter_map(|line| line.strip_suffix(" 00000 n ")?.parse().ok()).collect();
    assert_eq!(places.len(), 9, "six objects and three pictures");
    let streams: Vec<Vec<u8>> = places
        .iter()
        .enumerate()
        .filter_map(|(at, place)| {
            let object = &pdf[*place..];
            assert!(object.starts_with(format!("{} 0 obj\n", at + 1).as_bytes()));
            let end = object.windows(6).position(|part| part == b"endobj").unwrap();
            let begin = object[..end].windows(7).position(|part| part == b"stream\n")? + 7;
            let mut unpacked = Vec::new();
            flate2::read::ZlibDecoder::new(&object[begin..end]).read_to_end(&mut unpacked).unwrap();
            Some(unpacked)
        })
        .collect();
    assert!(
        streams[0].windows(12).any(|part| part == b"(\xc5 \\(1\\)) Tj"),
        "{}",
        String::from_utf8_lossy(&streams[0])
    );
    assert_eq!(streams[0].windows(4).filter(|part| part == b" Do ").count(), 3);
    assert_eq!(streams[1], figure(30, 20).photo.into_raw());
    assert_eq!(streams[2], figure(30, 20).map.into_raw());
}
