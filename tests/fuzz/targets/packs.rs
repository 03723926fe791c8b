//! Burn's packs, and cards.

use std::collections::BTreeMap;

use burncam_graph::card::Card;
use burncam_model::Model;
use ciborium::Value;

use super::file;

/// A pack of two convolutions, a pool and a linear layer: what cards are tried on.
const PACK: &[u8] = include_bytes!("../../../fixtures/cases/hostile/net-m5.bpk");

/// A card outside of its pack. What is read is written and read as the same.
pub(super) fn card(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(card) = Card::from_json(text) else { return };
    let again = card.to_json().expect("a card is written");
    assert!(
        Card::from_json(&again).expect("a card is read again") == card,
        "a card changes when it is written"
    );
    let pack = file::with("card.bpk", PACK, std::path::Path::to_path_buf);
    file::with("card.json", data, |card| used(&pack, Some(card)));
}

/// A pack, as it is, and with a checksum that fits.
pub(super) fn pack(data: &[u8]) {
    file::with("a.bpk", data, |path| used(path, None));
    if let Some(sealed) = sealed(data) {
        file::with("b.bpk", &sealed, |path| used(path, None));
    }
}

fn used(path: &std::path::Path, card: Option<&std::path::Path>) {
    let Ok(model) = Model::open(path, card) else { return };
    let _ = (model.layers(), model.cost(), model.attentions());
    let _ = model.choose_layers(&burncam_model::LayerRequest::Auto);
    let Ok(weights) = model.weights() else { return };
    for node in &model.graph().nodes {
        for name in node.params.values() {
            let _ = weights.floats(name);
        }
    }
}

/// The pack with the checksum of what it holds; `None` where its description is none.
fn sealed(data: &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(*data.get(6..)?.first_chunk()?) as usize;
    let description = data.get(10..10 + length.min(1 << 20))?;
    let mut map =
        ciborium::de::from_reader_with_recursion_limit::<Value, _>(description, 64).ok()?.into_map().ok()?;
    let bytes = &data[(10 + length).next_multiple_of(256).min(data.len())..];
    let sum = checksum(&map, bytes)?;
    let (_, texts) = map.iter_mut().find(|(key, _)| key.as_text() == Some("metadata"))?;
    let texts = texts.as_map_mut()?;
    texts.retain(|(key, _)| key.as_text() != Some("burncam.crc32"));
    texts.push((Value::Text("burncam.crc32".into()), Value::Text(sum)));
    let mut description = vec![];
    ciborium::into_writer(&Value::Map(map), &mut description).ok()?;
    let mut pack = [b"NRUB\x01\0", &(description.len() as u32).to_le_bytes()[..], &description].concat();
    pack.resize(pack.len().next_multiple_of(256), 0);
    pack.extend(bytes);
    Some(pack)
}

/// The value of a name in a map.
fn entry<'a>(map: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    map.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

/// As `src/model/pack/checksum.rs` has it.
fn checksum(map: &[(Value, Value)], bytes: &[u8]) -> Option<String> {
    let number = |value: &Value| usize::try_from(value.as_integer()?).ok();
    let card = entry(entry(map, "metadata")?.as_map()?, "burncam")?.as_text()?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in entry(map, "tensors")?.as_map()? {
        let tensor = tensor.as_map()?;
        let shape = entry(tensor, "shape")?.as_array()?.iter().map(number).collect::<Option<Vec<_>>>()?;
        let place =
            entry(tensor, "data_offsets")?.as_array()?.iter().map(number).collect::<Option<Vec<_>>>()?;
        let values = bytes.get(*place.first()?..*place.get(1)?)?;
        tensors.insert(name.as_text()?, (shape, values));
    }
    let mut sum = crc32fast::Hasher::new();
    sum.update(card.as_bytes());
    for (name, (shape, values)) in tensors {
        sum.update(format!("\n{name}{shape:?}").as_bytes());
        sum.update(values);
    }
    Some(format!("{:08x}", sum.finalize()))
}
