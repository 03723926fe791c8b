//! Records that were changed at random: what `--resume`, `merge` and `compare` read. They are refused or read, and never name another
//! directory's files.
//!
//! This is without a fuzzer's feedback, and always the same.

use std::path::Path;

use burncam::record::Record;
use serde_json::Value;

use crate::corpora::targets::dice::Dice;
use crate::support::fixture;

/// Values that break sizes, names and types.
fn odd(dice: &mut Dice) -> Value {
    let odd: [Value; 12] = [
        Value::Null,
        true.into(),
        (-1).into(),
        u64::MAX.into(),
        1e308.into(),
        "".into(),
        "../../etc/passwd".into(),
        "/etc/passwd".into(),
        "a/b.png".into(),
        "..".into(),
        Value::Array(vec![]),
        Value::Object(serde_json::Map::new()),
    ];
    odd[dice.below(odd.len())].clone()
}

/// Changes one value, more often deep inside than not.
fn change(value: &mut Value, dice: &mut Dice) {
    let inner: Vec<&mut Value> = match value {
        Value::Object(map) if !map.is_empty() && dice.below(12) == 0 => {
            let name = map.keys().nth(dice.below(map.len())).cloned().unwrap();
            map.remove(&name);
            return;
        }
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(all) if !all.is_empty() && dice.below(12) == 0 => {
            let copy = all[dice.below(all.len())].clone();
            return all.push(copy);
        }
        Value::Array(all) => all.iter_mut().collect(),
        _ => vec![],
    };
    let count = inner.len();
    match inner.into_iter().nth(dice.below(count)) {
        Some(inner) if dice.below(16) > 0 => change(inner, dice),
        _ => *value = odd(dice),
    }
}

/// What is read of a changed record.
fn check(bytes: &[u8]) -> bool {
    let Ok(record) = Record::from_json(bytes) else { return false };
    for artifact in record.targets.iter().flat_map(|target| &target.artifacts) {
        assert_eq!(
            Path::new(&artifact.file).file_name(),
            Some(artifact.file.as_ref()),
            "a path was accepted"
        );
    }
    let _ = record.to_json().unwrap();
    true
}

#[test]
fn changed_records_are_refused_or_read() {
    let mut dice = Dice(20);
    for name in ["records/photo.gradcam.json", "records/burncam_0.1.gradcam.json"] {
        let sound = std::fs::read(fixture(name)).unwrap();
        assert!(check(&sound), "{name}");
        let tree: Value = serde_json::from_slice(&sound).unwrap();
        let mut read = 0;
        for _ in 0..4000 {
            let mut tree = tree.clone();
            (0..=dice.below(3)).for_each(|_| change(&mut tree, &mut dice));
            read += usize::from(check(&serde_json::to_vec(&tree).unwrap()));
            let mut bytes = sound.clone();
            for _ in 0..=dice.below(3) {
                let at = dice.below(bytes.len());
                bytes[at] = dice.below(256) as u8;
            }
            bytes.truncate(if dice.below(4) == 0 { dice.below(bytes.len()) } else { bytes.len() });
            read += usize::from(check(&bytes));
        }
        assert!((200..7800).contains(&read), "{name}: {read} of 8000 were read");
    }
}
