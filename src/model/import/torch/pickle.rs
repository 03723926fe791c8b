//! Reads a pickle into a table of values, without calling anything.
//!
//! A pickle is a program for a stack machine. All instructions of protocols 0 to 5 are known here, and none of them
//! executes Python: for a class only its name is kept, and [`Heap::call`] interprets the few calls that construct
//! tensors. Every other call gives an inert object, so that other objects stored with the weights can be skipped.
//! Memory grows only with the size of the file.

mod build;

use std::collections::HashMap;
use std::io::BufRead;

use super::damage::Damage;
use super::input::{Input, unescaped};
use super::value::{Heap, Id, Value};

/// Python's newest protocol; PyTorch writes 2 by default.
const NEWEST_PROTOCOL: u8 = 5;

/// The values of one pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) heap: Heap,
    pub(super) root: Id,
}

/// Reads one pickle, and nothing after its end.
///
/// # Errors
/// When the file ends early or the program is invalid.
pub(super) fn read(input: &mut impl BufRead) -> Result<Pickle, Damage> {
    let mut machine = Machine {
        input: Input(input),
        heap: Heap::new(),
        stack: vec![],
        marks: vec![],
        memo: HashMap::new(),
    };
    loop {
        let op = machine.input.byte()?;
        // STOP. A file before PyTorch 1.6 has several pickles in a row; the next one begins here.
        if op == b'.' {
            let root = machine.pop()?;
            return Ok(Pickle { heap: machine.heap, root });
        }
        let known = machine.number(op)?
            || machine.text(op)?
            || machine.collection(op)?
            || machine.memory(op)?
            || machine.class(op)?
            || machine.object(op)?;
        if !known {
            return Err(Damage::new(format!("its pickle has an unknown instruction 0x{op:02x}")));
        }
    }
}

struct Machine<'a, R> {
    input: Input<'a, R>,
    heap: Heap,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<R: BufRead> Machine<'_, R> {
    fn pop(&mut self) -> Result<Id, Damage> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => self.stack.pop().ok_or_else(|| Damage::new("its pickle takes from an empty stack")),
            false => Err(Damage::new("its pickle takes from an empty stack")),
        }
    }

    fn top(&mut self) -> Result<Id, Damage> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    /// All values since the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, Damage> {
        let mark =
            self.marks.pop().ok_or_else(|| Damage::new("its pickle has no mark where it needs one"))?;
        Ok(self.stack.split_off(mark))
    }

    fn push(&mut self, value: Value) -> Result<bool, Damage> {
        let id = self.heap.add(value)?;
        Ok(self.push_id(id))
    }

    fn push_id(&mut self, id: Id) -> bool {
        self.stack.push(id);
        true
    }

    fn push_int(&mut self, number: Option<i64>) -> Result<bool, Damage> {
        match number {
            Some(number) => self.push(Value::Int(number)),
            None => Ok(self.push_id(Heap::OTHER)),
        }
    }

    fn push_text(&mut self, text: Option<String>) -> Result<bool, Damage> {
        match text {
            Some(text) => self.push(Value::Text(text.into())),
            None => Ok(self.push_id(Heap::OTHER)),
        }
    }

    fn number(&mut self, op: u8) -> Result<bool, Damage> {
        match op {
            b'N' => Ok(self.push_id(Heap::NONE)),
            0x88 => Ok(self.push_id(Heap::TRUE)),
            0x89 => Ok(self.push_id(Heap::FALSE)),
            b'I' | b'L' | b'F' => {
                let line = self.input.line()?;
                match (op, line.as_str()) {
                    // Protocol 0 has no booleans: these two spellings of INT stand for them.
                    (b'I', "01") => Ok(self.push_id(Heap::TRUE)),
                    (b'I', "00") => Ok(self.push_id(Heap::FALSE)),
                    (b'F', line) => self.push(Value::Float(line.parse().unwrap_or(f64::NAN))),
                    (_, line) => self.push_int(line.trim_end_matches('L').parse().ok()),
                }
            }
            // BINFLOAT is the one number that a pickle stores in big-endian order.
            b'G' => {
                let number = self.input.array().map(f64::from_be_bytes)?;
                self.push(Value::Float(number))
            }
            b'J' | b'K' | b'M' | 0x8a | 0x8b => {
                let number = match op {
                    b'J' => Some(self.input.array().map(i32::from_le_bytes)?.into()),
                    b'K' => Some(self.input.byte()?.into()),
                    b'M' => Some(self.input.array().map(u16::from_le_bytes)?.into()),
                    _ => {
                        let length = self.input.length(if op == 0x8a { 1 } else { 4 })?;
                        self.input.long(length)?
                    }
                };
                self.push_int(number)
            }
            _ => Ok(false),
        }
    }

    fn text(&mut self, op: u8) -> Result<bool, Damage> {
        let width = match op {
            b'U' | b'C' | 0x8c => 1,
            b'T' | b'X' | b'B' => 4,
            _ => 8,
        };
        match op {
            b'V' => {
                let line = self.input.line()?;
                self.push_text(Some(unescaped(&line)))
            }
            b'S' => {
                let line = self.input.line()?;
                self.push_text(Some(line.trim_matches(['\'', '"']).to_owned()))
            }
            b'X' | b'T' | b'U' | 0x8c | 0x8d => {
                let length = self.input.length(width)?;
                let text = self.input.text(length)?;
                self.push_text(text)
            }
            // Bytes are skipped and not stored: they are no names, and weights are in storages.
            b'B' | b'C' | 0x8e | 0x96 => {
                let length = self.input.length(width)?;
                self.input.skip(length)?;
                Ok(self.push_id(Heap::OTHER))
            }
            // A buffer outside the file.
            0x97 => Ok(self.push_id(Heap::OTHER)),
            // READONLY_BUFFER changes the buffer on the stack, which stays as it is.
            0x98 => Ok(true),
            _ => Ok(false),
        }
    }
}
