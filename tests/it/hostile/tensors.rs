//! NumPy files with false headers.

use std::ffi::OsString;

use super::cards::small_pack;
use super::{args, run_limited};

/// A `.npy` file from its header's words and its bytes.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    bytes.extend(data);
    bytes
}

fn header(kind: &str, shape: &str) -> String {
    format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}")
}

#[test]
fn a_tensor_that_does_not_fit_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let floats = |value: f32| value.to_le_bytes().repeat(3 * 16 * 16);
    let sound = npy(&header("<f4", "1, 3, 16, 16"), &floats(0.5));
    let mut one_nan = sound.clone();
    let last = one_nan.len() - 4;
    one_nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(0xFFFF_FFF0_u32.to_le_bytes());
    let bad = [
        ("empty", vec![], "the file is empty"),
        ("text", b"0.5 0.5 0.5".to_vec(), "not a sound .npy file"),
        (
            "another shape",
            npy(&header("<f4", "1, 3, 8, 8"), &floats(0.5)),
            "has shape [1, 3, 8, 8], expected [3, 16, 16]",
        ),
        ("channels last", npy(&header("<f4", "16, 16, 3"), &floats(0.5)), "is its layout channels-last?"),
        ("two at once", npy(&header("<f4", "2, 3, 16, 16"), &floats(0.5)), "save one picture a file"),
        ("no axes", npy(&header("<f4", ""), &floats(0.5)), "has shape []"),
        ("a shape that wraps", npy(&header("<f4", "4294967296, 4294967296, 4294967296"), &[]), "has shape"),
        ("complex numbers", npy(&header("<c8", "1, 3, 16, 16"), &floats(0.5)), "type '<c8'"),
        ("booleans", npy(&header("|b1", "1, 3, 16, 16"), &floats(0.5)), "type '|b1'"),
        ("text cells", npy(&header("<U4", "1, 3, 16, 16"), &floats(0.5)), "type '<U4'"),
        ("objects", npy(&header("|O", "1, 3, 16, 16"), &floats(0.5)), "image '"),
        ("a number that is none", one_nan, "the value at [0, 2, 15, 15] is NaN"),
        ("infinity", npy(&header("<f4", "1, 3, 16, 16"), &floats(f32::INFINITY)), "is inf, expected finite"),
        ("cut short", sound[..sound.len() - 5].to_vec(), "ends before its last number"),
        ("a false header", long_header, "not a sound .npy file"),
        ("a header cut short", sound[..40].to_vec(), "not a sound .npy file"),
    ];
    let model = small_pack(folder.path());
    let path = folder.path().join("x.npy");
    std::fs::write(&path, &sound).unwrap();
    let explain =
        || run_limited(args!["explain", "-m", model.clone(), path.clone(), "-q", "--json", "-o", "-"]);
    assert_eq!(explain().code, Some(0));
    let mut wrong = Vec::new();
    for (what, bytes, part) in bad {
        std::fs::write(&path, bytes).unwrap();
        let run = explain();
        if !run.stderr.contains(part)
            || run.code != Some(1)
            || run.stderr.lines().filter(|line| !line.contains("WARN")).count() != 1
        {
            wrong.push(format!("{what}: {run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
