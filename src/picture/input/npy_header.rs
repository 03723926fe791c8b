//! The header of a `.npy` file: what Python would write for a dictionary of three entries.
//!
//! Receives text of at most a few kilobytes; gives the type, the order and the shape, or a clause. Nothing here recurses.

use crate::error::Problem;

/// Words before what is wrong with the file's form.
pub(super) const UNSOUND: &str = "not a sound .npy file: ";

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: Number,
    /// Whether the first index is the fastest.
    pub(super) is_fortran: bool,
    /// Length of each axis.
    pub(super) shape: Vec<usize>,
}

/// A number's type and byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) kind: Kind,
    pub(super) is_big_endian: bool,
}

/// The types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F16,
    F32,
    F64,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
}

impl Kind {
    /// The type of this name, which has its size in bytes.
    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"f2" => Self::F16,
            b"f4" => Self::F32,
            b"f8" => Self::F64,
            b"u1" => Self::U8,
            b"u2" => Self::U16,
            b"u4" => Self::U32,
            b"u8" => Self::U64,
            b"i1" => Self::I8,
            b"i2" => Self::I16,
            b"i4" => Self::I32,
            b"i8" => Self::I64,
            _ => return None,
        })
    }
}

impl Header {
    /// # Errors
    /// A clause, for anything else than the three entries.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let mut rest = Text(text);
        let (mut descr, mut order, mut shape) = (None, None, None);
        rest.expect(b'{')?;
        while !rest.take(b'}') {
            let key = rest.quoted()?;
            rest.expect(b':')?;
            match key {
                b"descr" => descr = Some(number(&mut rest)?),
                b"fortran_order" => order = Some(rest.truth()?),
                b"shape" => shape = Some(rest.numbers()?),
                _ => return Err(unsound(format!("its header has '{}'", key.escape_ascii()))),
            }
            if !rest.take(b',') {
                rest.expect(b'}')?;
                break;
            }
        }
        let missing = |name: &str| unsound(format!("its header has no '{name}'"));
        Ok(Self {
            number: descr.ok_or_else(|| missing("descr"))?,
            is_fortran: order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

fn unsound(what: String) -> Problem {
    Problem::new(what).after(UNSOUND)
}

fn number(rest: &mut Text<'_>) -> Result<Number, Problem> {
    if rest.take(b'[') {
        return Err(Problem::new("holds records").expected("one number a cell"));
    }
    let text = rest.quoted()?;
    let known = match text {
        [order @ (b'<' | b'>' | b'|' | b'='), name @ ..] => {
            Kind::of(name).map(|kind| Number { kind, is_big_endian: *order == b'>' })
        }
        _ => None,
    };
    known.ok_or_else(|| {
        let problem = Problem::new(format!("holds numbers of type '{}'", text.escape_ascii()));
        problem.expected("float16 to float64 or integers")
    })
}

/// What is left of the text.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn broken(&self) -> Problem {
        let near: Vec<u8> = self.0.iter().copied().take(12).collect();
        unsound(format!("its header cannot be read at '{}'", near.escape_ascii()))
    }

    /// Takes a letter, after any spaces.
    fn take(&mut self, letter: u8) -> bool {
        self.0 = self.0.trim_ascii_start();
        let is_next = self.0.first() == Some(&letter);
        self.0 = &self.0[usize::from(is_next)..];
        is_next
    }

    fn expect(&mut self, letter: u8) -> Result<(), Problem> {
        if self.take(letter) { Ok(()) } else { Err(self.broken()) }
    }

    /// Takes as many bytes as are of a kind.
    fn while_of(&mut self, kind: impl Fn(&u8) -> bool) -> &'a [u8] {
        self.0 = self.0.trim_ascii_start();
        let (found, rest) = self.0.split_at(self.0.iter().take_while(|byte| kind(byte)).count());
        self.0 = rest;
        found
    }

    fn quoted(&mut self) -> Result<&'a [u8], Problem> {
        let quote = if self.take(b'\'') { b'\'' } else { b'"' };
        if quote == b'"' {
            self.expect(quote)?;
        }
        let end = self.0.iter().position(|byte| *byte == quote).ok_or_else(|| self.broken())?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(text)
    }

    fn truth(&mut self) -> Result<bool, Problem> {
        match self.while_of(u8::is_ascii_alphabetic) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(self.broken()),
        }
    }

    /// A tuple, or a list.
    fn numbers(&mut self) -> Result<Vec<usize>, Problem> {
        let end = if self.take(b'(') { b')' } else { b']' };
        if end == b']' {
            self.expect(b'[')?;
        }
        let mut all = vec![];
        while !self.take(end) {
            let digits = self.while_of(u8::is_ascii_digit);
            // Python 2 wrote long integers with this letter.
            self.take(b'L');
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            all.push(number.ok_or_else(|| self.broken())?);
            if !self.take(b',') {
                self.expect(end)?;
                break;
            }
        }
        Ok(all)
    }
}

/// The beginning of a file of `float32` in C order, up to the first number.
pub(super) fn of_floats(shape: &[usize]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(|side| format!("{side}, ")).collect();
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sides.concat());
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    // The whole is a multiple of 64 bytes, of which the last is a line break.
    let length = (bytes.len() + 2 + text.len() + 1).next_multiple_of(64) - bytes.len() - 2;
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.resize(10 + length - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_writes_is_read() {
        let floats = Number { kind: Kind::F32, is_big_endian: false };
        for (text, shape) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", vec![2, 3]),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }  \n", vec![7]),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", vec![]),
            ("{\"shape\":[2L,3L],\"descr\":\"<f4\",\"fortran_order\":False}", vec![2, 3]),
        ] {
            let header = Header::parse(text.as_bytes()).unwrap();
            assert_eq!(header, Header { number: floats, is_fortran: false, shape }, "{text}");
        }
        let big = Header::parse(b"{'descr': '>u8', 'fortran_order': True, 'shape': (1,), }").unwrap();
        assert_eq!(big.number, Number { kind: Kind::U64, is_big_endian: true });
        assert!(big.is_fortran);
    }

    #[test]
    fn what_is_written_is_what_others_write() {
        use npyz::WriterBuilder as _;
        for shape in [[7, 7], [1, 100_000], [123_456, 2]] {
            let mut other = Vec::new();
            let options = npyz::WriteOptions::new().default_dtype().shape(&shape.map(|side| side as u64));
            let mut writer = options.writer(&mut other).begin_nd().unwrap();
            writer.extend(vec![0.5_f32; shape[0] * shape[1]]).unwrap();
            writer.finish().unwrap();
            let header = of_floats(&shape);
            assert_eq!(header, other[..header.len()], "{shape:?}");
            assert_eq!(other.len() - header.len(), shape[0] * shape[1] * 4);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, problem) in [
            ("", "cannot be read at ''"),
            ("{'descr': '<f4', 'fortran_order': False}", "has no 'shape'"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3}", "cannot be read at '}'"),
            ("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,)}", "cannot be read at '1,"),
            ("{'descr': '<f4', 'shape': (-2,)}", "cannot be read at '-2"),
            ("{'descr': '<f4', 'shape': (99999999999999999999,)}", "cannot be read at ',"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "holds records"),
            ("{'descr': 'f', 'fortran_order': False, 'shape': (2,)}", "holds numbers of type 'f'"),
            ("{'a': 1}", "has 'a'"),
        ] {
            let found = Header::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(found.contains(problem), "{text}: {found}");
        }
    }
}
