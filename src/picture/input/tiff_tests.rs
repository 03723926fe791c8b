//! TIFF files made by hand, one of each kind, and their pixels worked out by hand.

use super::*;

/// A little-endian file of one strip; `tags` are added to width, height, strip and bits.
fn file(size: [u32; 2], tags: &[(u16, u16, Vec<u32>)], strip: &[u8]) -> Vec<u8> {
    let mut all = vec![(256, 4, vec![size[0]]), (257, 4, vec![size[1]])];
    all.extend(tags.iter().cloned());
    all.push((273, 4, vec![8]));
    all.push((279, 4, vec![strip.len() as u32]));
    all.sort_by_key(|(tag, ..)| *tag);
    let start = 8 + strip.len().next_multiple_of(2);
    let mut bytes = [&b"II*\0"[..], &(start as u32).to_le_bytes(), strip].concat();
    bytes.resize(start, 0);
    let mut beyond = start + 2 + 12 * all.len() + 4;
    let mut values = Vec::new();
    bytes.extend((all.len() as u16).to_le_bytes());
    for (tag, kind, numbers) in &all {
        let written: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes()[..if *kind == 3 { 2 } else { 4 }].to_vec())
            .collect();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend((numbers.len() as u32).to_le_bytes());
        if written.len() <= 4 {
            bytes.extend(&written);
            bytes.resize(bytes.len() + 4 - written.len(), 0);
        } else {
            bytes.extend((beyond as u32).to_le_bytes());
            beyond += written.len();
            values.extend(written);
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(values);
    bytes
}

fn short(tag: u16, numbers: &[u32]) -> (u16, u16, Vec<u32>) {
    (tag, 3, numbers.to_vec())
}

/// Photometric interpretation, bits, samples, sample format.
fn kind(photometric: u32, bits: u32, samples: u32, format: u32) -> Vec<(u16, u16, Vec<u32>)> {
    vec![
        short(258, &vec![bits; samples as usize]),
        short(262, &[photometric]),
        short(277, &[samples]),
        short(339, &[format]),
    ]
}

fn levels(bytes: &[u8]) -> Vec<u8> {
    decode(bytes).unwrap().flattened([255; 3]).into_raw()
}

fn problem(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().problem("tiff").to_string()
}

fn bytes_of<const N: usize, T: Copy>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| to_bytes(*value)).collect()
}

#[test]
fn whole_numbers_come_from_all_of_their_range() {
    let wide = bytes_of(&[0, u32::MAX, u32::MAX / 5], u32::to_le_bytes);
    assert_eq!(levels(&file([1, 1], &kind(2, 32, 3, 1), &wide)), [0, 255, 51]);
    let middle = bytes_of(&[128, 129, 65535], u16::to_le_bytes);
    assert_eq!(levels(&file([1, 1], &kind(2, 16, 3, 1), &middle)), [0, 1, 255]);
    // 12 bits: 0xfff, 0x800, 0x000.
    assert_eq!(levels(&file([1, 1], &kind(2, 12, 3, 1), &[0xff, 0xf8, 0x00, 0x00, 0x00])), [255, 128, 0]);
    // 4 bits, two pixels; the second row starts on a new byte.
    assert_eq!(levels(&file([1, 2], &kind(1, 4, 1, 1), &[0xf0, 0x30])), [255, 255, 255, 51, 51, 51]);
}

#[test]
fn white_may_be_zero() {
    assert_eq!(levels(&file([2, 1], &kind(0, 8, 1, 1), &[0, 55])), [255, 255, 255, 200, 200, 200]);
    assert_eq!(levels(&file([2, 1], &kind(0, 1, 1, 1), &[0x40])), [255, 255, 255, 0, 0, 0]);
}

#[test]
fn floats_are_read_from_0_to_1_and_refused_beyond() {
    let unit = bytes_of(&[0.0f32, 0.2, 1.0], f32::to_le_bytes);
    assert_eq!(levels(&file([1, 1], &kind(2, 32, 3, 3), &unit)), [0, 51, 255]);
    let halves = bytes_of(&[0.0f32, 0.5, 1.0], |value| half::f16::from_f32(value).to_le_bytes());
    assert_eq!(levels(&file([1, 1], &kind(2, 16, 3, 3), &halves)), [0, 128, 255]);
    let beyond = bytes_of(&[0.0f32, 0.2, 200.0], f32::to_le_bytes);
    let message = problem(&file([1, 1], &kind(2, 32, 3, 3), &beyond));
    assert!(message.starts_with("holds floats from 0 to 200, expected 0 for black"), "{message}");
    let none = bytes_of(&[0.0f32, f32::NAN, 0.0], f32::to_le_bytes);
    assert!(problem(&file([1, 1], &kind(2, 32, 3, 3), &none)).contains("floats that are no numbers"));
}

#[test]
fn an_alpha_may_be_straight_multiplied_or_nothing() {
    let with = |extra: &[u32]| {
        let mut tags = kind(2, 8, 4, 1);
        if !extra.is_empty() {
            tags.push(short(338, extra));
        }
        levels(&file([1, 1], &tags, &[40, 20, 0, 51]))
    };
    // Premultiplied: 40 + 204, 20 + 204, 204; straight: (40 * 51 + 255 * 204) / 255 = 212, 208, 204.
    assert_eq!(with(&[1]), [244, 224, 204]);
    assert_eq!(with(&[2]), [212, 208, 204]);
    assert_eq!(with(&[]), [212, 208, 204]);
    assert_eq!(with(&[0]), [40, 20, 0]);
}

#[test]
fn a_palettes_colours_are_its_higher_bytes() {
    let mut tags = kind(3, 1, 1, 1);
    // Index 0 is 10, 20, 30; index 1 is 255, 0, 128.
    tags.push(short(320, &[10 * 257, 65535, 20 * 257, 0, 30 * 257, 128 * 257]));
    assert_eq!(levels(&file([2, 1], &tags, &[0x40])), [10, 20, 30, 255, 0, 128]);
    assert!(problem(&file([2, 1], &kind(3, 1, 1, 1), &[0x40])).contains("its palette is missing"));
}

#[test]
fn inks_are_not_inverted() {
    assert_eq!(levels(&file([1, 1], &kind(5, 8, 4, 1), &[255, 0, 0, 0])), [0, 255, 255]);
}

#[test]
fn what_is_not_read_is_named() {
    let compressed = |number: u32| {
        let mut tags = kind(2, 8, 3, 1);
        tags.push(short(259, &[number]));
        problem(&file([1, 1], &tags, &[1, 2, 3]))
    };
    assert_eq!(
        compressed(50000),
        "a kind of tiff that cannot be read: Zstandard compression (save it as PNG or JPEG)"
    );
    assert!(compressed(34887).contains("LERC"));
    assert!(compressed(34713).starts_with("is a camera's raw file"));
    assert!(problem(&file([1, 1], &kind(2, 16, 3, 2), &[0; 6])).contains("signed numbers"));
    assert!(problem(&file([1, 1], &kind(1, 8, 3, 1), &[0; 3])).contains("3 channels that are called grey"));
    assert!(problem(&file([1, 1], &kind(8, 8, 3, 1), &[0; 3])).contains("L*a*b*"));
    let mut dng = kind(2, 8, 3, 1);
    dng.push((50706, 4, vec![1]));
    assert!(problem(&file([1, 1], &dng, &[1, 2, 3])).starts_with("is a camera's raw file"));
}

#[test]
fn a_strip_that_is_cut_is_an_error() {
    let cut = file([1, 2], &kind(2, 8, 3, 1), &[1, 2, 3]);
    assert!(problem(&cut).contains("strip or tile 0 ends before its last pixel"), "{}", problem(&cut));
    let mut tags = kind(2, 8, 3, 1);
    tags.push(short(278, &[1]));
    assert!(problem(&file([1, 2], &tags, &[1, 2, 3])).contains("fewer strips or tiles than the picture has"));
}
