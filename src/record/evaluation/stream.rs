//! Evaluations of many pictures: their targets are read and written one by one.
//!
//! Receives and gives JSON; keeps no target.

use std::cell::RefCell;
use std::fmt;
use std::io::{BufReader, Read, Seek, Write};

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::layout;
use super::{EVALUATION_VERSION, EvaluatedTarget, Evaluation};
use crate::error::{Error, Problem, Result};

/// Receives a target that was read.
type Each<'a> = &'a mut dyn FnMut(EvaluatedTarget) -> Result<()>;

impl Evaluation<()> {
    /// Reads all but the targets of an evaluation of this version.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not one, and for another version.
    pub fn read_head(mut json: impl Read + Seek) -> Result<Self> {
        // The version first: the fields of another one would only give an error about an unknown field.
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let Version { schema_version } = parsed(&mut json)?;
        if schema_version != EVALUATION_VERSION {
            let problem = Problem::new(format!("has version {schema_version}"));
            let problem = problem.expected(EVALUATION_VERSION.to_string());
            return Err(Error::request(problem.hint("use the burncam that wrote it")));
        }
        let head: Evaluation<IgnoredAny> = parsed(&mut json)?;
        Ok(head.with_targets(()))
    }

    /// As [`Evaluation::read_head`], and then `each` receives the targets in their order. None is kept.
    ///
    /// # Errors
    /// As [`Evaluation::read_head`], and the first error of `each`.
    pub fn read(mut json: impl Read + Seek, each: Each) -> Result<Self> {
        let head = Self::read_head(&mut json)?;
        let mut stopped = None;
        let found = Targets { each, stopped: &mut stopped }.deserialize(&mut from_start(&mut json)?);
        // What the receiver says goes before what the parser makes of it.
        match stopped {
            Some(error) => Err(error),
            None => found.map(|()| head).map_err(|error| not_one(&error)),
        }
    }
}

impl<T: Serialize> Evaluation<T> {
    /// Writes the evaluation as indented JSON with a final newline. The targets are not checked: see [`EvaluatedTarget::check_finite`].
    ///
    /// # Errors
    /// When it cannot be written, or `T` cannot give its targets.
    pub fn write_json(&self, out: &mut dyn Write) -> std::io::Result<()> {
        layout::write_json(self, out)
    }
}

/// Targets that are made when they are written, in the place of a list of them.
#[derive(Debug)]
pub struct OneByOne<I>(RefCell<Option<I>>);

impl<I> OneByOne<I> {
    /// Of these targets, which can be written once.
    pub fn new(targets: I) -> Self {
        Self(RefCell::new(Some(targets)))
    }
}

impl<I: IntoIterator<Item = Result<EvaluatedTarget, E>>, E: fmt::Display> Serialize for OneByOne<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let targets = self.0.take().ok_or_else(|| S::Error::custom("targets were written before"))?;
        let mut list = serializer.serialize_seq(None)?;
        for target in targets {
            // The alternate form has all causes.
            list.serialize_element(&target.map_err(|error| S::Error::custom(format!("{error:#}")))?)?;
        }
        list.end()
    }
}

fn parsed<T: for<'a> Deserialize<'a>>(json: &mut (impl Read + Seek)) -> Result<T> {
    let mut json = from_start(json)?;
    let value = T::deserialize(&mut json).map_err(|error| not_one(&error))?;
    json.end().map_err(|error| not_one(&error))?;
    Ok(value)
}

fn from_start<R: Read + Seek>(
    json: &mut R,
) -> Result<serde_json::Deserializer<serde_json::de::IoRead<BufReader<&mut R>>>> {
    json.rewind().map_err(|error| Error::request(format!("cannot be read: {error}")))?;
    Ok(serde_json::Deserializer::from_reader(BufReader::new(json)))
}

fn not_one(error: &serde_json::Error) -> Error {
    Error::request(format!("is not an evaluation of burncam: {error}"))
}

/// Finds the list of targets and passes them on.
struct Targets<'a, 'b> {
    each: Each<'a>,
    stopped: &'b mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for Targets<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Targets<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an evaluation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Targets { each, stopped } = self;
        while let Some(name) = map.next_key::<String>()? {
            if name == "targets" {
                map.next_value_seed(Targets { each: &mut *each, stopped: &mut *stopped })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(target) = list.next_element()? {
            if let Err(error) = (self.each)(target) {
                *self.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
