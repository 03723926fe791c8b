//! What pictures and arrays may make their readers allocate, with a counting allocator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails as a test does")]

mod counting;

use std::io::{Cursor, Write as _};

use burncam_picture::input::{ClassMask, MAX_PIXELS, Npz, Picture, read_array};
use counting::{LIMIT, file, held, refused, turn};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, ImageFormat};

fn open(bytes: &[u8]) -> burncam_graph::Result<Picture> {
    Picture::from_bytes(bytes, "a", [255; 3])
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let sum = crc32fast::hash(&[&name[..], data].concat());
    [&(data.len() as u32).to_be_bytes()[..], name, data, &sum.to_be_bytes()].concat()
}

/// A PNG of this size, kind of colours and further chunks, whose pixels are these bytes, packed.
fn png(width: u32, height: u32, depth: u8, colours: u8, further: &[Vec<u8>], pixels: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colours, 0, 0, 0]].concat();
    let parts = [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), further.concat()];
    [parts.concat(), chunk(b"IDAT", &zlib(pixels)), chunk(b"IEND", b"")].concat()
}

#[test]
fn sound_pictures_that_fit_are_read_within_the_limit() {
    let _turn = turn();
    // A pixel takes twelve bytes at most as 8-bit RGB, which is what the limit is enough for here.
    let side = (LIMIT as f64 / 12.0).sqrt() as u32 - 1;
    let rgb = DynamicImage::new_rgb8(side, side);
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff]
    {
        let bytes = encoded(&rgb, format);
        let picture = held(&format!("{format:?}"), || open(&bytes));
        // Some decoders have the picture twice, and are refused what is not there.
        if matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
            assert_eq!(picture.unwrap().rgb.width(), side, "{format:?}");
        }
    }
    let side = (LIMIT as f64 / 30.0).sqrt() as u32;
    let kinds = [
        DynamicImage::new_rgba8(side, side),
        DynamicImage::new_luma16(side, side),
        DynamicImage::new_rgba16(side, side),
    ];
    for (at, image) in kinds.iter().enumerate() {
        for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Gif] {
            let Some(image) = (match format {
                ImageFormat::WebP | ImageFormat::Gif => Some(DynamicImage::from(image.to_rgba8())),
                _ => Some(image.clone()),
            }) else {
                continue;
            };
            let bytes = encoded(&image, format);
            let _ = held(&format!("{format:?} {at}"), || open(&bytes));
        }
    }
}

#[test]
fn jpeg_xl_takes_what_it_is_counted_for() {
    let _turn = turn();
    // 720x720 pixels of 64 bytes: just below the limit.
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/modern/large.jxl");
    let bytes = std::fs::read(path).unwrap();
    let picture = held("large.jxl", || open(&bytes)).unwrap();
    assert_eq!(picture.size, [720; 2]);
}

#[test]
fn pictures_that_claim_much_are_refused_before_they_take_it() {
    let _turn = turn();
    let limit = (LIMIT as u64 / 12) as u32;
    for (what, bytes) in [
        ("png", png(limit / 4, 5, 8, 2, &[], b"")),
        ("png of 16 bits", png(3000, 700, 16, 6, &[], b"")),
        ("grey png of 16 bits", png(9000, 9000, 16, 0, &[], b"")),
        ("pnm", format!("P6\n{} 5\n255\n", limit / 4).into_bytes()),
        ("pnm of 16 bits", format!("P6\n{} 3\n65535\n", limit / 4).into_bytes()),
    ] {
        refused(
            what,
            " MiB of memory, expected at most 32 MiB for one file (raise memory::set_limit)",
            || open(&bytes),
        );
    }
    let mut bmp = encoded(&DynamicImage::new_rgb8(2, 2), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&9000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&9000_u32.to_le_bytes());
    refused("bmp", "of memory", || open(&bmp));
    let mut gif = encoded(&DynamicImage::new_rgba8(2, 2), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x28, 0x23, 0x28, 0x23]);
    refused("gif", "of memory", || open(&gif));
    // VP8L: 14 bits of width - 1 and of height - 1.
    let mut webp = encoded(&DynamicImage::new_rgba8(2, 2), ImageFormat::WebP);
    let at = webp.windows(4).position(|name| name == b"VP8L").unwrap() + 9;
    webp[at..at + 4].copy_from_slice(&((8999_u32 | 8999 << 14) | 1 << 28).to_le_bytes());
    refused("webp", "", || open(&webp));
    let mut jpeg = encoded(&DynamicImage::new_rgb8(16, 16), ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|mark| mark == [0xff, 0xc0]).unwrap() + 5;
    jpeg[at..at + 4].copy_from_slice(&[0x23, 0x28, 0x23, 0x28]);
    refused("jpeg", "of memory", || open(&jpeg));
    let much = (MAX_PIXELS as f64).sqrt() as u32 + 1;
    refused("png beyond the format's limit", "more than the limit of 300 megapixels", || {
        open(&png(much, much, 8, 2, &[], b""))
    });
}

#[test]
fn what_is_packed_into_a_picture_beside_its_pixels_is_limited() {
    let _turn = turn();
    let zeros = zlib(&vec![0; 200 << 20]);
    let profile = chunk(b"iCCP", &[&b"a\0\0"[..], &zeros].concat());
    let text = chunk(b"zTXt", &[&b"a\0\0"[..], &zeros].concat());
    let row = [0; 4];
    for (what, further) in [("profile", &profile), ("text", &text)] {
        let bytes = png(1, 1, 8, 2, std::slice::from_ref(further), &row);
        let _ = held(what, || open(&bytes));
    }
    let bomb = png(1, 1, 8, 2, &[], &vec![0; 200 << 20]);
    let _ = held("more pixels than the header says", || open(&bomb));
}

/// A TIFF of one directory with these entries: tag, type, number of values and value.
fn tiff(entries: &[(u16, u16, u32, u32)], behind: usize) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()]
                .concat(),
        );
    }
    bytes.extend(vec![0; 4 + behind]);
    bytes
}

#[test]
fn tiffs_are_held_by_samples_strips_and_tags() {
    let _turn = turn();
    let base = |width: u32, height: u32, samples: u32| {
        vec![
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, 8),
            (259, 3, 1, 8),
            (262, 3, 1, 2),
            (273, 4, 1, 8),
            (277, 3, 1, samples),
            (278, 4, 1, height),
            (279, 4, 1, 8),
        ]
    };
    refused("many samples", "of memory", || open(&tiff(&base(1400, 1400, 16), 0)));
    let mut tiles = base(10, 10, 3);
    tiles.extend([(322, 4, 1, 4000), (323, 4, 1, 4000), (324, 4, 1, 8), (325, 4, 1, 8)]);
    refused("a large tile", "of memory", || open(&tiff(&tiles, 0)));
    for tag in [258_u16, 273, 279, 320, 338, 339] {
        let mut entries = base(10, 10, 3);
        entries.retain(|entry| entry.0 != tag);
        // Values of one byte, each of which is a number of eight.
        entries.push((tag, 1, 20 << 20, 8));
        let bytes = tiff(&entries, 20 << 20);
        let _ = held(&format!("tag {tag}"), || open(&bytes));
    }
}

fn npy(kind: &str, fortran: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

#[test]
fn arrays_are_held_by_what_their_header_claims() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let most = LIMIT / 16;
    for (kind, width) in [("<f4", 4), ("<f2", 2), ("<f8", 8), ("|u1", 1)] {
        for fortran in ["False", "True"] {
            let sound = file(
                &folder,
                "a.npy",
                &npy(kind, fortran, &format!("{}, 2", most / 4), &vec![0; most / 2 * width]),
            );
            held(&format!("{kind} {fortran}"), || read_array(&sound)).unwrap();
        }
        let claims = file(&folder, "b.npy", &npy(kind, "False", "90000, 900", &[0; 8]));
        refused(kind, "of memory", || read_array(&claims));
    }
    let large = folder.path().join("large.npy");
    std::fs::File::create(&large).unwrap().set_len(2 * LIMIT as u64).unwrap();
    refused("a large file", "of memory", || read_array(&large));
}

#[test]
fn archives_are_held_by_their_tables_and_their_arrays() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    // A table of entries without the entries: 46 bytes and a name each.
    let entry = [&b"PK\x01\x02"[..], &[0; 24], &1_u16.to_le_bytes(), &[0; 16], b"a"].concat();
    let table = entry.repeat(60_000);
    let end = [
        &b"PK\x05\x06"[..],
        &[0; 4],
        &60_000_u16.to_le_bytes().repeat(2),
        &(table.len() as u32).to_le_bytes(),
        &[0; 6],
    ];
    let path = file(&folder, "table.npz", &[table, end.concat()].concat());
    refused("a long table", "of memory", || Npz::open(&path));

    let path = folder.path().join("bomb.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    archive.start_file("input.npy", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&npy("<f4", "False", "100000, 1000", &vec![0; 100 << 20])).unwrap();
    archive.finish().unwrap();
    refused("a bomb", "of memory", || {
        held("its table", || Npz::open(&path)).unwrap().array("input", |_| Ok(()))
    });
}

#[test]
fn masks_are_held_by_their_pixels() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "mask.png", &png(9000, 9000, 1, 0, &[], b""));
    refused("a mask", "of memory", || ClassMask::open(&path));
    let side = (LIMIT as f64 / 12.0).sqrt() as u32 - 1;
    let rows = vec![0; (side as usize * 2 + 1) * side as usize];
    let path = file(&folder, "wide.png", &png(side, side, 16, 0, &[], &rows));
    held("a wide mask", || ClassMask::open(&path)).unwrap();
}
