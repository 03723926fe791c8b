//! Deflate with Huffman codes made for the data, and with no other repetitions than runs of zeros (RFC 1951).
//!
//! What PNG's filters leave of photographs has hardly any repetition that a search would find, and most of such a search's
//! time is wasted on it. Where it does repeat, as in masks and flat areas, filters leave zeros.

use burncam_graph::wide;

/// Symbols of literals, the end of a block, and lengths of runs.
pub(super) const SYMBOLS: usize = 286;
/// The symbol that ends a block.
const END: usize = 256;
/// Bits of the longest code: four fit into what one write of 64 bits leaves room for.
const LONGEST: usize = 12;
/// Bytes of the longest run that one symbol stands for.
const LONGEST_RUN: usize = 258;
/// Bits that every code of a code length has: all 16 lengths, none of the repetitions.
const BITS_OF_A_LENGTH: u32 = 4;
/// Codes of the code that codes lengths, and the first of them, which are repetitions.
const CODES_OF_LENGTHS: usize = 19;
const REPETITIONS: usize = 3;

/// How often symbols occur. Two counters take turns, because adding to one twice in a row waits for memory.
#[derive(Debug, Clone)]
pub(super) struct Counts([[u32; SYMBOLS]; 2]);

impl Counts {
    /// Every symbol once: each must have a code, also where only a sample of the data is counted.
    pub(super) fn new() -> Self {
        Self([[1; SYMBOLS], [0; SYMBOLS]])
    }

    /// Counts the symbols of a part of the data. Runs are found in whole groups of eight bytes, as [`block`] finds
    /// them.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let mut run = 0;
        for group in bytes.as_chunks::<8>().0 {
            if *group == [0; 8] {
                run += 8;
                continue;
            }
            self.add_run(run);
            run = 0;
            for (at, byte) in group.iter().enumerate() {
                self.0[at & 1][usize::from(*byte)] += 1;
            }
        }
        self.add_run(run);
    }

    fn add_run(&mut self, run: usize) {
        if run > 0 {
            self.0[0][0] += 1;
            let (whole, rest) = ((run - 1) / LONGEST_RUN, (run - 1) % LONGEST_RUN);
            self.0[0][SYMBOLS - 1] += whole as u32;
            self.0[0][length_symbol(rest.max(3)).0] += 1;
        }
    }

    fn total(&self, symbol: usize) -> u64 {
        u64::from(self.0[0][symbol]) + u64::from(self.0[1][symbol])
    }
}

/// Writes `data` as one deflate block, and returns its length. `out` is enlarged as needed and never shrinks, so that it
/// can be used again. After the last block of a stream nothing follows; after another the next begins at a whole byte.
pub(super) fn block(data: &[u8], counts: &Counts, is_last: bool, out: &mut Vec<u8>, start: usize) -> usize {
    // The longest code for every byte, the header, and the last write's eight bytes.
    let room = start + data.len() * LONGEST / 8 + 512;
    if out.len() < room {
        out.resize(room, 0);
    }
    let lengths = lengths(counts);
    let entries = entries(&lengths);
    let mut bits = Bits { out, at: start, buffer: 0, count: 0 };
    header(&mut bits, &lengths, is_last);
    let (mut groups, rest) = data.as_chunks::<8>();
    while !groups.is_empty() {
        // Shifts by any number of bits are one instruction there.
        let end = literals(&mut bits, &entries, groups);
        let zeros = groups[end..].iter().take_while(|group| **group == [0; 8]).count();
        if zeros > 0 {
            bits.run(&entries, zeros * 8);
        }
        groups = &groups[end + zeros..];
    }
    rest.iter().for_each(|byte| bits.symbol(entries[usize::from(*byte)]));
    bits.symbol(entries[END]);
    if !is_last {
        // An empty stored block, which ends at a whole byte: its length and the complement of that.
        bits.put(0, 3);
        bits.fill_byte();
        bits.put(0xffff_0000, 32);
    }
    bits.fill_byte();
    bits.at - start
}

/// The block's header: its kind, and the length of every symbol's code.
fn header(bits: &mut Bits, lengths: &[u8; SYMBOLS], is_last: bool) {
    bits.put(u64::from(is_last) | 2 << 1, 3);
    bits.put(SYMBOLS as u64 - 257, 5);
    // One code of distances, for a distance of one.
    bits.put(0, 5);
    bits.put(CODES_OF_LENGTHS as u64 - 4, 4);
    for at in 0..CODES_OF_LENGTHS {
        bits.put(if at < REPETITIONS { 0 } else { BITS_OF_A_LENGTH.into() }, 3);
    }
    for length in lengths.iter().chain([&1]) {
        bits.put(reversed((*length).into(), BITS_OF_A_LENGTH), BITS_OF_A_LENGTH);
    }
}

/// Deflate writes codes from their highest bit, and everything else from the lowest.
fn reversed(code: u32, length: u32) -> u64 {
    u64::from(code.reverse_bits() >> (32 - length))
}

/// The symbol of a run's length, 3 to 258, how many bits follow it, and their value.
fn length_symbol(length: usize) -> (usize, u32, u64) {
    match length {
        LONGEST_RUN => (285, 0, 0),
        0..=10 => (254 + length, 0, 0),
        _ => {
            let past = length - 3;
            // Four symbols for each number of extra bits.
            let extra = past.ilog2() - 2;
            (257 + 4 * extra as usize + (past >> extra), extra, past as u64 & ((1 << extra) - 1))
        }
    }
}

/// A symbol's code and its length, in the lowest 8 bits.
type Entry = u32;

/// Codes in order of length, and of symbols of one length, as deflate defines them.
fn entries(lengths: &[u8; SYMBOLS]) -> [Entry; SYMBOLS] {
    let mut next = [0; LONGEST + 1];
    let number = |of: usize| lengths.iter().filter(|length| usize::from(**length) == of).count() as u32;
    for length in 1..LONGEST {
        next[length + 1] = (next[length] + number(length)) << 1;
    }
    lengths.map(|length| {
        let code = next[usize::from(length)];
        next[usize::from(length)] += 1;
        (reversed(code, length.into()) as u32) << 8 | u32::from(length)
    })
}

/// The lengths of an optimal code, of which the longest are cut.
fn lengths(counts: &Counts) -> [u8; SYMBOLS] {
    let mut sorted: Vec<(u64, usize)> = (0..SYMBOLS).map(|symbol| (counts.total(symbol), symbol)).collect();
    sorted.sort_unstable();
    let number = cut(depths(&sorted.iter().map(|(count, _)| *count).collect::<Vec<_>>()));
    let mut lengths = [0; SYMBOLS];
    let mut symbols = sorted.into_iter();
    // The rarest have the longest codes.
    for length in (1..=LONGEST).rev() {
        symbols.by_ref().take(number[length]).for_each(|(_, symbol)| lengths[symbol] = length as u8);
    }
    lengths
}

/// How deep each leaf is in Huffman's tree, for counts in rising order. The two rarest trees are joined until one is left; joined trees become no rarer,
/// so that they wait in a queue of their own and nothing is sorted again.
fn depths(counts: &[u64]) -> Vec<usize> {
    let leaves = counts.len();
    let mut weights = counts.to_vec();
    let mut parents = vec![0; 2 * leaves - 1];
    let (mut leaf, mut joined) = (0, leaves);
    while weights.len() < parents.len() {
        let mut rarest = || {
            let is_leaf = leaf < leaves && weights.get(joined).is_none_or(|weight| weights[leaf] <= *weight);
            let next = if is_leaf { &mut leaf } else { &mut joined };
            *next += 1;
            *next - 1
        };
        let pair = [rarest(), rarest()];
        pair.into_iter().for_each(|child| parents[child] = weights.len());
        weights.push(pair.into_iter().map(|child| weights[child]).sum());
    }
    let mut depths = vec![0; parents.len()];
    for at in (0..parents.len() - 1).rev() {
        depths[at] = depths[parents[at]] + 1;
    }
    depths.truncate(leaves);
    depths
}

/// The number of codes of each length, none longer than [`LONGEST`]. Cut codes take more than the whole code space; other codes become longer
/// until it is enough.
fn cut(depths: Vec<usize>) -> [usize; LONGEST + 1] {
    let mut number = [0; LONGEST + 1];
    depths.into_iter().for_each(|depth| number[depth.min(LONGEST)] += 1);
    let taken: usize = (1..=LONGEST).map(|length| number[length] << (LONGEST - length)).sum();
    for _ in 1 << LONGEST..taken {
        // One of the longest moves up next to the longest of the others, which moves down: one place less is taken.
        let other = (1..LONGEST).rev().find(|length| number[*length] > 0).unwrap_or(1);
        number[LONGEST] -= 1;
        number[other] -= 1;
        number[other + 1] += 2;
    }
    number
}

/// Bits on their way into bytes.
struct Bits<'a> {
    out: &'a mut [u8],
    at: usize,
    buffer: u64,
    count: u32,
}

wide!(fn literals(bits: &mut Bits, entries: &[Entry; SYMBOLS], groups: &[[u8; 8]]) -> usize = Bits::literals);

impl Bits<'_> {
    /// At most 56 bits.
    fn put(&mut self, bits: u64, count: u32) {
        self.buffer |= bits << self.count;
        self.count += count;
        self.out[self.at..self.at + 8].copy_from_slice(&self.buffer.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.buffer >>= self.count & !7;
        self.count &= 7;
    }

    fn symbol(&mut self, entry: Entry) {
        self.put(u64::from(entry >> 8), entry & 0xff);
    }

    /// Fills the last byte with zeros.
    fn fill_byte(&mut self) {
        self.put(0, (8 - self.count) % 8);
    }

    /// Writes the groups before the first one of zeros, and gives their number. The loop in which the time goes: four codes for one write. It has
    /// the state in variables of its own, which the compiler then keeps in registers.
    #[inline(always)]
    fn literals(&mut self, entries: &[Entry; SYMBOLS], groups: &[[u8; 8]]) -> usize {
        let (mut at, mut buffer, mut count) = (self.at, self.buffer, self.count);
        let mut written = 0;
        for group in groups {
            if *group == [0; 8] {
                break;
            }
            written += 1;
            for [a, b, c, d] in group.as_chunks::<4>().0 {
                let [a, b, c, d] = [*a, *b, *c, *d].map(|byte| entries[usize::from(byte)]);
                // The lowest six bits of a sum of entries are the sum of their lengths, and a shift takes no others.
                let ab = u64::from(a >> 8) | u64::from(b >> 8) << (a & 63);
                let cd = u64::from(c >> 8) | u64::from(d >> 8) << (c & 63);
                let first = a.wrapping_add(b);
                buffer |= (ab | cd << (first & 63)) << count;
                count += first.wrapping_add(c).wrapping_add(d) & 63;
                self.out[at..at + 8].copy_from_slice(&buffer.to_le_bytes());
                at += (count / 8) as usize;
                buffer >>= count & !7;
                count &= 7;
            }
        }
        (self.at, self.buffer, self.count) = (at, buffer, count);
        written
    }

    /// A zero, and repetitions of what is one byte before.
    fn run(&mut self, entries: &[Entry; SYMBOLS], length: usize) {
        self.symbol(entries[0]);
        let mut rest = length - 1;
        while rest >= 3 {
            let now = rest.min(LONGEST_RUN);
            let (symbol, extra, value) = length_symbol(now);
            self.symbol(entries[symbol]);
            // The extra bits, and one for the distance.
            self.put(value, extra + 1);
            rest -= now;
        }
        (0..rest).for_each(|_| self.symbol(entries[0]));
    }
}

#[cfg(test)]
#[path = "huffman_tests.rs"]
mod tests;
