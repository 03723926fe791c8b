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
            .flat_map(|number| {
                number.to_le_bytes()[..match kind {
                    1 => 1,
                    3 => 2,
                    _ => 4,
                }]
                    .to_vec()
            })
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
    decode(bytes, None).unwrap().flattened([255; 3]).into_raw()
}

fn problem(bytes: &[u8]) -> String {
    decode(bytes, None).unwrap_err().problem("tiff").to_string()
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
    assert!(message.starts_with("holds values from 0 to 200, expected floats from 0 for black"), "{message}");
    let none = bytes_of(&[0.0f32, f32::NAN, 0.0], f32::to_le_bytes);
    assert!(problem(&file([1, 1], &kind(2, 32, 3, 3), &none)).contains("floats that are no numbers"));
}

#[test]
fn values_without_a_white_of_their_own_are_shown_as_the_file_says() {
    let stated = |bits: u32, format: u32, tags: &[(u16, u16, Vec<u32>)], strip: &[u8]| {
        let tags = [&kind(1, bits, 1, format)[..], tags].concat();
        let decoded = decode(&file([3, 1], &tags, strip), None).unwrap();
        let notes = decoded.notes.clone();
        let grey: Vec<u8> = decoded.flattened([255; 3]).into_raw().into_iter().step_by(3).collect();
        (grey, notes)
    };
    let range =
        |least: u32, greatest: u32, kind: u16| vec![(340, kind, vec![least]), (341, kind, vec![greatest])];
    let floats = bytes_of(&[-100.0f32, 100.0, 900.0], f32::to_le_bytes);
    // From -100 to 400 as floats: 200 of 500 are 102 of 255, and what is beyond white is white.
    let (levels, notes) = stated(32, 3, &range((-100.0f32).to_bits(), 400.0f32.to_bits(), 11), &floats);
    assert_eq!(levels, [0, 102, 255]);
    assert_eq!(notes, ["its values from -100 to 400 are shown from black to white, as the file says"]);
    let signed = bytes_of(&[-1000i16, 0, 1000], i16::to_le_bytes);
    let (levels, _) = stated(16, 2, &range((-1000i32) as u32, 1000, 9), &signed);
    assert_eq!(levels, [0, 128, 255]);
    // ImageJ's range, which its description has after a line break.
    let text: Vec<u32> =
        b"ImageJ=1.53t\nmin=-100.0\nmax=400.0\n\0".iter().map(|byte| u32::from(*byte)).collect();
    let tag = (270, 1, text);
    assert_eq!(stated(32, 3, &[tag], &floats).0, [0, 102, 255]);
    // A range that is none is as if there were none.
    let tags = [&kind(1, 32, 1, 3)[..], &range(1, 1, 3)].concat();
    assert!(problem(&file([3, 1], &tags, &floats)).contains("expected floats from 0"));
}

#[test]
fn values_are_shown_as_the_caller_says_whatever_the_file_says() {
    let shown = |tags: &[(u16, u16, Vec<u32>)], strip: &[u8], window: [f64; 2]| {
        let decoded = decode(&file([3, 1], tags, strip), Some(window)).unwrap();
        let notes = decoded.notes.clone();
        let grey: Vec<u8> = decoded.flattened([255; 3]).into_raw().into_iter().step_by(3).collect();
        (grey, notes)
    };
    let floats = bytes_of(&[-100.0f32, 100.0, 900.0], f32::to_le_bytes);
    let (levels, notes) = shown(&kind(1, 32, 1, 3), &floats, [-100.0, 400.0]);
    assert_eq!(levels, [0, 102, 255]);
    assert_eq!(notes, ["its values from -100 to 400 are shown from black to white, as was asked"]);
    let range = vec![(340, 11, vec![0.0f32.to_bits()]), (341, 11, vec![1.0f32.to_bits()])];
    assert_eq!(shown(&[kind(1, 32, 1, 3), range].concat(), &floats, [-100.0, 400.0]).0, [0, 102, 255]);
    // The range that is usual for floats, and here is not all of theirs.
    assert_eq!(shown(&kind(1, 32, 1, 3), &floats, [0.0, 1.0]).0, [0, 255, 255]);
    // 12 bits of which each takes 16; the fourth value is an alpha and has all of its range.
    let twelve = bytes_of(&[0u16, 819, 4095], u16::to_le_bytes);
    assert_eq!(shown(&kind(1, 16, 1, 1), &twelve, [0.0, 4095.0]).0, [0, 51, 255]);
    let clear = bytes_of(&[4095u16, 65535, 4095, 0, 0, 65535], u16::to_le_bytes);
    let tags = [kind(1, 16, 2, 1), vec![short(338, &[2])]].concat();
    assert_eq!(shown(&tags, &clear, [0.0, 4095.0]).0, [255, 255, 0]);
    // Eight bits are levels already.
    let (levels, notes) = shown(&kind(1, 8, 1, 1), &[0, 7, 255], [0.0, 7.0]);
    assert_eq!((levels, notes.len()), (vec![0, 7, 255], 0));
}

#[test]
fn luma_and_chroma_are_read_in_blocks() {
    // Two pixels of one chroma: red has luma 76, and chromas 85 and 255, by JFIF's formulas.
    let tags = |block: [u32; 2]| [&kind(6, 8, 3, 1)[..], &[short(530, &block)]].concat();
    let pixels = levels(&file([2, 1], &tags([2, 1]), &[76, 29, 85, 255]));
    assert_eq!(pixels.len(), 6);
    assert!(pixels[0] >= 253 && pixels[1] <= 2 && pixels[2] <= 2, "{pixels:?}");
    assert!(pixels[3] > 200 && pixels[5] == 0, "the second is darker: {pixels:?}");
    // Three columns in blocks of two: the last block reaches beyond the picture. No colour, so grey.
    let strip = [10, 20, 30, 40, 128, 128, 50, 99, 60, 99, 128, 128];
    let grey: Vec<u8> = levels(&file([3, 2], &tags([2, 2]), &strip)).into_iter().step_by(3).collect();
    assert_eq!(grey, [10, 20, 50, 30, 40, 60]);
    assert!(problem(&file([3, 2], &tags([2, 2]), &strip[..6])).contains("ends before its last pixel"));
    assert!(problem(&file([2, 1], &tags([3, 1]), &[0; 5])).contains("chroma for blocks of [3, 1]"));
}

#[test]
fn zstandard_is_unpacked() {
    // A frame of one raw block of three bytes: magic, a single segment of 3 bytes, the last block, raw.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, 7, 8, 9];
    let mut tags = kind(2, 8, 3, 1);
    tags.push(short(259, &[50000]));
    assert_eq!(levels(&file([1, 1], &tags, &frame)), [7, 8, 9]);
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
        compressed(34887),
        "a kind of tiff that cannot be read: LERC compression (save it as PNG or JPEG)"
    );
    assert!(compressed(50000).starts_with("damaged or cut short: "));
    assert!(compressed(34713).starts_with("is a camera's raw file"));
    assert!(problem(&file([1, 1], &kind(2, 16, 3, 2), &[0; 6])).contains("tags that say what is black"));
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
