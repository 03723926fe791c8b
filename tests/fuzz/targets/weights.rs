//! Weights without a network: PyTorch's containers, safetensors, records of Burn up to 0.21.

use burncam_graph::card::Card;
use burncam_model::import::{ImportRequest, import};

use super::file;

/// A card whose network has few tensors; the fixtures of old records are of it.
const CARD: &str = include_str!("../../../fixtures/old-records/tiny.card.json");

/// A pickle and a storage, put into an archive as `torch.save` does: the length of the pickle in two bytes, the pickle, the storage.
pub(super) fn pickle(data: &[u8]) {
    let Some((pickle, storage)) = file::parts(data) else { return };
    let members =
        [("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", storage), ("a/data/1", storage)];
    imported("pickle.pth", &file::archive(&members));
}

/// A checkpoint that is an archive.
pub(super) fn pth(data: &[u8]) {
    imported("a.pth", data);
}

/// Pickles and storages in a row, as PyTorch wrote them up to 1.5.
pub(super) fn legacy(data: &[u8]) {
    const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    if data.starts_with(MAGIC) {
        imported("legacy.pth", data);
    } else {
        imported("legacy.pth", &[MAGIC, data].concat());
    }
}

/// A safetensors file, or the header of one, whose length is then put before it.
pub(super) fn safetensors(data: &[u8]) {
    if data.starts_with(b"{") {
        let length = (data.len() as u64).to_le_bytes();
        imported("a.safetensors", &[&length[..], data, &[0; 512]].concat());
    } else {
        imported("a.safetensors", data);
    }
}

/// A record, in the encoding that its first byte says.
pub(super) fn old_record(data: &[u8]) {
    let Some((kind, record)) = data.split_first() else { return };
    let endings = ["mpk", "json", "bin", "mpk.gz", "json.gz", "bin.gz"];
    imported(&format!("a.{}", endings[usize::from(*kind) % endings.len()]), record);
}

/// By a card and by an architecture: each reads other tensors. The architecture is named, because `auto` builds all that are known for
/// every file that is of none of them.
fn imported(name: &str, data: &[u8]) {
    file::with(name, data, |source| {
        let request = ImportRequest { source: source.to_path_buf(), ..ImportRequest::default() };
        let card = Card::from_json(CARD).expect("a sound card");
        let _ = import(&ImportRequest { card: Some(card), allow_unused: true, ..request.clone() });
        let _ = import(&ImportRequest { arch: Some("alexnet".to_owned()), allow_unused: true, ..request });
    });
}
