//! What the messages of an ONNX file take in memory, before they are decoded.
//!
//! Receives the bytes of a file; gives bytes. A message of two bytes becomes a structure of hundreds, so the size of a file is no
//! bound. Tensors' own bytes are slices of the file and count nothing.

use bytes::Buf as _;

/// The messages that hold others, by the place of their fields in `messages.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    Tensor,
}

impl Kind {
    /// The message in a field of this one, and what its structure takes, twice: lists grow by doubling.
    fn inside(self, field: u64) -> Option<(Self, u64)> {
        match (self, field) {
            (Self::Model, 7) => Some((Self::Graph, 256)),
            (Self::Model, 25) => Some((Self::Function, 512)),
            (Self::Graph, 1) | (Self::Function, 7) => Some((Self::Node, 512)),
            (Self::Graph, 5) | (Self::Attribute, 5) => Some((Self::Tensor, 768)),
            (Self::Node, 5) => Some((Self::Attribute, 1024)),
            (Self::Attribute, 6) => Some((Self::Graph, 256)),
            _ => None,
        }
    }

    /// Whether a field of bytes stays in the file: `raw_data` of a tensor, and the text of an attribute.
    fn is_slice(self, field: u64) -> bool {
        matches!((self, field), (Self::Tensor, 9) | (Self::Attribute, 4))
    }

    /// Bytes that each byte of any other field becomes: packed numbers of one byte become eight, twice; small messages of two bytes, names and
    /// axes, become forty-eight, twice.
    fn each(self) -> u64 {
        if matches!(self, Self::Tensor | Self::Attribute) { 16 } else { 48 }
    }
}

/// Messages inside of each other that are looked at; decoding more fails.
const DEEPEST: usize = 100;

/// What a file takes when it is decoded. What is damaged counts as far as it can be read; decoding it fails at the same place.
pub(super) fn of(bytes: &[u8]) -> u64 {
    message(Kind::Model, bytes, DEEPEST)
}

/// What the nodes of a function take.
pub(super) fn of_function(bytes: &[u8]) -> u64 {
    message(Kind::Function, bytes, DEEPEST)
}

/// What a node holds.
pub(super) fn of_node(bytes: &[u8]) -> u64 {
    message(Kind::Node, bytes, DEEPEST)
}

fn message(kind: Kind, mut rest: &[u8], depth: usize) -> u64 {
    let Some(depth) = depth.checked_sub(1) else { return 0 };
    let mut total = 0_u64;
    while let Some(tag) = number(&mut rest) {
        let field = tag >> 3;
        total += match tag & 7 {
            0 => number(&mut rest).map_or(0, |_| 16),
            1 => skip(&mut rest, 8).map_or(0, |_| 16),
            5 => skip(&mut rest, 4).map_or(0, |_| 8),
            2 => {
                let Some(inside) = number(&mut rest).and_then(|length| skip(&mut rest, length)) else {
                    break;
                };
                match kind.inside(field) {
                    Some((inner, size)) => size + message(inner, inside, depth),
                    None if kind.is_slice(field) => 0,
                    None => 96 + kind.each() * inside.len() as u64,
                }
            }
            // A group, which no version of the format has.
            _ => break,
        };
    }
    total
}

/// Takes a number of up to ten bytes.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = rest.try_get_u8().ok()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes `length` bytes.
fn skip<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::super::messages::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
    use super::*;

    fn model(nodes: usize, raw: usize) -> Vec<u8> {
        let node = NodeProto { attribute: vec![AttributeProto::default()], ..NodeProto::default() };
        let tensor = TensorProto { raw_data: vec![1; raw].into(), ..TensorProto::default() };
        let graph =
            GraphProto { node: vec![node; nodes], initializer: vec![tensor], ..GraphProto::default() };
        ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }

    #[test]
    fn empty_messages_count_and_bytes_of_tensors_do_not() {
        let (few, many) = (of(&model(1, 10)), of(&model(1001, 10)));
        assert_eq!(many - few, 1000 * (512 + 1024));
        assert_eq!(of(&model(1, 1 << 20)), few);
        assert_eq!(of(b"\x3a\xff\xff"), 0, "cut short");
    }

    #[test]
    fn branches_inside_of_branches_without_end_are_counted_to_a_depth() {
        // Written from its end: a graph with one node, of one attribute, which is the graph so far.
        let mut file = Vec::new();
        for tag in [0x32, 0x2a, 0x0a].repeat(50_000) {
            let length = file.len();
            let digits = (1..10).take_while(|at| length >> (7 * at) > 0).count();
            for at in (0..=digits).rev() {
                file.push((length >> (7 * at)) as u8 & 0x7f | if at < digits { 0x80 } else { 0 });
            }
            file.push(tag);
        }
        file.reverse();
        assert!(message(Kind::Graph, &file, DEEPEST) > 10_000);
    }
}
