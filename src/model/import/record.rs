//! Records, the files of Burn 0.8 to 0.21: named MessagePack and JSON, plain or gzipped.
//!
//! Receives a file; gives its tensors by the dotted paths of their modules (`layer1.0.conv1.weight`). A record is a
//! map of `metadata` and `item`; the item has the module's fields, nested, with lists and tuples as lists and
//! unstored fields as null. A parameter is `{id, param}`. Its tensor is `{bytes, shape, dtype}` since Burn 0.14, and
//! `{value, shape}` with a list of numbers before that. The file is read as a stream, so that memory holds the
//! tensors and not the surrounding text.

mod bounded;
mod tensor;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::name_room::NameRoom;
use super::source_kind::Encoding;
use super::state_dict::{StateDict, StateTensor, file_name};
use crate::error::{Error, Problem, Result};
use crate::memory::Part;
use bounded::Bounded;
use tensor::{Fields, Kind, Leaf, Precision};

/// Limit on nesting: each level uses stack. `serde_json` has the same limit.
const MAX_DEPTH: usize = 128;

/// More tensors than any network has; a file with many empty ones would exhaust memory.
const MAX_TENSORS: usize = 1 << 16;

/// Reads all tensors of a record.
///
/// # Errors
/// When the file cannot be read, has no names, unpacks to too much data, is damaged, or is not a record.
pub(super) fn read(path: &Path, encoding: Encoding, gzip: bool) -> Result<StateDict> {
    let blame = |problem: Problem| problem.of_model(file_name(path));
    // Their fields are lists in the order of the module's Rust definition, which the file does not have.
    if encoding == Encoding::Unnamed {
        return Err(blame(
            Problem::new("is a Burn record without names, so its tensors cannot be distinguished")
                .hint("load it with the Burn version that wrote it and save it with NamedMpkFileRecorder"),
        ));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = Bounded::new(file, gzip).map_err(Error::io("read", path))?;
    let mut stream = BufReader::new(&mut bytes);
    let tensors = match encoding {
        Encoding::Json => from_json(&mut stream),
        Encoding::Named | Encoding::Unnamed => from_messagepack(&mut stream),
    };
    let tensors = tensors.map_err(|problem| blame(bytes.problem().unwrap_or(problem)))?;
    match tensors.is_empty() {
        true => Err(blame(Problem::new("holds no tensors").expected("the record of a module"))),
        false => Ok(StateDict::flat(tensors)),
    }
}

fn from_json(bytes: &mut impl Read) -> Result<BTreeMap<String, StateTensor>, Problem> {
    let mut json = serde_json::Deserializer::from_reader(bytes);
    let tensors = json.deserialize_map(Record).map_err(|error| unreadable(&error, error.is_eof()))?;
    json.end().map_err(|error| unreadable(&error, false))?;
    Ok(tensors)
}

fn from_messagepack(bytes: &mut impl Read) -> Result<BTreeMap<String, StateTensor>, Problem> {
    use rmp_serde::decode::Error::{InvalidDataRead, InvalidMarkerRead};
    let mut pack = rmp_serde::Deserializer::new(&mut *bytes);
    pack.set_max_depth(MAX_DEPTH);
    let tensors = pack.deserialize_map(Record).map_err(|error| match &error {
        InvalidMarkerRead(cause) | InvalidDataRead(cause) => {
            unreadable(&error, cause.kind() == std::io::ErrorKind::UnexpectedEof)
        }
        _ => unreadable(&error, false),
    })?;
    // Reading to the end makes gzip check its checksum.
    match std::io::copy(bytes, &mut std::io::sink()) {
        Ok(0) => Ok(tensors),
        Ok(more) => Err(unreadable(&format!("{more} bytes follow it"), false)),
        Err(error) => Err(unreadable(&error, false)),
    }
}

fn unreadable(error: &dyn fmt::Display, cut: bool) -> Problem {
    match (cut, error.to_string()) {
        (true, _) => {
            Problem::new("is not a readable Burn record: it is empty or cut short").hint("is it whole?")
        }
        (_, problem) if problem.starts_with("tensor '") => problem.into(),
        (_, problem) => format!("is not a readable Burn record: {problem}").into(),
    }
}

/// The whole file.
struct Record;

impl<'de> Visitor<'de> for Record {
    type Value = BTreeMap<String, StateTensor>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with 'metadata' and 'item'")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        #[derive(serde::Deserialize)]
        struct Metadata {
            float: String,
        }
        let mut precision = None;
        let mut tensors = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "metadata" => precision = Some(Precision::of(&map.next_value::<Metadata>()?.float)),
                "item" => {
                    let precision =
                        precision.ok_or_else(|| A::Error::custom("expected 'metadata' before 'item'"))?;
                    let room = NameRoom::default();
                    let mut walk = Walk { path: Vec::new(), tensors: BTreeMap::new(), room, precision };
                    map.next_value_seed(&mut walk)?;
                    tensors = Some(walk.tensors);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        tensors.ok_or_else(|| A::Error::custom("expected a map with 'metadata' and 'item'"))
    }
}

/// A step into the module.
enum Step {
    Field(String),
    Index(usize),
}

/// Walks the module and collects its tensors.
struct Walk {
    path: Vec<Step>,
    tensors: BTreeMap<String, StateTensor>,
    room: NameRoom,
    precision: Precision,
}

impl Walk {
    /// The current path, joined by dots. The `param` of a parameter is left out.
    fn name(&self) -> String {
        let steps = match self.path.as_slice() {
            [rest @ .., Step::Field(last)] if last == "param" => rest,
            all => all,
        };
        let text = |step: &Step| match step {
            Step::Field(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        };
        steps.iter().map(text).collect::<Vec<_>>().join(".")
    }

    fn keep(&mut self, fields: Fields) -> Result<(), Problem> {
        // Each part is at least in the file; the path repeats it for every tensor.
        let length = |step: &Step| match step {
            Step::Field(name) => name.len(),
            Step::Index(_) => 1,
        };
        self.room.take(self.path.iter().map(length).sum())?;
        let blame = |problem: Problem| problem.about_tensor(self.name());
        let Some(tensor) = fields.tensor(self.precision).map_err(blame)? else { return Ok(()) };
        if self.tensors.len() == MAX_TENSORS {
            return Err(format!("it has more than {MAX_TENSORS} tensors").into());
        }
        match self.tensors.insert(self.name(), tensor) {
            Some(_) => Err(format!("two tensors are called '{}'", self.name()).into()),
            None => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Walk {
    type Value = Leaf;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Leaf, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Walk {
    type Value = Leaf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a module")
    }

    fn visit_unit<E>(self) -> Result<Leaf, E> {
        Ok(Leaf::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Leaf, E> {
        Ok(Leaf::Number(u8::from(value).into(), Kind::Truth))
    }

    #[allow(clippy::cast_precision_loss)] // shapes, bytes and halves are small enough
    fn visit_u64<E>(self, value: u64) -> Result<Leaf, E> {
        Ok(Leaf::Number(value as f32, Kind::Whole))
    }

    #[allow(clippy::cast_precision_loss)] // as above
    fn visit_i64<E>(self, value: i64) -> Result<Leaf, E> {
        Ok(Leaf::Number(value as f32, Kind::Whole))
    }

    #[allow(clippy::cast_possible_truncation)] // everything is computed in f32
    fn visit_f64<E>(self, value: f64) -> Result<Leaf, E> {
        Ok(Leaf::Number(value as f32, Kind::Real))
    }

    fn visit_str<E>(self, value: &str) -> Result<Leaf, E> {
        Ok(Leaf::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Leaf, E> {
        Ok(Leaf::Bytes(value.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Leaf, A::Error> {
        let (mut numbers, mut written, mut others) = (Vec::new(), None, false);
        let most = Part::RecordNumbers.most();
        for index in 0.. {
            self.path.push(Step::Index(index));
            let Some(leaf) = list.next_element_seed(&mut *self)? else { break };
            self.path.pop();
            match leaf {
                Leaf::Number(..) if numbers.len() as u64 == most => {
                    return Err(A::Error::custom(format!("a list has more than {most} numbers")));
                }
                Leaf::Number(number, kind) if !others => {
                    numbers.push(number);
                    written = written.max(Some(kind));
                }
                _ => {
                    // A list of tensors or modules, which have been collected on the way.
                    numbers = Vec::new();
                    others = true;
                }
            }
        }
        self.path.pop();
        Ok(if others { Leaf::List } else { Leaf::Numbers(numbers, written) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Leaf, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            self.path.push(Step::Field(key));
            let leaf = map.next_value_seed(&mut *self)?;
            if let Some(Step::Field(key)) = self.path.pop() {
                fields.put(&key, leaf);
            }
        }
        self.keep(fields).map_err(A::Error::custom)?;
        Ok(Leaf::Nothing)
    }
}
