//! References of another framework that do not fit, are damaged, or unpack to far more than they are.

use std::ffi::OsString;
use std::io::Write as _;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::cards::small_pack;
use super::{args, run_limited};
use crate::check::{npy, npz};

/// A `.npy` header that promises `shape`, and `data` behind it.
fn promised(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn a_reference_that_is_wrong_ends_with_one_and_one_that_is_unusable_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_pack(folder.path());
    let input = npy(&[1, 3, 16, 16], &[0.5; 768]);
    let path = npz(folder.path(), &[("input", input), ("logits", npy(&[1, 4], &[1.0, 2.0, 3.0, 4.0]))]);
    let run = run_limited(args!["check", model.clone(), "--reference", path.clone()]);
    let text = String::from_utf8(run.stdout.clone()).unwrap();
    assert_eq!(run.code, Some(1), "{run:?}\n{text}");
    assert!(text.contains("\nreference       FAILED  "), "{text}");
    assert!(text.ends_with("6 checks: 5 passed, 1 FAILED\n"), "{text}");

    let run = run_limited(args!["check", model, "--reference", path, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(run.code, Some(1));
    assert_eq!(report["passed"], false);
    assert_eq!(report["reference"][0]["status"], "failed");
    assert_eq!(report["folding"]["status"], "ok");
}

#[test]
fn a_reference_that_does_not_fit_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_pack(folder.path());
    let input = || ("input", npy(&[1, 3, 16, 16], &[0.5; 768]));
    let logits = || ("logits", npy(&[1, 4], &[1.0; 4]));
    let header = |kind, shape| promised(kind, shape, &[0; 64]);
    let sound = npy(&[1, 3, 16, 16], &[0.5; 768]);
    let nested = [b"\x93NUMPY\x01\x00\x00\x20".as_slice(), &[b'['; 0x2000]].concat();
    let bad = [
        ("no output", vec![input()], "holds input, expected an array 'input' and one of"),
        ("no input", vec![logits()], "holds logits, expected an array 'input'"),
        ("nothing", vec![], "holds nothing, expected"),
        ("odd names", vec![("in\x1b[2Jput", vec![]), logits()], r"holds in\u{1b}[2Jput, logits"),
        ("wrong shape", vec![("input", npy(&[1, 3, 8, 8], &[0.5; 192])), logits()], "has shape [1, 3, 8, 8]"),
        (
            "classes",
            vec![input(), ("logits", npy(&[1, 5], &[1.0; 5]))],
            "expected [1, 4], pictures and classes",
        ),
        ("pictures", vec![input(), ("output", npy(&[2, 4], &[1.0; 8]))], "has shape [2, 4], expected [1, 4]"),
        ("probabilities", vec![input(), ("probabilities", npy(&[1, 4], &[0.25; 4]))], "store 'logits'"),
        ("text", vec![("input", header("<U4", "1, 3, 16, 16")), logits()], "type '<U4'"),
        ("complex", vec![("input", header("<c8", "1, 3, 16, 16")), logits()], "type '<c8'"),
        ("objects", vec![("input", header("|O", "1, 3, 16, 16")), logits()], "array 'input' cannot be read"),
        ("cut short", vec![("input", sound[..900].to_vec()), logits()], "ends before its last number"),
        ("not npy", vec![("input", b"hello".to_vec()), logits()], "not a sound .npy file"),
        ("nested", vec![("input", nested), logits()], "8192 brackets"),
        ("not finite", vec![input(), ("logits", npy(&[1, 4], &[f32::NAN; 4]))], "is NaN, expected finite"),
        ("absurd", vec![("input", header("<f4", "99999999, 3, 16, 16")), logits()], "more than 2048 MiB"),
    ];
    let mut wrong = Vec::new();
    for (what, arrays, part) in bad {
        let path = npz(folder.path(), &arrays);
        let run = run_limited(args!["check", "-q", model.clone(), "--reference", path]);
        if !run.is_refusal(2) || !run.stderr.contains(part) {
            wrong.push(format!("{what}: {run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_damaged_archive_is_refused_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_pack(folder.path());
    let path = npz(
        folder.path(),
        &[("input", npy(&[1, 3, 16, 16], &[0.5; 768])), ("logits", npy(&[1, 4], &[1.0; 4]))],
    );
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 1, 30, whole.len() / 2, whole.len() - 30, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let run = run_limited(args!["check", "-q", model.clone(), "--reference", path.clone()]);
        assert!(run.is_refusal(2) && run.stderr.contains("is not a sound .npz archive"), "{length}: {run:?}");
    }
    let run = run_limited(args!["check", "-q", model, "--reference", folder.path()]);
    assert!(run.is_refusal(2) && run.stderr.contains("is not a file"), "{run:?}");
}

#[test]
fn what_unpacks_to_gigabytes_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_pack(folder.path());
    let path = folder.path().join("bomb.npz");
    let mut writer = ZipWriter::new(std::fs::File::create(&path).unwrap());
    let zeros = vec![0; 1 << 20];
    for name in ["input.npy", "logits.npy"] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        // Sound to the last of the numbers that it promises, with a gigabyte behind them.
        let (shape, numbers) = if name == "input.npy" { ("1, 3, 16, 16", 768) } else { ("1, 4", 4) };
        writer.write_all(&promised("<f4", shape, &vec![0; numbers * 4])).unwrap();
        for _ in 0..1024 {
            writer.write_all(&zeros).unwrap();
        }
    }
    writer.finish().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 4 << 20);
    let run = run_limited(args!["check", model, "--reference", path]);
    assert!(run.is_orderly(), "{run:?}");
}
