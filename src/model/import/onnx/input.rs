//! What a graph states about its input: a picture, or a signal.

use super::builder::{Builder, Tensor};
use super::cast::is_real;
use super::file::Source;
use super::messages::{GraphProto, ValueInfoProto};
use super::site::Value;
use crate::card::{InputSpec, Layout, Op};
use crate::error::{OptionName, Phrase, Problem};

/// The input's side if neither the file nor the caller gives it: ImageNet's.
const USUAL_SIDE: usize = 224;

/// Greatest allowed side of an input in pixels, the same as in cards.
const MAX_SIDE: i64 = 16_384;

/// `TensorProto.DataType` codes of integer types that cannot hold a byte: signed bytes and booleans.
const TOO_SMALL: [i32; 2] = [3, 9];

/// The picture input of a graph, or a signal, which is a picture of one row.
#[derive(Debug)]
pub(super) struct Picture {
    channels: usize,
    /// The axes in the file: 4, or 3 for `[batch, channels, length]`.
    rank: usize,
    size: [usize; 2],
    layout: Layout,
    /// It takes integers, so pictures cannot be scaled before they enter.
    pub(super) whole: bool,
    pub(super) notes: Vec<Phrase>,
}

impl Picture {
    /// Reads the shape of input `name`; `size`, or else what the file says of itself, replaces sides that its input leaves open.
    pub(super) fn of(source: &Source, name: &str, size: Option<[usize; 2]>) -> Result<Self, Problem> {
        let graph = &source.graph;
        Self::read(graph, name, size.or_else(|| open_size(graph, name, source)))
    }

    fn read(graph: &GraphProto, name: &str, size: Option<[usize; 2]>) -> Result<Self, Problem> {
        let info = graph.input.iter().find(|input| input.name == name).ok_or("has no input")?;
        let (sides, whole) = sides(info)?;
        if matches!(sides.first(), Some(Some(2..))) {
            return Err(Problem::new(format!(
                "its input '{name}' has shape {}, a fixed batch of more than one",
                spelled(&sides)
            ))
            .hint("export it with a batch of 1 or an open one"));
        }
        let (second, third, fourth) = match sides[..] {
            [_, second, third, fourth] => (second, third, fourth),
            [_, second, third] => return Self::signal(name, [second, third], whole, size),
            _ => {
                return Err(Problem::new(format!("its input '{name}' has shape {}", spelled(&sides)))
                    .expected("[batch, channels, height, width] or [batch, channels, length]"));
            }
        };
        let colour = |side: Option<i64>| matches!(side, Some(1 | 3));
        let (layout, channels, [height, width]) = match (colour(second), colour(fourth)) {
            (true, _) => (Layout::ChannelsFirst, second, [third, fourth]),
            (false, true) => (Layout::ChannelsLast, fourth, [second, third]),
            (false, false) if second.is_none() => (Layout::ChannelsFirst, Some(3), [third, fourth]),
            (false, false) if third == Some(1) => (Layout::ChannelsFirst, second, [third, fourth]),
            (false, false) => {
                return Err(Problem::new(format!("its input '{name}' has shape {}", spelled(&sides)))
                    .expected("1 or 3 channels"));
            }
        };
        let mut notes = Vec::new();
        if layout == Layout::ChannelsFirst && second.is_none() {
            notes.push("the file does not say how many channels its input has: 3 are assumed".into());
        }
        let mut picture =
            Self { channels: channels.unwrap_or(3) as usize, rank: 4, size: [0; 2], layout, whole, notes };
        picture.size = picture.side(name, [height, width], size)?;
        Ok(picture)
    }

    /// Reads the sides of a signal; the greater of two known ones is its length.
    fn signal(
        name: &str,
        [second, third]: [Option<i64>; 2],
        whole: bool,
        size: Option<[usize; 2]>,
    ) -> Result<Self, Problem> {
        let asked = size.and_then(|[_, length]| i64::try_from(length).ok());
        let (layout, channels, length) = match (second, third) {
            (Some(second), Some(third)) if second > third => (Layout::ChannelsLast, third, Some(second)),
            (Some(second), third) => (Layout::ChannelsFirst, second, third),
            (None, Some(third)) => (Layout::ChannelsLast, third, None),
            (None, None) => {
                return Err(Problem::new(format!("its input '{name}' leaves its channels open"))
                    .expected("[batch, channels, length]")
                    .hint("export it with a fixed number of channels"));
            }
        };
        let Some(length) = length.or(asked) else {
            let hint = Phrase::default().set(OptionName::Crop, "1x1000");
            let problem = Problem::new(format!("its input '{name}' leaves the length of its signal open"));
            return Err(problem.hint(hint.text(" says that it has 1000 samples")));
        };
        if let Some(side) = [channels, length].into_iter().find(|side| *side > MAX_SIDE) {
            return Err(Problem::new(format!("its input '{name}' has a side of {side}"))
                .expected(format!("1 to {MAX_SIDE}")));
        }
        if let Some(asked) = asked.filter(|asked| *asked != length) {
            let problem =
                format!("its input '{name}' is fixed to {length} samples, but {asked} are asked for");
            return Err(problem.into());
        }
        let size = [1, length as usize];
        let said =
            format!("its input '{name}' is taken for a signal of {channels} channels, which come last");
        let notes = if layout == Layout::ChannelsLast { vec![said.into()] } else { vec![] };
        Ok(Self { channels: channels as usize, rank: 3, size, layout, whole, notes })
    }

    /// Height and width from the file, or else from the caller.
    fn side(
        &mut self,
        name: &str,
        found: [Option<i64>; 2],
        asked: Option<[usize; 2]>,
    ) -> Result<[usize; 2], Problem> {
        let [height, width] = asked.unwrap_or([USUAL_SIDE; 2]);
        let mut size = [height, width];
        for axis in 0..2 {
            match (found[axis], asked) {
                (Some(side), _) if !(1..=MAX_SIDE).contains(&side) => {
                    return Err(Problem::new(format!("its input '{name}' has a side of {side}"))
                        .expected(format!("1 to {MAX_SIDE}")));
                }
                (Some(side), Some(asked)) if side as usize != asked[axis] => {
                    return Err(Problem::new(format!(
                        "its input '{name}' is fixed to {}x{} pixels (height x width), but {}x{} are asked for",
                        found[0].unwrap_or_default(),
                        found[1].unwrap_or_default(),
                        asked[0],
                        asked[1]
                    )));
                }
                (Some(side), _) => size[axis] = side as usize,
                (None, _) => {}
            }
        }
        if asked.is_none() && found.contains(&None) {
            let [height, width] = size;
            let note = format!("the file leaves the size of its input open: {height}x{width} is assumed (");
            self.notes.push(Phrase::from(note).option(OptionName::Crop).text(" sets another)"));
        }
        Ok(size)
    }

    /// Starts the graph, whose weights may have `room` elements, with the input as the file's nodes expect it: one that has
    /// channels last is turned first.
    pub(super) fn enter(&self, name: &str, room: usize) -> Result<(Builder, Value), Problem> {
        let (mut builder, tensor) = Builder::new(self.spec(name), room);
        let value = match (self.layout, self.rank) {
            (Layout::ChannelsFirst, 4) => Value::Tensor(tensor),
            (Layout::ChannelsFirst, _) => Value::Sequence(tensor),
            (Layout::ChannelsLast, 4) => turned(&mut builder, vec![0, 2, 3, 1], &tensor)?,
            (Layout::ChannelsLast, _) => {
                let sequence = builder.unary(Op::Squeeze { axes: vec![2] }, &tensor)?;
                turned(&mut builder, vec![0, 2, 1], &sequence)?
            }
        };
        Ok((builder, value))
    }

    fn spec(&self, name: &str) -> InputSpec {
        let [height, width] = self.size;
        InputSpec { name: name.into(), channels: self.channels, height, width, layout: self.layout }
    }
}

fn turned(builder: &mut Builder, perm: Vec<usize>, x: &Tensor) -> Result<Value, Problem> {
    Ok(Value::Tensor(builder.unary(Op::Transpose { perm }, x)?))
}

/// The size that the file's metadata has, if its input leaves the size open.
fn open_size(graph: &GraphProto, name: &str, source: &Source) -> Option<[usize; 2]> {
    let info = graph.input.iter().find(|input| input.name == name)?;
    let (sides, _) = sides(info).ok()?;
    let is_open = sides.iter().skip(1).filter(|side| side.is_none()).count() >= 2;
    source.said.size.filter(|_| is_open)
}

/// The input's sides if the file fixes them, and whether it takes integers.
fn sides(info: &ValueInfoProto) -> Result<(Vec<Option<i64>>, bool), Problem> {
    let tensor = info.tensor().ok_or_else(|| format!("its input '{}' is not a tensor", info.name))?;
    let refuse = || {
        Problem::new(format!("its input '{}' is not made of numbers (type {})", info.name, tensor.elem_type))
    };
    let whole = !is_real(i64::from(tensor.elem_type))
        .filter(|_| !TOO_SMALL.contains(&tensor.elem_type))
        .ok_or_else(refuse)?;
    let shape = tensor.shape.as_ref().ok_or_else(|| format!("its input '{}' has no shape", info.name))?;
    if let Some(side) = shape.dim.iter().filter_map(|side| side.dim_value).find(|side| *side < -1) {
        return Err(Problem::new(format!("its input '{}' has a side of {side}", info.name))
            .expected(format!("1 to {MAX_SIDE}")));
    }
    // Some exporters write 0 or -1 for an open side.
    let sides = shape.dim.iter().map(|side| side.dim_value.filter(|side| *side > 0));
    Ok((sides.collect(), whole))
}

pub(super) fn spelled(sides: &[Option<i64>]) -> String {
    let side = |side: &Option<i64>| side.map_or_else(|| "?".into(), |side| side.to_string());
    format!("[{}]", sides.iter().map(side).collect::<Vec<_>>().join(", "))
}
