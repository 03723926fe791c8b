//! Blocks against an independent inflater, and codes against hand-worked ones.

use std::io::Read as _;

use proptest::prelude::*;

use super::*;

fn inflated(stream: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(stream).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The parts as blocks of one stream.
fn stream(parts: &[&[u8]], counts: &Counts) -> Vec<u8> {
    let (mut out, mut length) = (Vec::new(), 0);
    for (at, part) in parts.iter().enumerate() {
        length += block(part, counts, at + 1 == parts.len(), &mut out, length);
    }
    out.truncate(length);
    out
}

fn counted(bytes: &[u8]) -> Counts {
    let mut counts = Counts::new();
    counts.add(bytes);
    counts
}

#[test]
fn runs_of_every_length_come_back() {
    for length in 0..1_200 {
        let bytes = [&[7; 8][..], &vec![0; length], &[9; 5]].concat();
        assert_eq!(inflated(&stream(&[&bytes], &counted(&bytes))), bytes, "{length}");
    }
}

#[test]
fn lengths_of_runs_have_the_symbols_of_the_standard() {
    // RFC 1951, 3.2.5.
    let table = [
        (3, 257, 0, 0),
        (10, 264, 0, 0),
        (11, 265, 1, 0),
        (12, 265, 1, 1),
        (18, 268, 1, 1),
        (19, 269, 2, 0),
        (66, 276, 3, 7),
        (67, 277, 4, 0),
        (130, 280, 4, 15),
        (131, 281, 5, 0),
        (257, 284, 5, 30),
        (258, 285, 0, 0),
    ];
    for (length, symbol, extra, value) in table {
        assert_eq!(length_symbol(length), (symbol, extra, value), "{length}");
    }
}

#[test]
fn rare_symbols_have_long_codes_and_none_is_too_long() {
    // Fibonacci numbers make the deepest tree: without a cut the rarest code would have 30 bits.
    let mut counts = Counts::new();
    let (mut one, mut two) = (1, 1);
    for symbol in 0..30 {
        counts.0[0][symbol] = one;
        (one, two) = (two, one + two);
    }
    let lengths = lengths(&counts);
    assert!(lengths.iter().all(|length| (1..=LONGEST as u8).contains(length)));
    assert!(lengths[..30].is_sorted_by(|rare, common| rare >= common));
    let taken: usize = lengths.iter().map(|length| 1 << (LONGEST - usize::from(*length))).sum();
    assert_eq!(taken, 1 << LONGEST, "the code has gaps or overlaps");
}

#[test]
fn depths_are_huffmans() {
    // 1 and 1 make 2, with 2 makes 4, with 3 makes 7, with 5 the root.
    assert_eq!(depths(&[1, 1, 2, 3, 5]), [4, 4, 3, 2, 1]);
    assert_eq!(depths(&[4, 4, 4, 4]), [2, 2, 2, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_parts_come_back_whatever_was_counted(
        bytes in prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 0..3000),
        cut in 0usize..3000, sample in 0usize..3000,
    ) {
        let (one, two) = bytes.split_at(cut.min(bytes.len()));
        let counts = counted(&bytes[..sample.min(bytes.len())]);
        prop_assert_eq!(inflated(&stream(&[one, two], &counts)), bytes);
    }
}
