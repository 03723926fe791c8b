//! The values of a pickle in one table.
//!
//! Values refer to each other by index, like Python's object references: shared and circular values are stored once.
//! Nothing was executed; an object of an unknown class holds what was put into it.

use super::damage::Damage;
use crate::import::element::ElementType;
use crate::memory::Part;

/// Index of a value in the table.
pub(super) type Id = u32;

/// One value.
#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    /// Bytes, huge numbers, long texts: not part of names or weights.
    Other,
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by name.
    Class(Box<Class>),
    Object(Box<Object>),
    Storage(Box<Storage>),
    Tensor(Box<View>),
}

/// A class or function by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) module: String,
    pub(super) name: String,
}

/// An object of a class that was not called.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// Items of a list, set or deque.
    pub(super) items: Vec<Id>,
    /// Pairs of a dictionary.
    pub(super) pairs: Vec<(Id, Id)>,
    /// The values that its attributes were set from, in order.
    pub(super) states: Vec<Id>,
}

/// A storage: the values that tensors are views of.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    /// Its name in the container.
    pub(super) key: String,
    /// Element type and width in bytes; `None` for an untyped storage, where the tensor specifies it.
    pub(super) kind: Option<(ElementType, usize)>,
    /// Number of elements that a tensor may use; bytes, if it is untyped.
    pub(super) reach: usize,
    /// The first element, for a storage that is part of another.
    pub(super) start: usize,
}

/// A tensor as a view of a storage.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) storage: Storage,
    pub(super) element: ElementType,
    /// Bytes per element.
    pub(super) width: usize,
    /// The first element.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Stride of each axis in elements.
    pub(super) strides: Vec<usize>,
}

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Heap {
    values: Vec<Value>,
    /// How many there may be.
    most: u64,
    /// Bytes that their texts may still have.
    texts: u64,
}

impl Heap {
    pub(super) const NONE: Id = 0;
    pub(super) const TRUE: Id = 1;
    pub(super) const FALSE: Id = 2;
    pub(super) const OTHER: Id = 3;

    pub(super) fn new() -> Self {
        let values = vec![Value::None, Value::Bool(true), Value::Bool(false), Value::Other];
        Self { values, most: Part::PickleValues.most(), texts: Part::Header.most() }
    }

    /// Adds a value.
    pub(super) fn add(&mut self, value: Value) -> Result<Id, Damage> {
        let id = self.values.len();
        if id as u64 >= self.most {
            return Err(Damage::new(format!("its pickle holds more than {} values", self.most)));
        }
        let length = match &value {
            Value::Text(text) => text.len(),
            Value::Class(class) => class.module.len() + class.name.len(),
            Value::Storage(storage) => storage.key.len(),
            _ => 0,
        };
        let left = self.texts.checked_sub(length as u64);
        self.texts =
            left.ok_or_else(|| Damage::new("the texts of its pickle are longer than any checkpoint's"))?;
        self.values.push(value);
        // Always fits: the limit is far below.
        Ok(Id::try_from(id).unwrap_or(Self::OTHER))
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    pub(super) fn get_mut(&mut self, id: Id) -> &mut Value {
        &mut self.values[id as usize]
    }

    /// An object of an unknown class.
    pub(super) fn inert(&mut self) -> Result<Id, Damage> {
        self.add(Value::Object(Box::default()))
    }

    /// Every storage that is referenced.
    pub(super) fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.values.iter().filter_map(|value| match value {
            Value::Storage(storage) => Some(&**storage),
            _ => None,
        })
    }

    /// How often values refer to values: each would be visited once if none were shared.
    pub(super) fn references(&self) -> usize {
        let ids = 0..self.values.len() as Id;
        let of = |id| self.members(id).map_or(0, <[Id]>::len) + self.pairs(id).map_or(0, <[_]>::len);
        ids.map(of).sum()
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn class(&self, id: Id) -> Option<&Class> {
        match self.get(id) {
            Value::Class(class) => Some(class),
            _ => None,
        }
    }

    /// The members of a tuple or list.
    pub(super) fn members(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(members) | Value::List(members) => Some(members),
            Value::Object(object) => Some(&object.items),
            _ => None,
        }
    }

    /// The pairs of a dictionary of any class.
    pub(super) fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict(pairs) => Some(pairs),
            Value::Object(object) => Some(&object.pairs),
            _ => None,
        }
    }

    /// A dictionary key as Python prints it; `None` for keys that cannot be part of a name.
    pub(super) fn key(&self, id: Id) -> Option<String> {
        Some(match self.get(id) {
            Value::Text(text) => text.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::None => "None".into(),
            _ => return None,
        })
    }
}
