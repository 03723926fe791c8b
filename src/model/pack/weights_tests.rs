//! Values as they are read, verified, and replaced.

use super::super::{Pack, write};
use super::*;

fn tensor(name: &str, dtype: DType, count: usize, bytes: Vec<u8>) -> StoredTensor {
    StoredTensor::new(name, dtype, vec![count], bytes)
}

/// More values than fit into the buffer, exact in every format.
fn numbers() -> Vec<f32> {
    (0..BATCH + 1234).map(|at| (at % 251) as f32 * 0.5 - 60.0).collect()
}

#[test]
fn every_width_gives_the_same_floats_from_open_and_replaced_files() {
    let numbers = numbers();
    let bytes = |each: fn(&f32) -> Vec<u8>| numbers.iter().flat_map(each).collect::<Vec<u8>>();
    let stored = [
        ("single", DType::F32, bytes(|x| x.to_le_bytes().into())),
        ("half", DType::F16, bytes(|x| half::f16::from_f32(*x).to_le_bytes().into())),
        ("brain", DType::BF16, bytes(|x| half::bf16::from_f32(*x).to_le_bytes().into())),
        ("double", DType::F64, bytes(|x| f64::from(*x).to_le_bytes().into())),
    ];
    let tensors = stored.map(|(name, dtype, bytes)| tensor(name, dtype, numbers.len(), bytes)).to_vec();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.bpk");
    write(&path, "{}", tensors, false).unwrap();
    let weights = Pack::open(&path).unwrap().weights().unwrap();
    // A replaced file under the same name must not be read.
    write(&path, "{}", vec![], true).unwrap();
    for name in ["single", "half", "brain", "double"] {
        assert!(weights.floats(name).unwrap() == (numbers.clone(), vec![numbers.len()]), "{name}");
    }
    assert!(weights.floats("triple").unwrap_err().to_string().contains("'triple' is missing"));
    let whole = weights.into_tensors().remove("half").unwrap();
    assert_eq!(whole.to_bytes().unwrap().len(), 2 * numbers.len());
}

#[test]
fn values_in_memory_take_the_place_of_stored_ones_of_the_same_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.bpk");
    let stored = ["a", "b"].map(|name| StoredTensor::floats(name, vec![2], vec![1.0, 2.0])).to_vec();
    write(&path, "{}", stored, false).unwrap();
    let weights = Pack::open(&path).unwrap().weights().unwrap();
    let with = |name: &str, values: &[f32]| BTreeMap::from([(name.to_owned(), values.to_vec())]);
    let changed = weights.clone().replacing(with("a", &[3.0, 4.0])).unwrap();
    assert_eq!(changed.floats("a").unwrap(), (vec![3.0, 4.0], vec![2]));
    assert_eq!(changed.floats("b").unwrap(), (vec![1.0, 2.0], vec![2]));
    let again = changed.replacing(with("b", &[5.0, 6.0])).unwrap();
    assert_eq!(again.floats("a").unwrap().0, [3.0, 4.0]);
    let bytes = again.into_tensors().remove("b").unwrap().to_bytes().unwrap().into_owned();
    assert_eq!(bytes, [5.0_f32, 6.0].map(f32::to_le_bytes).concat());
    assert_eq!(weights.floats("a").unwrap().0, [1.0, 2.0]);
    for (name, values) in [("c", &[1.0, 1.0][..]), ("a", &[1.0][..]), ("a", &[1.0, f32::NAN][..])] {
        let error = weights.clone().replacing(with(name, values)).unwrap_err().to_string();
        assert!(error.contains(&format!("tensor '{name}'")), "{error}");
    }
}

#[test]
fn a_file_cut_short_after_its_check_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.bpk");
    write(&path, "{}", vec![tensor("a", DType::F32, 512, vec![0; 2048])], false).unwrap();
    let weights = Pack::open(&path).unwrap().weights().unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(300).unwrap();
    let error = weights.floats("a").unwrap_err().to_string();
    assert!(error.contains("tensor 'a' cannot be read") && error.contains("in the meantime"), "{error}");
}

/// A file of two tensors in which the byte at `at` of the values of `b`, the second, is flipped.
fn damaged(path: &std::path::Path, at: usize) {
    let [a, b] = [3_u8, 7].map(|value| vec![value; 4 * BATCH]);
    let tensors = vec![tensor("a", DType::F32, BATCH, a), tensor("b", DType::F32, BATCH, b)];
    write(path, "{}", tensors, true).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let first = bytes.windows(8).position(|eight| eight == [7; 8]).unwrap();
    bytes[first + at] ^= 0xff;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_flipped_bit_is_found_before_a_value_is_given_or_when_the_reader_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.bpk");
    damaged(&path, 1000);
    let pack = Pack::open(&path).unwrap();
    let damage = |error: Error| assert!(error.to_string().contains("is damaged: its checksum"), "{error}");
    damage(pack.weights().unwrap_err());
    // The damage is in the other tensor.
    damage(pack.lazy_weights().floats("a").unwrap_err());
    for read in [&["a"][..], &["b"], &["a", "b", "a"], &[]] {
        let weights = Pack::open(&path).unwrap().lazy_weights();
        let ahead = weights.ahead();
        for name in read {
            assert_eq!(ahead.floats(name).unwrap().0.len(), BATCH);
        }
        damage(ahead.verify().unwrap_err());
        damage(weights.floats("a").unwrap_err());
    }
    // What makes a number infinite is damage first.
    damaged(&path, 3);
    let mut bytes = std::fs::read(&path).unwrap();
    let first = bytes.windows(3).position(|three| three == [7, 7, 7]).unwrap();
    bytes[first..first + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    damage(Pack::open(&path).unwrap().lazy_weights().ahead().floats("b").unwrap_err());
}

#[test]
fn what_was_read_ahead_is_not_read_again_to_be_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.bpk");
    let tensors =
        vec![tensor("a", DType::F32, BATCH, vec![0; 4 * BATCH]), tensor("b", DType::F16, 8, vec![1; 16])];
    write(&path, "{}", tensors, false).unwrap();
    let weights = Pack::open(&path).unwrap().lazy_weights();
    let ahead = weights.ahead();
    for name in ["a", "b"] {
        ahead.floats(name).unwrap();
    }
    // Nothing is left to read.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1).unwrap();
    weights.verify().unwrap();
    assert!(weights.floats("a").unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn one_number_that_is_not_finite_is_found_anywhere() {
    let mut numbers = numbers();
    assert!(all_finite(&numbers));
    for at in [0, 1023, 1024, numbers.len() - 1] {
        let sound = std::mem::replace(&mut numbers[at], f32::NEG_INFINITY);
        assert!(!all_finite(&numbers));
        numbers[at] = sound;
    }
}

#[test]
fn weights_may_be_kept_and_shared() {
    fn may<T: Send + Sync + 'static>() {}
    may::<Weights>();
}
