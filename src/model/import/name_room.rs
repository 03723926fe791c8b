//! How long the names of a file's tensors may be.
//!
//! Receives the length of each name before it is put together; refuses what no network has. Names are paths, so a file of a kilobyte can
//! repeat one long part in any number of them.

use crate::error::Problem;
use crate::memory::Part;

/// The longest name, in bytes. Those of the deepest networks have about a hundred.
const MAX_NAME: usize = 4096;

pub(super) struct NameRoom {
    left: u64,
    /// All names together, in bytes.
    most: u64,
}

impl Default for NameRoom {
    fn default() -> Self {
        let most = Part::Names.most();
        Self { left: most, most }
    }
}

impl NameRoom {
    /// Takes the room of one more name.
    pub(super) fn take(&mut self, length: usize) -> Result<(), Problem> {
        if length > MAX_NAME {
            let problem = Problem::new(format!("the name of a tensor has {length} bytes"));
            return Err(problem.expected(format!("at most {MAX_NAME}")));
        }
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            Problem::new("the names of its tensors are longer than any network's")
                .expected(format!("at most {} MiB together", self.most >> 20))
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_limited_each_and_together() {
        let mut room = NameRoom::default();
        assert!(room.take(MAX_NAME + 1).is_err());
        assert!((0..Part::Names.ceiling() as usize / MAX_NAME).all(|_| room.take(MAX_NAME).is_ok()));
        assert!(room.take(1).is_err());
    }
}
