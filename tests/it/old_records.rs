//! Records that Burn 0.13.2 and 0.21.0 wrote, and harmful ones; see `fixtures/old-records`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use burncam::DeviceName;
use burncam_engine::Network;
use burncam_graph::card::Card;
use burncam_model::import::{ImportRequest, Imported, import};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{distance, fixture, made};

/// What the version that wrote the files computed with them.
#[derive(serde::Deserialize)]
struct Reference {
    input: Vec<f32>,
    logits: BTreeMap<String, Vec<f32>>,
}

fn tiny() -> Card {
    burncam_model::read_card(&fixture("old-records/tiny.card.json")).unwrap()
}

fn import_tiny(source: &Path) -> burncam::Result<Imported> {
    // Half precision before Burn 0.14 writes integers as halves, which then look like weights.
    let allow_unused = true;
    import(&ImportRequest {
        source: source.into(),
        card: Some(tiny()),
        allow_unused,
        ..ImportRequest::default()
    })
}

/// The error that importing these bytes under that name gives.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    match import_tiny(&path) {
        Ok(_) => panic!("{name} was accepted"),
        Err(error) => error.to_string(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A record in JSON around an item.
fn record(float: &str, item: &Value) -> String {
    format!(r#"{{"metadata":{{"float":"{float}"}},"item":{item}}}"#)
}

#[test]
fn every_named_record_gives_the_logits_of_the_burn_that_wrote_it() {
    let mut seen = 0;
    for version in ["burn13", "burn21"] {
        let text =
            std::fs::read_to_string(fixture(&format!("old-records/{version}.reference.json"))).unwrap();
        let reference: Reference = serde_json::from_str(&text).unwrap();
        for (name, expected) in &reference.logits {
            let path = fixture("old-records").join(name);
            if name.contains(".bin") || !path.exists() {
                continue;
            }
            let imported = import_tiny(&path).unwrap();
            // Where halves are written as integers, integers look like halves.
            let passed_over = !name.starts_with("burn13.half");
            let expected_warnings: &[&str] =
                if passed_over { &[] } else { &["tensor 'steps' of the file is not used"] };
            assert_eq!(imported.warnings, expected_warnings, "{name}");
            let made = made(&imported.card, imported.tensors);
            let network = Network::load(&made.model, &[], &DeviceName::default()).unwrap();
            let logits = network.logits(reference.input.clone()).unwrap();
            assert!(distance(&logits, expected) < 1e-5, "{name}: {logits:?}, expected {expected:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
}

#[test]
fn an_imported_record_keeps_what_its_card_says() {
    let card = import_tiny(&fixture("old-records/burn21.half.mpk.gz")).unwrap().card;
    assert_eq!((card.name.as_str(), card.classes), ("tiny", vec!["no".to_owned(), "yes".into()]));
    let source = card.source.unwrap();
    assert_eq!(source.file.as_deref(), Some("burn21.half.mpk.gz"));
    assert_eq!(source.license.as_deref(), Some("MIT OR Apache-2.0"));
}

#[test]
fn records_without_names_are_refused_with_the_way_out() {
    for name in ["burn21.full.bin", "burn21.half.bin.gz"] {
        let error = import_tiny(&fixture("old-records").join(name)).unwrap_err().to_string();
        assert!(error.contains("is a Burn record without names"), "{error}");
        assert!(error.contains("save it with NamedMpkFileRecorder"), "{error}");
    }
}

#[test]
fn the_content_decides_and_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, other) in [
        ("burn13.full.mpk", "a.json"),
        ("burn13.full.json", "b"),
        ("burn21.half.mpk.gz", "c.pth"),
        ("burn21.half.json.gz", "d.mpk"),
    ] {
        let path = folder.path().join(other);
        std::fs::copy(fixture("old-records").join(name), &path).unwrap();
        assert!(import_tiny(&path).unwrap().diagnosis.is_clean(), "{name} as {other}");
    }
    assert!(
        refusal("notes.txt.gz", &gzip(b"hello"))
            .contains("is a gzip file, expected one that holds a Burn record")
    );
    assert!(refusal("card.json", b"{\"name\": 1}").contains("is a JSON file, which holds no network"));
    let other = refusal("item.json", b"{\"name\": 1, \"item\": 1}");
    assert!(other.contains("expected 'metadata' before 'item'"), "{other}");
    assert!(refusal("empty.mpk", b"").contains("is an empty file"));
}

#[test]
fn a_cut_record_is_refused_wherever_it_ends() {
    for name in ["burn13.half.mpk.gz", "burn21.full.mpk", "burn21.half.json.gz"] {
        let whole = std::fs::read(fixture("old-records").join(name)).unwrap();
        for end in 0..whole.len() {
            let error = refusal(name, &whole[..end]);
            assert!(error.starts_with(&format!("model '{name}': ")), "{name} up to {end}: {error}");
            assert!(error.lines().count() == 1, "{error}");
        }
    }
}

/// A flipped bit of gzip is found by its checksum; one of MessagePack may be another number.
#[test]
fn a_flipped_bit_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    for (name, step) in [("burn13.full.mpk", 17), ("burn21.full.mpk", 17), ("burn21.half.mpk.gz", 17)] {
        let mut bytes = std::fs::read(fixture("old-records").join(name)).unwrap();
        let path = folder.path().join(name);
        for bit in (0..bytes.len() * 8).step_by(step) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &bytes).unwrap();
            let imported = import_tiny(&path);
            // The first ten bytes of gzip are names and dates, which nothing checks.
            assert!(imported.is_err() || !name.ends_with(".gz") || bit < 80, "{name}: bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let inside = record("f32", &json!({ "x": " ".repeat(64 << 20) }));
    let error = refusal("bomb.json.gz", &gzip(inside.as_bytes()));
    assert!(
        error.contains("unpacks to more than ") && error.contains(" MiB, expected at most that"),
        "{error}"
    );
}

#[test]
fn tensors_without_end_are_refused() {
    let tensors: serde_json::Map<_, _> =
        (0..70_000).map(|index| (format!("t{index}"), json!({ "value": [], "shape": [0] }))).collect();
    let error = refusal("many.json", record("f32", &tensors.into()).as_bytes());
    assert!(error.contains("it has more than 65536 tensors"), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    for (name, open) in [("deep.json", b"[".as_slice()), ("deep.mpk", b"\x91")] {
        let start = match name {
            "deep.json" => br#"{"metadata":{"float":"f32"},"item":"#.to_vec(),
            _ => b"\x82\xa8metadata\x81\xa5float\xa3f32\xa4item".to_vec(),
        };
        let error = refusal(name, &[start, open.repeat(1 << 20)].concat());
        assert!(error.contains("is not a readable Burn record: "), "{error}");
        assert!(error.contains("recursion limit") || error.contains("depth limit"), "{error}");
    }
}

/// Lengths are claims: the memory follows what is there.
#[test]
fn lengths_that_lie_are_found_out() {
    let start = b"\x82\xa8metadata\x81\xa5float\xa3f32\xa4item\x81\xa1x".to_vec();
    for claim in
        [b"\xc6\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
    {
        let error = refusal("false.mpk", &[start.as_slice(), claim.as_slice()].concat());
        assert!(error.contains("it is empty or cut short"), "{error}");
    }
}

#[test]
fn tensors_that_make_no_sense_are_named() {
    let with =
        |tensor: Value| record("f32", &json!({ "stem": [{ "weight": { "id": "a", "param": tensor } }] }));
    for (tensor, expected) in [
        (
            json!({ "bytes": [0, 0, 0, 0], "shape": [2], "dtype": "F32" }),
            "has 1 numbers, expected as many as its shape [2] holds",
        ),
        (json!({ "bytes": [0, 300], "shape": [1], "dtype": "F16" }), "has bytes that are not 0 to 255"),
        (
            json!({ "bytes": [0, 0, 0, 0], "shape": [1 << 24, 1 << 24, 1 << 24], "dtype": "F32" }),
            "has 1 numbers, expected as many as",
        ),
        (json!({ "value": [1.0, null], "shape": [2] }), "holds other things than numbers"),
        (json!({ "value": [1.0], "shape": [-1] }), "has the shape [-1.0], expected whole numbers"),
    ] {
        let error = refusal("odd.json", with(tensor).as_bytes());
        assert!(error.starts_with("model 'odd.json': tensor 'stem.0.weight': "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let text = std::fs::read_to_string(fixture("old-records/burn13.full.json")).unwrap();
    let mut whole: Value = serde_json::from_str(&text).unwrap();
    whole["item"]["head"]["bias"]["param"]["value"] = json!([1.0, 1e300]);
    let error = refusal("great.json", record("f32", &whole["item"]).as_bytes());
    assert!(error.contains("tensor 'head.bias': 1 of 2 numbers are not finite"), "{error}");
}

#[test]
fn bytes_after_the_record_are_refused() {
    let whole = std::fs::read(fixture("old-records/burn21.full.mpk")).unwrap();
    let error = refusal("more.mpk", &[whole.as_slice(), b"more"].concat());
    assert!(error.ends_with("is not a readable Burn record: 4 bytes follow it"), "{error}");
}
