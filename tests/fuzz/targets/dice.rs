//! Random numbers that are the same every time.

/// Xorshift, from any number but 0.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `count`; 0 if there is none.
    pub fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % count.max(1)
    }
}
