//! Finds the tensors in a pickle and names them.
//!
//! A name consists of the keys, indices and attributes from the root, joined by dots. A `torch.nn.Module` has the
//! names of its `state_dict()`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::damage::Damage;
use super::pickle::Pickle;
use super::value::{Heap, Id, Object, Value, View};
use crate::import::name_room::NameRoom;

/// No checkpoint nests deeper. The walk is recursive, so this bounds the stack.
const DEEPEST: usize = 256;

/// A shared value is visited once per path; this bounds files with exponentially many paths.
const MOST_VISITS: usize = 1 << 24;
/// Checkpoints share a module a few times. Small files reach this limit long before the one above.
const VISITS_PER_REFERENCE: usize = 64;

/// Every tensor by name, and the dictionaries.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) tensors: BTreeMap<String, View>,
    /// Prefix of the names in each dictionary: a name and a dot. The root is not listed.
    pub(super) dictionaries: BTreeSet<String>,
}

/// Walks from the root.
///
/// # Errors
/// When values nest deeper, are shared more often, or have longer names than in any checkpoint.
pub(super) fn names(pickle: &Pickle) -> Result<Names, Damage> {
    let (room, names) = (NameRoom::default(), Names::default());
    let visits_left = (VISITS_PER_REFERENCE * pickle.heap.references()).min(MOST_VISITS);
    let mut walk = Walk { heap: &pickle.heap, open: HashSet::new(), visits_left, room, names };
    walk.visit(pickle.root, &mut String::new(), false)?;
    Ok(walk.names)
}

struct Walk<'a> {
    heap: &'a Heap,
    /// The values between the root and the current one; meeting one again means a cycle.
    open: HashSet<Id>,
    visits_left: usize,
    room: NameRoom,
    names: Names,
}

impl Walk<'_> {
    /// `inside` means that an enclosing module already counts as a dictionary.
    fn visit(&mut self, id: Id, path: &mut String, inside: bool) -> Result<(), Damage> {
        let heap = self.heap;
        match heap.get(id) {
            Value::Tensor(view) if !path.is_empty() => {
                self.room.take(path.len())?;
                self.names.tensors.entry(path.clone()).or_insert_with(|| (**view).clone());
                return Ok(());
            }
            Value::Tuple(_) | Value::List(_) | Value::Dict(_) | Value::Object(_) => {}
            _ => return Ok(()),
        }
        // A cycle, for example a module that refers to its parent.
        if !self.open.insert(id) {
            return Ok(());
        }
        if self.open.len() > DEEPEST {
            return Err(Damage::new(format!("its values nest deeper than {DEEPEST}")));
        }
        match heap.get(id) {
            Value::Tuple(members) | Value::List(members) => self.members(members, path)?,
            Value::Dict(pairs) => self.dictionary(pairs, path, inside)?,
            Value::Object(object) => self.object(object, path, inside)?,
            _ => {}
        }
        self.open.remove(&id);
        Ok(())
    }

    fn count(&mut self, visits: usize) -> Result<(), Damage> {
        let left = self.visits_left.checked_sub(visits);
        self.visits_left =
            left.ok_or_else(|| Damage::new("its values are shared more often than any checkpoint's"))?;
        Ok(())
    }

    /// Visits a member under its name.
    fn member(&mut self, name: &str, id: Id, path: &mut String, inside: bool) -> Result<(), Damage> {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        self.visit(id, path, inside)?;
        path.truncate(length);
        Ok(())
    }

    fn members(&mut self, members: &[Id], path: &mut String) -> Result<(), Damage> {
        self.count(members.len())?;
        for (index, id) in members.iter().enumerate() {
            self.member(&index.to_string(), *id, path, false)?;
        }
        Ok(())
    }

    fn dictionary(&mut self, pairs: &[(Id, Id)], path: &mut String, inside: bool) -> Result<(), Damage> {
        self.count(pairs.len())?;
        if !inside && !path.is_empty() {
            self.room.take(path.len())?;
            self.names.dictionaries.insert(format!("{path}."));
        }
        for (key, id) in pairs {
            if let Some(key) = self.heap.key(*key) {
                self.member(&key, *id, path, false)?;
            }
        }
        Ok(())
    }

    fn object(&mut self, object: &Object, path: &mut String, inside: bool) -> Result<(), Damage> {
        if let Some(tables) = self.module(object)? {
            if !inside && !path.is_empty() {
                self.room.take(path.len())?;
                self.names.dictionaries.insert(format!("{path}."));
            }
            return self.state_dict(&tables, path);
        }
        self.members(&object.items, path)?;
        self.dictionary(&object.pairs, path, inside)?;
        for state in &object.states {
            match self.heap.get(*state) {
                Value::Dict(attributes) => self.dictionary(attributes, path, inside)?,
                // A class with slots has a dictionary or `None`, and a second dictionary.
                Value::Tuple(parts) => {
                    for part in parts {
                        if let Value::Dict(attributes) = self.heap.get(*part) {
                            self.dictionary(attributes, path, inside)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The tables of a `torch.nn.Module`; `None` for other objects.
    fn module(&mut self, object: &Object) -> Result<Option<Module>, Damage> {
        for state in &object.states {
            let Value::Dict(attributes) = self.heap.get(*state) else { continue };
            self.count(attributes.len())?;
            let find = |name: &str| {
                let found = attributes.iter().find(|(key, _)| self.heap.text(*key) == Some(name));
                found.map(|(_, id)| *id)
            };
            let (parameters, buffers, modules) = (find("_parameters"), find("_buffers"), find("_modules"));
            if let (Some(parameters), Some(buffers), Some(modules)) = (parameters, buffers, modules) {
                let passing = find("_non_persistent_buffers_set");
                return Ok(Some(Module { parameters, buffers, modules, passing }));
            }
        }
        Ok(None)
    }

    fn state_dict(&mut self, module: &Module, path: &mut String) -> Result<(), Damage> {
        let heap = self.heap;
        let passing = module.passing.and_then(|set| heap.members(set)).unwrap_or_default();
        let passing: HashSet<&str> = passing.iter().filter_map(|id| heap.text(*id)).collect();
        for table in [module.parameters, module.buffers, module.modules] {
            let pairs = heap.pairs(table).unwrap_or_default();
            self.count(pairs.len())?;
            for (name, id) in pairs {
                match heap.text(*name) {
                    // Buffers that are not persistent are in the pickle, but not in the module's `state_dict()`.
                    Some(name) if table == module.buffers && passing.contains(name) => {}
                    Some(name) => self.member(name, *id, path, true)?,
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// The parts of a module that form its `state_dict()`.
struct Module {
    parameters: Id,
    buffers: Id,
    modules: Id,
    /// Names of buffers that are not persistent.
    passing: Option<Id>,
}
