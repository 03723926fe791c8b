//! Model files cut short, with flipped bits, or with numbers that are none.

use std::path::{Path, PathBuf};

use burncam::{Explainer, Explanation, Model, Picture, Request, Subject};
use burncam_graph::card::Card;
use burncam_model::{DType, StoredTensor};

use super::cards::sound;
use super::{seeded, squeezenet};
use crate::support::{fixture, tensor};

/// Bytes of a model file, and where its tensors' bytes begin: `src/model/pack/format.rs` has the layout.
fn model_bytes() -> (Vec<u8>, usize) {
    let bytes = std::fs::read(squeezenet()).unwrap();
    let size = u32::from_le_bytes(bytes[6..10].try_into().unwrap()) as usize;
    let data = (10 + size).div_ceil(256) * 256;
    assert!(data < bytes.len());
    (bytes, data)
}

fn load(path: &Path) -> burncam::Result<Explainer> {
    Explainer::new(Model::open(path, None)?, Request::default())
}

fn explain(explainer: &Explainer) -> Explanation {
    let picture = Picture::open(&fixture("images/odd/rgb.png"), [255; 3]).unwrap();
    explainer
        .explain(&Subject::from_picture(picture, "rgb.png", explainer.model()).unwrap())
        .unwrap()
        .remove(0)
}

#[test]
fn a_model_cut_short_anywhere_is_refused() {
    let (bytes, data) = model_bytes();
    let path = tempfile::tempdir().unwrap().keep_as("cut.bpk");
    let edges = [0, 1, 4, 9, 10, 11, 256, data - 256, data - 1, data, data + 1, bytes.len() - 1];
    for length in edges.into_iter().chain(seeded(24).map(|number| number % bytes.len())) {
        std::fs::write(&path.file, &bytes[..length]).unwrap();
        let error =
            load(&path.file).err().unwrap_or_else(|| panic!("{length} bytes were accepted")).to_string();
        assert!(error.contains("cut.bpk") && error.lines().count() == 1, "{length}: {error}");
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let (mut bytes, data) = model_bytes();
    let path = tempfile::tempdir().unwrap().keep_as("flipped.bpk");
    let expected = explain(&load(&squeezenet()).unwrap());
    let header = (0..10 * 8).step_by(3);
    let metadata = seeded(120).map(|number| number % (data * 8));
    let tensors = seeded(40).map(|number| data * 8 + number % ((bytes.len() - data) * 8));
    let bits: Vec<usize> = header.chain(metadata).chain(tensors).collect();
    let mut refused = 0;
    for bit in &bits {
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path.file, &bytes).unwrap();
        match load(&path.file) {
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(!text.contains("internal error"), "bit {bit}: {text}");
            }
            Ok(explainer) => {
                assert!(explain(&explainer) == expected, "bit {bit} changed the result in silence");
            }
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(refused * 10 > bits.len() * 8, "only {refused} of {} flips were seen", bits.len());
}

#[test]
fn weights_that_are_no_sound_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.bpk");
    let card = Card::from_json(&sound().to_string()).unwrap();
    let mut weight = vec![0.5; 4 * 3 * 3 * 3];
    weight[17] = f32::NAN;
    Model::save(&path, &card, vec![tensor("weight", &[4, 3, 3, 3], &weight)], true).unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("'weight' holds numbers that are not finite"), "{error}");

    let integers = StoredTensor::new("weight", DType::I8, vec![4, 3, 3, 3], vec![1; 4 * 3 * 3 * 3]);
    Model::save(&path, &card, vec![integers], true).unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("'weight' has element type I8, expected f32"), "{error}");
}

/// A file in a directory that goes away with it.
struct Place {
    file: PathBuf,
    _directory: tempfile::TempDir,
}

trait KeepAs {
    fn keep_as(self, name: &str) -> Place;
}

impl KeepAs for tempfile::TempDir {
    fn keep_as(self, name: &str) -> Place {
        Place { file: self.path().join(name), _directory: self }
    }
}
