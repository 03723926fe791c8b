//! Tests of the pack format against files that are written out byte by byte.

use std::path::Path;

use super::super::tensor::Quantised;
use super::*;

/// One tensor `w` of one number, and one text.
const METADATA: &[u8] =
    b"\xa2\x67tensors\xa1\x61w\xa3\x65dtype\x63F32\x65shape\x81\x01\x6cdata_offsets\x82\x00\x04\
    \x68metadata\xa1\x61k\x61v";

/// A file with this description and `count` bytes of tensors.
fn file(metadata: &[u8], count: usize) -> Vec<u8> {
    let mut file = [b"NRUB\x01\x00", &(metadata.len() as u32).to_le_bytes()[..], metadata].concat();
    file.resize(file.len().next_multiple_of(256) + count, 0);
    file
}

fn read_bytes(bytes: &[u8]) -> Result<Description, Problem> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bpk");
    std::fs::write(&path, bytes).unwrap();
    read(&Source::open(Path::new(&path)).unwrap())
}

/// The message about a file with this description and four bytes of tensors.
fn refusal(metadata: &[u8]) -> String {
    read_bytes(&file(metadata, 4)).unwrap_err().to_string()
}

/// The description of one tensor, from its fields in CBOR.
fn described(fields: &[u8]) -> Vec<u8> {
    [b"\xa1\x67tensors\xa1\x61w", fields].concat()
}

#[test]
fn a_file_written_out_by_hand_is_read() {
    let Description { metadata, entries } = read_bytes(&file(METADATA, 4)).unwrap();
    assert_eq!(metadata["k"], "v");
    let Entry { dtype, shape, param_id, start, length } = &entries["w"];
    assert_eq!((*dtype, &shape[..], *param_id, *start, *length), (DType::F32, &[1][..], None, 256, 4));
}

#[test]
fn the_same_file_is_written() {
    let tensors = [StoredTensor::floats("w", vec![1], vec![0.0])];
    assert_eq!(lay_out(&tensors, &[("k", "v")]).unwrap(), (file(METADATA, 0), vec![0]));
}

#[test]
fn every_tensor_starts_at_a_multiple_of_256() {
    let of = |name: &str, count| StoredTensor::new(name, DType::U8, vec![count], vec![0; count]);
    let (head, starts) = lay_out(&[of("c", 1), of("a", 256), of("empty", 0), of("b", 257)], &[]).unwrap();
    assert_eq!((head.len() % 256, starts), (0, vec![0, 256, 512, 512]));
}

#[test]
fn tensors_that_cannot_be_written_are_refused() {
    let twice = [(); 2].map(|()| StoredTensor::floats("w", vec![1], vec![0.0]));
    assert_eq!(lay_out(&twice, &[]).unwrap_err().to_string(), "its tensor 'w' occurs twice");
    let short = StoredTensor::new("w", DType::F16, vec![2, 3], vec![0; 11]);
    let error = lay_out(&[short], &[]).unwrap_err().to_string();
    assert_eq!(error, "its tensor 'w' has 11 bytes, expected 12 for F16 [2, 3]");
    let packed = StoredTensor::new("w", DType::QFloat(Quantised), vec![8], vec![0; 8]);
    let error = lay_out(&[packed], &[]).unwrap_err().to_string();
    assert!(error.contains("quantised tensors are not written"), "{error}");
}

#[test]
fn what_is_no_pack_is_refused() {
    let whole = file(METADATA, 4);
    for length in [0, 9, 10, 10 + METADATA.len() - 1] {
        let error = read_bytes(&whole[..length]).unwrap_err().to_string();
        assert_eq!(error, "it is empty or cut short", "{length}");
    }
    let headers: [(&[u8], &str); 3] = [
        (b"BURN\x01\x00\x00\x00\x00\x00", "invalid magic number"),
        (b"NRUB\x02\x00\x00\x00\x00\x00", "its format version is 2, expected at most 1"),
        (b"NRUB\x01\x00\xff\xff\xff\xff", "its metadata has 4294967295 bytes, expected at most 104857600"),
    ];
    for (header, expected) in headers {
        assert_eq!(read_bytes(header).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_description_that_is_not_one_is_refused() {
    assert_eq!(refusal(b""), "its metadata ends too early");
    assert_eq!(refusal(b"\x1c"), "its metadata is not CBOR at byte 0");
    assert_eq!(refusal(b"\xa0"), "its metadata does not fit: missing field `tensors`");
    let error = refusal(&described(b"\xa1\x65dtype\x63F\n2"));
    assert!(error.starts_with("its metadata does not fit: unknown variant `F\\n2`, expected"), "{error}");
    let deep = [b"\xa1\x61x", &[0x81; 1000][..], b"\x00"].concat();
    assert_eq!(refusal(&deep), "its metadata is nested too deeply");
}

#[test]
fn a_tensor_that_is_not_all_in_the_file_is_refused() {
    let placed = |shape: &[u8], offsets: &[u8]| {
        let fields = [b"\xa3\x65dtype\x63F32\x65shape", shape, b"\x6cdata_offsets\x82", offsets].concat();
        refusal(&described(&fields))
    };
    assert_eq!(placed(b"\x81\x02", b"\x00\x04"), "its tensor 'w' has 4 bytes, expected 8 for F32 [2]");
    assert_eq!(placed(b"\x81\x01", b"\x04\x00"), "its tensor 'w' starts at byte 4 and ends at 0");
    assert_eq!(placed(b"\x81\x02", b"\x00\x08"), "its tensor 'w' ends at byte 264, but the file has 260");
    let huge = b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff";
    let error = placed(b"\x81\x00", &[huge, &huge[..]].concat());
    assert_eq!(error, format!("its tensor 'w' starts at byte {0} and ends at {0}", u64::MAX));
    let error = placed(&[b"\x82", &huge[..], huge].concat(), b"\x00\x00");
    let shape = [u64::MAX; 2];
    assert_eq!(
        error,
        format!("its tensor 'w' has 0 bytes, expected more than there can be for F32 {shape:?}")
    );
    let error = placed(b"\x81\x01", b"\x00\x1b\x00\x00\x00\x03\x00\x00\x00\x00");
    assert_eq!(error, "its tensor 'w' has 12884901888 bytes, expected at most 10737418240");
}

#[test]
fn a_quantised_tensor_and_fields_of_newer_versions_are_passed_over() {
    let fields =
        b"\xa4\x65dtype\xa1\x66QFloat\xa1\x61a\x01\x65shape\x81\x03\x6cdata_offsets\x82\x00\x04\x63new\x80";
    let entries = read_bytes(&file(&described(fields), 4)).unwrap().entries;
    assert_eq!((entries["w"].dtype, entries["w"].length), (DType::QFloat(Quantised), 4));
}
