//! Photographs made for a batch: crops of the fixtures in many sizes and formats, in nested directories under odd names,
//! some of them broken. Equal numbers give equal files.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, RgbImage};

use crate::support::fixture;

/// How large the photographs are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// Up to 320x240.
    Small,
    /// From 8x8 to 3000x2000, as cameras, telephones and the web give them.
    All,
}

/// What was made. Paths are relative to the album, in the order in which directories are searched.
pub(super) struct Album {
    /// Whole pictures.
    pub(super) good: Vec<PathBuf>,
    /// What has a picture's name and cannot be read as one.
    pub(super) bad: Vec<PathBuf>,
}

/// One file in this many is broken.
const BROKEN_EVERY: usize = 9;

/// Makes `count` files below `root`, and some files that a batch must ignore. Another seed gives other pictures of
/// much the same sizes under the same names.
pub(super) fn make(root: &Path, count: usize, sizes: Sizes, seed: u64) -> Album {
    let sources = ["coffee.png", "chelsea.png", "camera.png", "rocket.jpg"]
        .map(|name| image::open(fixture("images").join(name)).unwrap().to_rgb8());
    let mut dice = Dice(seed);
    let mut album = Album { good: vec![], bad: vec![] };
    for index in 0..count {
        let picture = photograph(&sources, sizes, index, &mut dice);
        let (ending, format) = format_of(index, &picture);
        let mut path = place(index).join(name(index, ending));
        let mut bytes = encoded(&picture, index, format);
        if index % BROKEN_EVERY == BROKEN_EVERY - 1 {
            (path, bytes) = broken(index / BROKEN_EVERY, &path, &bytes);
            album.bad.push(path.clone());
        } else {
            album.good.push(path.clone());
        }
        write(&root.join(path), &bytes);
    }
    for (path, bytes) in [("notes.txt", &b"not a picture"[..]), (".hidden.png", b""), ("a/.cache/x.png", b"")]
    {
        write(&root.join(path), bytes);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(".", root.join("a/loop")).unwrap();
    album.good.sort();
    album.bad.sort();
    album
}

impl Album {
    /// Several, each in a directory of its own, numbered in the order given.
    pub(super) fn of_several(albums: Vec<Self>) -> Self {
        let mut whole = Self { good: vec![], bad: vec![] };
        for (at, album) in albums.into_iter().enumerate() {
            let directory = part(at);
            whole.good.extend(album.good.into_iter().map(|path| directory.join(path)));
            whole.bad.extend(album.bad.into_iter().map(|path| directory.join(path)));
        }
        whole
    }

    /// Good and bad, in the order in which directories are searched.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let mut all = [&self.good[..], &self.bad[..]].concat();
        all.sort();
        all
    }
}

/// Directory of one of several albums.
pub(super) fn part(at: usize) -> PathBuf {
    PathBuf::from(format!("{at:03}"))
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    /// 0 to `sides` - 1.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % u64::from(sides)) as u32
    }
}

/// At least half of a fixture, at some size.
fn photograph(sources: &[RgbImage], sizes: Sizes, index: usize, dice: &mut Dice) -> RgbImage {
    let source = &sources[index % sources.len()];
    let mut span = |most: u32| {
        let length = most / 2 + dice.roll(most / 2);
        (dice.roll(most - length + 1), length)
    };
    let ((left, width), (top, height)) = (span(source.width()), span(source.height()));
    let crop = imageops::crop_imm(source, left, top, width, height).to_image();
    let [width, height] = match (sizes, index % 20) {
        (_, 0) => [8, 8],
        (Sizes::Small, _) => [24 + dice.roll(296), 24 + dice.roll(216)],
        (Sizes::All, 1) => [3000, 2000],
        (Sizes::All, 2..6) => [1024 + dice.roll(1000), 768 + dice.roll(600)],
        (Sizes::All, _) => [100 + dice.roll(700), 100 + dice.roll(500)],
    };
    let filter = if width > 1024 { FilterType::Nearest } else { FilterType::Triangle };
    imageops::resize(&crop, width, height, filter)
}

fn format_of(index: usize, picture: &RgbImage) -> (&'static str, ImageFormat) {
    // Large ones are JPEG, as they are everywhere; the colour table of a GIF takes long to find.
    let kinds = if picture.width() > 1024 { 1 } else { 9 };
    match index / 20 % kinds {
        0 => ("jpg", ImageFormat::Jpeg),
        1 => ("png", ImageFormat::Png),
        2 => ("webp", ImageFormat::WebP),
        3 => ("bmp", ImageFormat::Bmp),
        4 => ("gif", ImageFormat::Gif),
        5 => ("tiff", ImageFormat::Tiff),
        6 => ("ppm", ImageFormat::Pnm),
        7 => ("JPEG", ImageFormat::Jpeg),
        // The name is wrong, but it is a picture.
        _ => ("jpg", ImageFormat::Png),
    }
}

fn encoded(picture: &RgbImage, index: usize, format: ImageFormat) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(picture.clone());
    let picture = match (index % 7, format) {
        (3, ImageFormat::Jpeg | ImageFormat::Png) => DynamicImage::ImageLuma8(picture.to_luma8()),
        (4, ImageFormat::Png | ImageFormat::WebP) => DynamicImage::ImageRgba8(picture.to_rgba8()),
        (5, ImageFormat::Png) => DynamicImage::ImageRgb16(picture.to_rgb16()),
        _ => picture,
    };
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// A file that has the name of a picture.
fn broken(kind: usize, path: &Path, whole: &[u8]) -> (PathBuf, Vec<u8>) {
    match kind % 5 {
        0 => (path.to_path_buf(), vec![]),
        1 => (path.to_path_buf(), whole[..20].to_vec()),
        2 => (path.with_extension("jpg"), b"<html><body>404 Not Found</body></html>".to_vec()),
        3 => (path.with_extension("png"), std::fs::read(fixture("images/odd/huge_claim.png")).unwrap()),
        _ => (path.to_path_buf(), whole[..whole.len() / 2].to_vec()),
    }
}

fn place(index: usize) -> PathBuf {
    let places = ["", "a", "a/b/c", "holidays 2024", "a/größe", "x/1/2/3/4", "a.b"];
    PathBuf::from(places[index % places.len()])
}

/// Unique by its number.
fn name(index: usize, ending: &str) -> String {
    let odd = [
        "photo",
        "two words",
        "it's",
        "写真",
        "-dash",
        "50%20",
        "v1.2",
        "#&;",
        "a\"quote",
        "[glob]*",
        "$(x)",
    ];
    format!("{}{index:04}.{ending}", odd[index % odd.len()])
}
