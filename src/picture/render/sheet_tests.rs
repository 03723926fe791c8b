//! Sheets: their size follows from their contents, and every part is in its place.

use super::*;

const RED: Rgb<u8> = Rgb([200, 10, 10]);

fn sheet(rows: usize, columns: usize, cell: (u32, u32)) -> Sheet {
    let cells = vec![RgbImage::from_pixel(cell.0, cell.1, RED); columns];
    Sheet {
        title: "coffee.png".to_owned(),
        footer: "efficientnet_lite0, layer head".to_owned(),
        photo: Some(RgbImage::from_pixel(cell.0, cell.1, Rgb([10, 10, 200]))),
        columns: (0..columns)
            .map(|at| Heading { title: format!("class {at}"), detail: "12.3 %".to_owned() })
            .collect(),
        rows: (0..rows).map(|at| SheetRow { label: format!("Method {at}"), cells: cells.clone() }).collect(),
        colormap: Colormap::Viridis,
        signed: false,
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
        let drawn =
            Sheet { colormap: map, signed: map.is_diverging(), ..sheet(1, 2, (90, 90)) }.draw().unwrap();
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
