//! A mutator that knows protocol buffers: it takes a message apart, changes a field at any depth, and puts it together with lengths that
//! fit. A change of single bytes nearly always breaks a length and with it everything behind.

use super::dice::Dice;

/// The deepest message of ONNX that matters: model, graph, node, attribute, graph, node, attribute, tensor.
const DEPTH: usize = 8;

/// A field by its number.
#[derive(Clone)]
enum Field {
    Number(u64, u64),
    Fixed(u64, u8, Vec<u8>),
    Bytes(u64, Vec<u8>),
    /// Bytes that are fields, too.
    Message(u64, Vec<Field>),
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let first = bytes.split_off_first()?;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = vec![];
    while !bytes.is_empty() {
        let key = number(&mut bytes)?;
        let (tag, kind) = (key >> 3, key & 7);
        if tag == 0 || tag > 4096 {
            return None;
        }
        fields.push(match kind {
            0 => Field::Number(tag, number(&mut bytes)?),
            1 => Field::Fixed(tag, 1, bytes.split_off(..8)?.to_vec()),
            5 => Field::Fixed(tag, 5, bytes.split_off(..4)?.to_vec()),
            2 => {
                let length = usize::try_from(number(&mut bytes)?).ok()?;
                let part = bytes.split_off(..length)?;
                let inner = if depth > 0 && part.len() > 1 { read(part, depth - 1) } else { None };
                inner.map_or_else(|| Field::Bytes(tag, part.to_vec()), |inner| Field::Message(tag, inner))
            }
            _ => return None,
        });
    }
    Some(fields)
}

fn write(fields: &[Field], out: &mut Vec<u8>) {
    for field in fields {
        match field {
            Field::Number(tag, value) => {
                put(out, tag << 3);
                put(out, *value);
            }
            Field::Fixed(tag, kind, bytes) => {
                put(out, tag << 3 | u64::from(*kind));
                out.extend(bytes);
            }
            Field::Bytes(tag, bytes) => {
                put(out, tag << 3 | 2);
                put(out, bytes.len() as u64);
                out.extend(bytes);
            }
            Field::Message(tag, inner) => {
                let mut bytes = vec![];
                write(inner, &mut bytes);
                put(out, tag << 3 | 2);
                put(out, bytes.len() as u64);
                out.extend(bytes);
            }
        }
    }
}

/// Numbers at which sizes, axes and counts break.
const ODD: [u64; 14] = [
    0,
    1,
    2,
    3,
    7,
    16,
    255,
    65_536,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
    u64::MAX - 1,
    u64::MAX - 2,
];

fn change(fields: &mut Vec<Field>, dice: &mut Dice, bytes: &mut dyn FnMut(&[u8]) -> Vec<u8>) {
    if fields.is_empty() {
        return;
    }
    let at = dice.below(fields.len());
    // Downwards more often than not: most of a network is deep inside.
    if let Field::Message(_, inner) = &mut fields[at]
        && dice.below(8) > 0
    {
        return change(inner, dice, bytes);
    }
    match dice.below(6) {
        0 => drop(fields.remove(at)),
        1 => fields.insert(at, fields[at].clone()),
        2 => {
            let other = dice.below(fields.len());
            fields.swap(at, other);
        }
        3 => {
            let other = fields[dice.below(fields.len())].clone();
            fields[at] = other;
        }
        _ => match &mut fields[at] {
            Field::Number(_, value) => {
                let odd = ODD[dice.below(ODD.len())];
                *value = if dice.below(2) == 0 { odd } else { value.wrapping_add(odd) };
            }
            Field::Fixed(_, _, held) => {
                let at = dice.below(held.len());
                held[at] = dice.below(256) as u8;
            }
            Field::Bytes(_, held) => *held = bytes(held),
            Field::Message(_, inner) => change(inner, dice, bytes),
        },
    }
}

/// Changes a field or several of a message. `bytes` changes bytes that are no message. `None` for what is no message.
pub fn mutated(data: &[u8], seed: u32, bytes: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let mut fields = read(data, DEPTH)?;
    let mut dice = Dice(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..=dice.below(3) {
        change(&mut fields, &mut dice, bytes);
    }
    let mut out = vec![];
    write(&fields, &mut out);
    Some(out)
}
