//! Decodes ONNX messages, and tensor messages into numbers.
//!
//! Receives a path or bytes; returns a [`Source`]: the graph with its local functions inlined, and access to its
//! tensors, also in external files. The file is read into memory instead of mapped, since another process could
//! change a mapped file. Its tensors are slices of these bytes; external tensors are read one at a time.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};
use prost::Message as _;

use super::constant::{Constant, both};
use super::messages::{GraphProto, ModelProto, TensorProto, ValueInfoProto, is_standard};
use super::metadata::{Said, keras_modules};
use super::{functions, integers, size};
use crate::error::{Error, Problem, Result};
use crate::import::decode::decode_halves;
use crate::import::state_dict::file_name;
use crate::memory::{Part, allow};

/// Elements that a file of any size may compute: position encodings and masks of a network that is small itself.
const FREE_ELEMENTS: usize = 1 << 23;

/// Elements per byte of the file: two in a byte of 4-bit weights, and as many again for what is computed from them.
const ELEMENTS_PER_BYTE: usize = 4;

/// An ONNX graph and the folder of its external tensors.
pub(super) struct Source {
    pub(super) graph: GraphProto,
    /// The version of the standard operator set, where the file says it.
    pub(super) opset: Option<i64>,
    /// Tensors are rounded to integers whose steps follow from the tensors.
    pub(super) dynamic: bool,
    /// What it says of itself.
    pub(super) said: Said,
    folder: Option<PathBuf>,
    /// How many elements its constants may have together. A few bytes can ask for any number of them.
    pub(super) room: usize,
}

impl Source {
    /// Reads a file.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = file_name(path);
        let size = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
        let most = Part::Onnx.ceiling();
        if size > most {
            let problem = Problem::new(format!("has {size} bytes"))
                .expected(format!("at most {most}"))
                .hint("save it with external data");
            return Err(Error::model(name, problem));
        }
        Part::Onnx.check(size).map_err(|problem| Error::model(&name, problem))?;
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let folder = path.parent().map(Path::to_path_buf);
        Self::parse(bytes.into(), folder).map_err(|problem| Error::model(name, problem))
    }

    /// Parses a model. Its tensors must be in the file unless a folder is given.
    fn parse(bytes: Bytes, folder: Option<PathBuf>) -> Result<Self, Problem> {
        let size = bytes.len() as u64;
        allow(size::of(&bytes))?;
        let ModelProto { producer_name, graph, opset_import, metadata_props, functions } =
            ModelProto::decode(bytes).map_err(|cause| {
                let cause = shortened(&cause.to_string());
                Problem::new(format!("is not a readable ONNX file: {cause}")).hint("is it whole?")
            })?;
        let mut graph = graph.filter(|graph| !graph.node.is_empty()).ok_or_else(|| {
            Problem::new("is not an ONNX file with a graph in it").hint("was it saved by an ONNX exporter?")
        })?;
        functions::inline(&mut graph, &functions)?;
        let size = size + external_size(&graph, folder.as_deref());
        let room = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(ELEMENTS_PER_BYTE);
        let room = room
            .saturating_add(FREE_ELEMENTS)
            .min(usize::try_from(Part::Elements.most()).unwrap_or(usize::MAX));
        let opset = opset_import.iter().find(|set| is_standard(&set.domain)).map(|set| set.version);
        let dynamic = integers::expand(&mut graph, opset.unwrap_or(0));
        let axes = graph.output.first().and_then(|output| Some(output.tensor()?.shape.as_ref()?.dim.len()));
        let said =
            Said { keras: keras_modules(&producer_name, &graph), ..Said::read(&metadata_props, axes)? };
        Ok(Self { graph, dynamic, opset, said, folder, room })
    }

    /// Whether the file is for a batch of one picture alone: all inputs that may be pictures have one.
    pub(super) fn is_for_one(&self) -> bool {
        let is_stored = |name: &str| self.graph.initializer.iter().any(|tensor| tensor.name == name);
        let inputs = self.graph.input.iter().filter(|input| !is_stored(&input.name));
        let batch = |input: &ValueInfoProto| {
            let dims = &input.tensor()?.shape.as_ref()?.dim;
            (dims.len() > 2).then(|| dims[0].dim_value)
        };
        let mut batches = inputs.filter_map(batch).peekable();
        batches.peek().is_some() && batches.all(|batch| batch == Some(1))
    }

    /// The numbers of a tensor.
    pub(super) fn constant(&self, tensor: &TensorProto) -> Result<Constant, Problem> {
        self.decode(tensor).map_err(|problem| problem.about_tensor(&tensor.name))
    }

    fn decode(&self, tensor: &TensorProto) -> Result<Constant, Problem> {
        let shape = shape_of(tensor)?;
        let count: usize = shape.iter().product();
        let raw = match tensor.data_location {
            1 => self.external(tensor)?,
            _ => tensor.raw_data.clone(),
        };
        let numbers = if raw.is_empty() { listed(tensor)? } else { packed(tensor.data_type, &raw)? };
        let found = match &numbers {
            Numbers::Floats(floats) => floats.len(),
            Numbers::Ints(ints) => ints.len(),
        };
        if found != count {
            return Err(Problem::new(format!("has {found} numbers"))
                .expected(format!("{count} for its shape {shape:?}")));
        }
        let shape = IxDyn(&shape);
        let built = match numbers {
            Numbers::Floats(floats) => ArrayD::from_shape_vec(shape, floats).map(Constant::Float),
            Numbers::Ints(ints) => {
                ArrayD::from_shape_vec(shape, ints.into_iter().map(both).collect()).map(Constant::Int)
            }
        };
        built.map_err(|cause| Problem::new(cause.to_string()))
    }

    /// The bytes of an external tensor. Only files in the model's own folder are read, so that a model cannot name
    /// other files of the user.
    fn external(&self, tensor: &TensorProto) -> Result<Bytes, Problem> {
        let entry = |key: &str| {
            tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
        };
        let number = |key: &str| {
            let text = entry(key).filter(|text| !text.is_empty());
            text.map(|text| {
                text.parse::<u64>().map_err(|_| Problem::new(format!("its external {key} is '{text}'")))
            })
            .transpose()
        };
        let location = entry("location").ok_or("is in another file, which it does not name")?;
        let inside = Path::new(location).components().all(|part| matches!(part, Component::Normal(_)));
        if location.is_empty() || !inside {
            return Err(Problem::new(format!("is in '{location}'")).expected("a file in the model's folder"));
        }
        let folder = self
            .folder
            .as_ref()
            .ok_or_else(|| Problem::new("is in another file").expected("the data inside the model"))?;
        let path = folder.join(location);
        let refuse =
            |cause: std::io::Error| Problem::new(format!("cannot read '{}': {cause}", path.display()));
        let mut file = File::open(&path).map_err(refuse)?;
        let size = file.metadata().map_err(refuse)?.len();
        let offset = number("offset")?.unwrap_or(0);
        let left = size.checked_sub(offset);
        let length = number("length")?.or(left).unwrap_or(0);
        if left.is_none_or(|left| length > left) {
            return Err(Problem::new(format!(
                "wants {length} bytes at {offset} of '{location}', which has {size}"
            ))
            .hint("was it cut short?"));
        }
        Part::Onnx.check(length)?;
        file.seek(SeekFrom::Start(offset)).map_err(refuse)?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(refuse)?;
        Ok(bytes.into())
    }
}

/// The cause of a message that cannot be decoded, without the middle of a long way to it.
fn shortened(cause: &str) -> String {
    match cause.split(": ").collect::<Vec<_>>()[..] {
        [first, second, third, _, _, _, .., last] => [first, second, third, "...", last].join(": "),
        _ => cause.to_owned(),
    }
}

/// The constants of a file have more elements than its room.
pub(super) fn too_large() -> Problem {
    Problem::new("its constants together are too large for a file of its size")
        .hint("onnxsim or onnxruntime writes computed constants into the file")
}

/// Bytes of the files in `folder` that hold tensors of the graph.
fn external_size(graph: &GraphProto, folder: Option<&Path>) -> u64 {
    let entries = graph.initializer.iter().flat_map(|tensor| &tensor.external_data);
    let names: HashSet<&str> =
        entries.filter(|entry| entry.key == "location").map(|entry| entry.value.as_str()).collect();
    // A name that leads out of the folder is refused when its tensor is read.
    let size = |name: &&str| std::fs::metadata(folder?.join(name)).ok().map(|file| file.len());
    names.iter().filter_map(size).sum()
}

fn shape_of(tensor: &TensorProto) -> Result<Vec<usize>, Problem> {
    let refuse = || Problem::new(format!("its shape {:?} is not sensible", tensor.dims));
    let shape: Vec<usize> = tensor
        .dims
        .iter()
        .map(|side| usize::try_from(*side))
        .collect::<Result<_, _>>()
        .map_err(|_| refuse())?;
    match shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side)) {
        Some(count) if count as u64 <= Part::Elements.ceiling() => {
            Part::Elements.check(count as u64).map(|()| shape)
        }
        _ => Err(refuse()),
    }
}

enum Numbers {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

fn chunks<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Problem> {
    Ok(whole(raw)?.iter().map(|bytes| read(*bytes)).collect())
}

fn whole<const N: usize>(raw: &[u8]) -> Result<&[[u8; N]], Problem> {
    match raw.as_chunks::<N>() {
        (whole, []) => Ok(whole),
        _ => Err(Problem::new(format!("has {} bytes", raw.len())).expected(format!("a multiple of {N}"))),
    }
}

/// Decodes little-endian numbers; `kind` is a code of `TensorProto.DataType`.
fn packed(data_type: i32, raw: &[u8]) -> Result<Numbers, Problem> {
    Ok(match data_type {
        1 => Numbers::Floats(chunks(raw, f32::from_le_bytes)?),
        10 => Numbers::Floats(decode_halves(whole(raw)?, f16::from_le_bytes)),
        11 => Numbers::Floats(chunks(raw, |bytes| f64::from_le_bytes(bytes) as f32)?),
        16 => Numbers::Floats(decode_halves(whole(raw)?, bf16::from_le_bytes)),
        2 | 9 => Numbers::Ints(raw.iter().map(|byte| i64::from(*byte)).collect()),
        3 => Numbers::Ints(chunks(raw, |bytes| i64::from(i8::from_le_bytes(bytes)))?),
        4 => Numbers::Ints(chunks(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))?),
        5 => Numbers::Ints(chunks(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))?),
        6 => Numbers::Ints(chunks(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))?),
        12 => Numbers::Ints(chunks(raw, |bytes| i64::from(u32::from_le_bytes(bytes)))?),
        7 | 13 => Numbers::Ints(chunks(raw, i64::from_le_bytes)?),
        other => return Err(unreadable(other)),
    })
}

/// Numbers in the typed lists of the message, where half precision is stored as integers.
fn listed(tensor: &TensorProto) -> Result<Numbers, Problem> {
    let bits = |number: &i32| {
        u16::try_from(*number).map_err(|_| Problem::new(format!("{number} is not a 16-bit number")))
    };
    let halves = |read: fn(u16) -> f32| -> Result<Vec<f32>, Problem> {
        tensor.int32_data.iter().map(|number| Ok(read(bits(number)?))).collect()
    };
    Ok(match tensor.data_type {
        1 => Numbers::Floats(tensor.float_data.clone()),
        10 => Numbers::Floats(halves(|bits| f16::from_bits(bits).to_f32())?),
        16 => Numbers::Floats(halves(|bits| bf16::from_bits(bits).to_f32())?),
        11 => Numbers::Floats(tensor.double_data.iter().map(|number| *number as f32).collect()),
        2..=6 | 9 => Numbers::Ints(tensor.int32_data.iter().map(|number| i64::from(*number)).collect()),
        7 => Numbers::Ints(tensor.int64_data.clone()),
        12 | 13 => Numbers::Ints(tensor.uint64_data.iter().map(|number| *number as i64).collect()),
        other => return Err(unreadable(other)),
    })
}

fn unreadable(data_type: i32) -> Problem {
    let name = match data_type {
        8 => "text",
        14 | 15 => "complex numbers",
        17..=20 | 23 | 24 => "float8 or smaller",
        21 | 22 | 25 | 26 => "4-bit integers",
        _ => "an unknown type",
    };
    Problem::new(format!("holds {name} (type {data_type})")).expected("floats or integers")
}
