//! Sheets: their size follows from their contents, and every part is in its place.

use super::super::colormap::Colormap;
use super::*;

const RED: Rgb<u8> = Rgb([200, 10, 10]);

fn sheet(rows: usize, columns: usize, cell: (u32, u32)) -> Sheet {
    let red = Cell { picture: RgbImage::from_pixel(cell.0, cell.1, RED), note: String::new() };
    let cells = vec![red; columns];
    Sheet {
        title: "coffee.png".to_owned(),
        footer: "efficientnet_lite0, layer head".to_owned(),
        photo: Some(RgbImage::from_pixel(cell.0, cell.1, Rgb([10, 10, 200]))),
        columns: (0..columns)
            .map(|at| Heading { title: format!("class {at}"), detail: "12.3 %".to_owned() })
            .collect(),
        rows: (0..rows)
            .map(|at| SheetRow { label: format!("Method {at}"), cells: cells.clone(), ..SheetRow::default() })
            .collect(),
        bar: Some(Bar::new(Colormap::Viridis, false, "max")),
        cell: CELL,
    }
}

fn count(picture: &RgbImage, color: Rgb<u8>) -> u32 {
    picture.pixels().filter(|pixel| **pixel == color).count() as u32
}

#[test]
fn every_cell_is_there_at_its_size() {
    for (rows, columns) in [(1, 1), (3, 3), (5, 2)] {
        let drawn = sheet(rows, columns, (600, 400)).draw().unwrap();
        assert_eq!(count(&drawn, RED), (rows * columns) as u32 * 320 * 213);
    }
    // A portrait.
    let drawn = sheet(2, 2, (400, 600)).draw().unwrap();
    assert_eq!(count(&drawn, RED), 4 * 213 * 320);
}

#[test]
fn the_photo_stands_beside_one_row_and_in_the_corner_of_several() {
    let blue = Rgb([10, 10, 200]);
    assert_eq!(count(&sheet(1, 1, (600, 400)).draw().unwrap(), blue), 320 * 213);
    assert_eq!(count(&sheet(2, 1, (600, 400)).draw().unwrap(), blue), 150 * 100);
    let without = Sheet { photo: None, ..sheet(2, 1, (600, 400)) };
    assert_eq!(count(&without.draw().unwrap(), blue), 0);
}

#[test]
fn margins_stay_white_whatever_the_texts() {
    let mut sheet = sheet(2, 2, (600, 400));
    let long = "a very long name that no column of any sheet has the room for ".repeat(5);
    (sheet.title, sheet.footer) = (long.clone(), long.clone());
    sheet.columns[0] = Heading { title: long.clone(), detail: long.clone() };
    sheet.rows[0].label = long;
    let drawn = sheet.draw().unwrap();
    let (width, height) = drawn.dimensions();
    let edge = 20;
    for (x, y, pixel) in drawn.enumerate_pixels() {
        let inside = (edge..width - edge).contains(&x) && (edge..height - edge).contains(&y);
        assert!(inside || *pixel == PAPER, "{x},{y}");
    }
}

#[test]
fn the_bar_goes_from_cold_to_hot() {
    for map in [Colormap::Turbo, Colormap::RedBlue] {
        let drawn = Sheet { bar: Some(Bar::new(map, false, "1")), ..sheet(1, 2, (90, 90)) }.draw().unwrap();
        let right = drawn.width() - MARGIN - 1;
        let row = (0..drawn.height()).rfind(|y| drawn.get_pixel(right, *y).0 == map.color(1.0)).unwrap();
        assert_eq!(drawn.get_pixel(right + 1 - BAR_WIDTH, row).0, map.color(0.0));
    }
}

#[test]
fn an_empty_sheet_and_missing_cells_do_no_harm() {
    let mut sheet = sheet(2, 3, (64, 64));
    sheet.rows[1].cells.clear();
    assert_eq!(count(&sheet.draw().unwrap(), RED), 3 * 320 * 320);
    let nothing = Sheet { rows: Vec::new(), columns: Vec::new(), photo: None, ..sheet };
    assert!(nothing.draw().unwrap().width() > BAR_WIDTH);
}

#[test]
fn many_columns_go_on_below_and_sheets_of_any_size_look_alike() {
    for columns in [1, 7, 8, 9, 40] {
        let drawn = sheet(2, columns, (600, 400)).draw().unwrap();
        assert_eq!(count(&drawn, RED), 2 * columns as u32 * 320 * 213, "{columns}");
        // Eight columns and a label are the widest sheet.
        assert!(drawn.width() < 8 * 334 + 300, "{columns}: {}", drawn.width());
    }
    // Equally many in each part: nine columns are five and four.
    let [eight, nine] = [8, 9].map(|columns| sheet(2, columns, (600, 400)).draw().unwrap());
    assert!(nine.width() < eight.width() && nine.height() > eight.height() + 400);
}

#[test]
fn a_sheet_for_print_is_the_same_with_more_pixels() {
    let usual = sheet(2, 3, (600, 400)).draw().unwrap();
    let print = Sheet { cell: 3 * CELL, ..sheet(2, 3, (600, 400)) }.draw().unwrap();
    let ratio = |one: u32, other: u32| f64::from(one) / f64::from(other);
    assert!((ratio(print.width(), usual.width()) - 3.0).abs() < 0.02, "{:?}", print.dimensions());
    assert!((ratio(print.height(), usual.height()) - 3.0).abs() < 0.02);
    assert_eq!(count(&print, RED), 6 * 960 * 640);
}

#[test]
fn a_note_is_written_on_its_cell_and_nowhere_else() {
    let plain = sheet(2, 2, (600, 400));
    let mut noted = plain.clone();
    noted.rows[1].cells[0].note = "no heat: the evidence for the class is negative everywhere".to_owned();
    let [plain, noted] = [plain, noted].map(|sheet| sheet.draw().unwrap());
    assert_eq!(plain.dimensions(), noted.dimensions());
    let changed: Vec<(u32, u32)> = plain
        .enumerate_pixels()
        .filter(|(x, y, pixel)| noted.get_pixel(*x, *y) != *pixel)
        .map(|(x, y, _)| (x, y))
        .collect();
    let left = changed.iter().map(|at| at.0).min().unwrap();
    let right = changed.iter().map(|at| at.0).max().unwrap();
    assert_eq!(right + 1 - left, 320, "as wide as the cell");
    assert!(changed.iter().all(|(x, y)| *plain.get_pixel(*x, *y) == RED), "on the picture only");
    let dark = changed.iter().filter(|(x, y)| noted.get_pixel(*x, *y).0[1] < 100).count();
    assert!(dark > 200, "text on it: {dark}");
}

#[test]
fn rows_have_bars_where_they_differ_and_text_for_cells_that_are_missing() {
    let mut sheet = sheet(2, 3, (600, 400));
    let ink = |picture: &RgbImage| picture.pixels().filter(|pixel| pixel.0[0] < 160).count();
    let plain = ink(&sheet.draw().unwrap());
    sheet.rows[1].cells.truncate(1);
    let missing = ink(&sheet.draw().unwrap());
    sheet.rows[1].rest = "the same for every class".to_owned();
    let with_text = ink(&sheet.draw().unwrap());
    assert!(missing == plain && with_text > missing + 100, "{plain} {missing} {with_text}");
    let hot = Rgb(Colormap::Reds.color(1.0));
    assert_eq!(count(&sheet.draw().unwrap(), hot), 0);
    sheet.rows[0].bar = Some(Bar::new(Colormap::Reds, false, "12.5"));
    let drawn = sheet.draw().unwrap();
    let (x, y, _) = drawn.enumerate_pixels().find(|(.., pixel)| **pixel == hot).unwrap();
    assert!(x < MARGIN + ROW_BAR && y < drawn.height() / 2, "{x},{y}");
}
