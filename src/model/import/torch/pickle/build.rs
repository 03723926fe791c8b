//! Instructions that build values: collections, the memo, classes and objects.

use std::io::BufRead;

use super::{Machine, NEWEST_PROTOCOL};
use crate::import::torch::damage::Damage;
use crate::import::torch::value::{Class, Heap, Id, Value};

impl<R: BufRead> Machine<'_, R> {
    pub(super) fn collection(&mut self, op: u8) -> Result<bool, Damage> {
        match op {
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(true)
            }
            b')' => self.push(Value::Tuple(vec![])),
            b']' | 0x8f => self.push(Value::List(vec![])),
            b'}' => self.push(Value::Dict(vec![])),
            // TUPLE1 to TUPLE3: the instruction says how many values it takes.
            0x85..=0x87 => {
                let mut members = vec![];
                for _ in 0x85..=op {
                    members.insert(0, self.pop()?);
                }
                self.push(Value::Tuple(members))
            }
            b'a' => {
                let member = self.pop()?;
                self.extend(&[member])
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])
            }
            _ => self.since_the_mark(op),
        }
    }

    /// Collections of all values since the last mark.
    fn since_the_mark(&mut self, op: u8) -> Result<bool, Damage> {
        if !matches!(op, b't' | b'l' | 0x91 | b'd' | b'e' | 0x90 | b'u') {
            return Ok(false);
        }
        let members = self.marked()?;
        match op {
            b't' => self.push(Value::Tuple(members)),
            b'd' => self.push(Value::Dict(paired(&members))),
            b'e' | 0x90 => self.extend(&members),
            b'u' => self.set(&members),
            _ => self.push(Value::List(members)),
        }
    }

    /// Appends members to the list, set or object on the stack.
    fn extend(&mut self, members: &[Id]) -> Result<bool, Damage> {
        let list = self.top()?;
        match self.heap.get_mut(list) {
            Value::List(items) => items.extend(members),
            Value::Object(object) => object.items.extend(members),
            _ => return Err(Damage::new("its pickle appends to what is no list")),
        }
        Ok(true)
    }

    /// Adds keys and values to the dictionary or object on the stack.
    fn set(&mut self, members: &[Id]) -> Result<bool, Damage> {
        let dictionary = self.top()?;
        match self.heap.get_mut(dictionary) {
            Value::Dict(pairs) => pairs.extend(paired(members)),
            Value::Object(object) => object.pairs.extend(paired(members)),
            _ => return Err(Damage::new("its pickle puts keys into what is no dictionary")),
        }
        Ok(true)
    }

    pub(super) fn memory(&mut self, op: u8) -> Result<bool, Damage> {
        let index = match op {
            b'g' | b'p' => self.input.line()?.parse().map_err(|_| Damage::new("its pickle is damaged"))?,
            b'h' | b'q' => self.input.byte()?.into(),
            b'j' | b'r' => self.input.u32()?,
            // MEMOIZE counts by itself.
            0x94 => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
            _ => 0,
        };
        match op {
            // POP right after a mark removes the mark, which Python keeps on the same stack.
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'g' | b'h' | b'j' => {
                let id = self.memo.get(&index).copied();
                self.stack.push(id.ok_or_else(|| Damage::new("its pickle recalls what it has not noted"))?);
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let top = self.top()?;
                self.memo.insert(index, top);
            }
            0x80 => match self.input.byte()? {
                0..=NEWEST_PROTOCOL => {}
                protocol => {
                    return Err(Damage::new(format!("its pickle is of the unknown protocol {protocol}")));
                }
            },
            // FRAME: a length for buffering; the instructions in it follow as usual.
            0x95 => self.input.skip(8)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A class or function by name, or an object of it in protocol 0.
    pub(super) fn class(&mut self, op: u8) -> Result<bool, Damage> {
        let class = match op {
            b'c' | b'i' => Class { module: self.input.line()?, name: self.input.line()? },
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id: Id| self.heap.text(id).unwrap_or_default().to_owned();
                Class { module: text(module), name: text(name) }
            }
            // A class by a number that only the writer's registry knows.
            0x82..=0x84 => {
                self.input.skip(1 << (op - 0x82))?;
                return Ok(self.push_id(Heap::OTHER));
            }
            _ => return Ok(false),
        };
        let class = self.heap.add(Value::Class(Box::new(class)))?;
        let id = match op {
            b'i' => {
                self.marked()?;
                self.heap.inert()?
            }
            _ => class,
        };
        Ok(self.push_id(id))
    }

    pub(super) fn object(&mut self, op: u8) -> Result<bool, Damage> {
        let id = match op {
            b'P' => {
                self.input.line()?;
                Heap::OTHER
            }
            b'Q' => {
                let id = self.pop()?;
                self.heap.persistent(id)?
            }
            // REDUCE calls, NEWOBJ makes an object of a class: one is read like the other.
            b'R' | 0x81 => {
                let (args, class) = (self.pop()?, self.pop()?);
                self.heap.call(class, args)?
            }
            0x92 => {
                // No call that makes a tensor has keywords.
                let (_keywords, args, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.heap.call(class, args)?
            }
            b'o' => {
                self.marked()?;
                self.heap.inert()?
            }
            b'b' => {
                let (state, object) = (self.pop()?, self.pop()?);
                if let Value::Object(object) = self.heap.get_mut(object) {
                    // Kept apart: what a class makes of its state is its own code, which is not run.
                    object.states.push(state);
                }
                object
            }
            _ => return Ok(false),
        };
        Ok(self.push_id(id))
    }
}

fn paired(members: &[Id]) -> Vec<(Id, Id)> {
    members.as_chunks().0.iter().map(|[key, value]| (*key, *value)).collect()
}
