//! Damaged files: every error is an error, nothing panics, and nothing asks for more memory than the file has.

use std::path::PathBuf;

use super::{Hdf5, Object, Store};
use crate::error::Problem;

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/keras").join(name);
    std::fs::read(path).unwrap()
}

/// Reads everything in a file; gives the number of values and of texts.
fn read_all(bytes: Vec<u8>) -> Result<[usize; 2], Problem> {
    let file = Hdf5::open(Store::of_memory(bytes))?;
    let mut open: Vec<(Object, usize)> = vec![(Object::root(&file)?, 0)];
    let mut counts = [0; 2];
    while let Some((object, depth)) = open.pop() {
        counts[1] += object.texts("weight_names")?.map_or(0, |texts| texts.len());
        counts[1] += object.text("model_config")?.map_or(0, |text| usize::from(text.starts_with('{')));
        let children = object.children()?;
        if children.is_empty() {
            counts[0] += object.array().map_or(0, |array| array.values.len());
        }
        for address in children.values().filter(|_| depth < 8) {
            open.push((object.at(*address)?, depth + 1));
        }
    }
    Ok(counts)
}

#[test]
fn both_generations_of_the_format_have_the_same_content() {
    let old = read_all(fixture("convolutions_h5.h5")).unwrap();
    let new = read_all(fixture("ordered_format.h5")).unwrap();
    assert!(old[0] > 1000 && old[1] > 10, "{old:?}");
    // The long list of names is split in the newer file, under names that are not asked for here.
    assert_eq!(old[0], new[0]);
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    for name in ["convolutions_h5.h5", "ordered_format.h5"] {
        let bytes = fixture(name);
        for length in (0..bytes.len() - 64).step_by(211) {
            assert!(read_all(bytes[..length].to_vec()).is_err(), "{name} of {length} bytes was read");
        }
    }
}

#[test]
fn a_file_with_wrong_bytes_does_no_harm() {
    // Xorshift; the seed is any number.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut read = 0;
    for name in ["convolutions_h5.h5", "ordered_format.h5", "new_format.h5"] {
        let whole = fixture(name);
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = [0, 1, 0x7f, 0xff, random(256) as u8][random(5)];
            }
            read += usize::from(read_all(bytes).is_ok());
        }
    }
    // Most bytes are values, which may be any.
    assert!(read > 100, "{read}");
}
