//! burncam's reader and writer of packs against Burn's: the same bytes, the same tensors, the same files refused.

use std::path::{Path, PathBuf};

use burn_pack::{Bytes, DType as Burns, Reader, Scalar, Tensor, Writer};
use burncam::Model;
use burncam_graph::card::Card;
use burncam_model::{DType, StoredTensor};
use proptest::prelude::*;

use super::{NODES, burn_tensor};
use crate::support::{card, fixture};

/// A tensor as both sides write it: name, our type, Burn's type, shape and bytes.
type Written = (&'static str, DType, Burns, Vec<usize>, Vec<u8>);

/// Values of each type that both sides write.
fn tensors() -> Vec<Written> {
    let bytes = |count: u8| (0..count).collect::<Vec<u8>>();
    vec![
        ("conv.weight", DType::F32, Burns::F32, vec![2, 1, 1, 1], bytes(8)),
        ("double", DType::F64, Burns::F64, vec![3], bytes(24)),
        ("flexible", DType::Flex32, Burns::Flex32, vec![1], bytes(4)),
        ("half", DType::F16, Burns::F16, vec![1, 3], bytes(6)),
        ("brain", DType::BF16, Burns::BF16, vec![129], bytes(129).repeat(2)),
        ("none", DType::F32, Burns::F32, vec![0, 7], vec![]),
        ("scalar", DType::I64, Burns::I64, vec![], bytes(8)),
        ("i32", DType::I32, Burns::I32, vec![2], bytes(8)),
        ("i16", DType::I16, Burns::I16, vec![2], bytes(4)),
        ("i8", DType::I8, Burns::I8, vec![2], bytes(2)),
        ("u64", DType::U64, Burns::U64, vec![2], bytes(16)),
        ("u32", DType::U32, Burns::U32, vec![2], bytes(8)),
        ("u16", DType::U16, Burns::U16, vec![2], bytes(4)),
        (
            "a name longer than 24 bytes, and with ü",
            DType::U8,
            Burns::U8,
            vec![256],
            bytes(255).repeat(2)[..256].to_vec(),
        ),
    ]
}

/// The tensors as Burn's, all with this number of a parameter.
fn burns(number: Option<u64>) -> Vec<Tensor> {
    let tensor = |(name, _, dtype, shape, bytes): Written| {
        Tensor::new(name.into(), dtype, shape, number, Bytes::from_bytes_vec(bytes))
    };
    tensors().into_iter().map(tensor).collect()
}

/// A pack of the tensors as burncam writes it, in a folder.
fn own(folder: &Path) -> PathBuf {
    let path = folder.join("own.bpk");
    let tensor = |(name, dtype, _, shape, bytes): Written| StoredTensor::new(name, dtype, shape, bytes);
    Model::save(&path, &cards(), tensors().into_iter().map(tensor).collect(), false).unwrap();
    path
}

fn read(path: &Path) -> Vec<Tensor> {
    Reader::from_file_exact(path).unwrap().into_tensors().unwrap()
}

fn cards() -> Card {
    card(2, 2, NODES, "flat")
}

/// Two channels and their card, as burncam writes them.
fn small(path: &Path) {
    let weight = StoredTensor::floats("conv.weight", vec![2, 1, 1, 1], vec![1.0, -1.0]);
    Model::save(path, &cards(), vec![weight], true).unwrap();
}

#[test]
fn both_write_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = own(folder.path());
    let reader = Reader::from_file_exact(&path).unwrap();
    let writer = reader
        .metadata()
        .iter()
        .fold(Writer::new(burns(None)), |writer, (key, text)| writer.with_metadata(key, text));
    assert_eq!(reader.metadata().len(), 2);
    assert!(writer.into_bytes().unwrap()[..] == std::fs::read(&path).unwrap());
}

#[test]
fn burn_reads_what_burncam_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = own(folder.path());
    let mut found = read(&path);
    let mut expected = tensors();
    expected.sort_by_key(|(name, ..)| *name);
    assert_eq!(found.len(), expected.len());
    for (tensor, (name, _, dtype, shape, bytes)) in found.drain(..).zip(expected) {
        assert_eq!((&*tensor.name, tensor.dtype, tensor.shape.to_vec()), (name, dtype, shape));
        assert_eq!(tensor.into_bytes().unwrap()[..], bytes);
    }
}

/// Numbers of parameters, scalars and quantised tensors are Burn's own; the first stay when a card is replaced.
#[test]
fn burncam_reads_what_burn_writes_and_keeps_it_under_another_card() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["burns.bpk", "copy.bpk"].map(|name| folder.path().join(name));
    let mut burns = burns(Some(7));
    let write = |tensors: Vec<Tensor>| {
        let writer = Writer::new(tensors).with_metadata("burncam", &cards().to_json().unwrap());
        writer.with_scalar("step", Scalar::from(3_u32)).write_to_file(&path).unwrap();
    };
    write(burns.clone());
    Model::open(&path, None).unwrap().with_card(&copy, &cards()).unwrap();
    for (before, after) in read(&path).into_iter().zip(read(&copy)) {
        assert_eq!((&before.name, before.dtype, &before.shape), (&after.name, after.dtype, &after.shape));
        assert_eq!((before.param_id, after.param_id), (Some(7), Some(7)));
        assert!(before.into_bytes().unwrap() == after.into_bytes().unwrap());
    }

    burns.push(Tensor::new(
        "q".into(),
        Burns::QFloat(Default::default()),
        vec![8],
        None,
        Bytes::from_bytes_vec(vec![0; 12]),
    ));
    write(burns);
    let model = Model::open(&path, None).unwrap();
    assert_eq!(model.element_types()["qfloat(quantised)"], 1);
    let error = model.with_card(&copy, &cards()).unwrap_err().to_string();
    assert!(error.contains("quantised tensors are not written"), "{error}");
}

#[test]
fn the_models_of_this_repository_keep_their_tensors_when_they_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.bpk");
    for name in ["efficientnet_lite0", "squeezenet1_1"] {
        let path = fixture("models").join(name).with_extension("bpk");
        let model = Model::open(&path, None).unwrap();
        model.with_card(&copy, model.card()).unwrap();
        let (before, after) = (read(&path), read(&copy));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.into_iter().zip(after) {
            assert_eq!((&before.name, before.dtype, &before.shape), (&after.name, after.dtype, &after.shape));
            assert!(before.into_bytes().unwrap() == after.into_bytes().unwrap());
        }
    }
}

/// A change to a file: bytes replaced, removed or inserted.
#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, u8),
}

impl Damage {
    /// Without removed or inserted bytes.
    fn in_place() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        prop_oneof![
            4 => (at(), any::<u8>()).prop_map(|(at, byte)| Self::Set(at, byte)),
            4 => (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            1 => at().prop_map(Self::Cut),
        ]
    }

    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        prop_oneof![
            8 => Self::in_place(),
            1 => at().prop_map(Self::Remove),
            1 => (at(), any::<u8>()).prop_map(|(at, byte)| Self::Insert(at, byte)),
        ]
    }

    /// Most damage is to be in the description of the tensors, where a reader decides most.
    fn apply(&self, bytes: &mut Vec<u8>, head: usize) {
        let within = head.min(bytes.len());
        if within == 0 {
            return;
        }
        match self {
            Self::Set(at, byte) => bytes[at.index(within)] = *byte,
            Self::Flip(at, bit) => bytes[at.index(within)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Remove(at) => drop(bytes.remove(at.index(within))),
            Self::Insert(at, byte) => bytes.insert(at.index(within), *byte),
        }
    }
}

/// A plain pack of a few tensors, as Burn writes it, so that most of it is descriptions.
fn plain() -> Vec<u8> {
    let tensors = vec![
        burn_tensor("conv.weight", &[2, 1, 1, 1], &[1.0, -1.0]),
        burn_tensor("b", &[1], &[0.0]),
        burn_tensor("c", &[0], &[]),
    ];
    Writer::new(tensors).with_metadata("k", "v").into_bytes().unwrap().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn both_refuse_the_same_damaged_files(damages in prop::collection::vec(Damage::any(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let [pack, spec] = ["net.bpk", "net.json"].map(|name| folder.path().join(name));
        let mut bytes = plain();
        let head = 10 + u32::from_le_bytes(bytes[6..10].try_into().unwrap()) as usize;
        damages.iter().for_each(|damage| damage.apply(&mut bytes, head));
        std::fs::write(&pack, &bytes).unwrap();
        std::fs::write(&spec, cards().to_json().unwrap()).unwrap();
        let burns = Reader::from_file_exact(&pack).and_then(Reader::into_tensors);
        // What Burn can read may still lack a tensor of the card.
        let own = Model::open(&pack, None).map_err(|error| error.to_string());
        let is_read = !own.as_ref().is_err_and(|error| error.contains("is not a readable burnpack file"));
        prop_assert_eq!(burns.is_ok(), is_read, "{:?} {:?}", burns.err(), own.err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    /// One damage cannot both remove the checksum and change a value.
    #[test]
    fn a_damaged_model_is_refused_or_the_same(damage in Damage::in_place()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.bpk");
        small(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        damage.apply(&mut bytes, usize::MAX);
        std::fs::write(&path, &bytes).unwrap();
        let weights = Model::open(&path, None).and_then(|model| model.weights());
        if let Ok((values, shape)) = weights.and_then(|weights| weights.floats("conv.weight")) {
            prop_assert_eq!((values, shape), (vec![1.0, -1.0], vec![2, 1, 1, 1]));
        }
    }
}
