//! Archives as `numpy.savez` writes them, and malformed ones.

use std::io::Write as _;

use npyz::WriterBuilder as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

fn npy(shape: &[u64], values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    bytes
}

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ZipWriter::new(file.as_file_mut());
    for (name, bytes) in members {
        writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    file
}

fn problem(file: &tempfile::NamedTempFile, array: &str) -> String {
    let error = Npz::open(file.path()).and_then(|mut npz| npz.array(array, |_| Ok(()))).unwrap_err();
    error.to_string().replace(&file.path().display().to_string(), "x.npz")
}

#[test]
fn stored_and_deflated_arrays_are_read() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let file = archive(&[("a.npy", &npy(&[2, 2], &[1.0, 2.0, 3.0, 4.0])), ("b.npy", b"")], method);
        let mut npz = Npz::open(file.path()).unwrap();
        assert!(npz.has("a") && !npz.has("c"));
        assert_eq!(npz.names(), "a, b");
        let array = npz.array("a", |shape| if shape == [2, 2] { Ok(()) } else { Err("no".into()) }).unwrap();
        assert_eq!(array, Array { shape: vec![2, 2], values: vec![1.0, 2.0, 3.0, 4.0] });
        let error = npz.array("a", |_| Err("is not liked".into())).unwrap_err().to_string();
        assert!(error.ends_with("': array 'a' is not liked"), "{error}");
    }
}

#[test]
fn what_is_no_archive_or_is_damaged_is_refused() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"0.5 0.5").unwrap();
    assert!(problem(&file, "a").starts_with("reference 'x.npz': is not a sound .npz archive: "));

    let bytes = npy(&[2], &[1.0, 2.0]);
    let file = archive(&[("a.npy", &bytes)], CompressionMethod::Stored);
    assert!(problem(&file, "b").starts_with("reference 'x.npz': array 'b' cannot be read: "));

    let mut whole = std::fs::read(file.path()).unwrap();
    let at = whole.windows(4).position(|four| four == 2.0_f32.to_le_bytes()).unwrap();
    whole[at + 2] ^= 0x40;
    std::fs::write(file.path(), whole).unwrap();
    assert!(problem(&file, "a").contains("array 'a'"));
    assert!(problem(&file, "a").contains("checksum"), "{}", problem(&file, "a"));
}

#[test]
fn an_array_that_lies_is_refused() {
    let sound = npy(&[4], &[1.0, 2.0, 3.0, f32::NAN]);
    let nested = [b"\x93NUMPY\x01\x00\xe8\x03".as_slice(), &[b'('; 1000]].concat();
    let long = b"\x93NUMPY\x02\x00\xf0\xff\xff\xff".to_vec();
    let members: [(&str, &[u8]); 5] = [
        ("cut.npy", &sound[..sound.len() - 6]),
        ("nan.npy", &sound),
        ("nested.npy", &nested),
        ("long.npy", &long),
        ("text.npy", b"hello"),
    ];
    let file = archive(&members, CompressionMethod::Deflated);
    assert!(problem(&file, "cut").ends_with("ends before its last number (is it whole?)"));
    assert!(problem(&file, "nan").ends_with("the value at [3] is NaN, expected finite numbers"));
    assert!(problem(&file, "nested").contains("1000 brackets"));
    assert!(problem(&file, "long").contains("claims 4294967280 bytes"));
    assert!(problem(&file, "text").contains("not a sound .npy file"));
}
