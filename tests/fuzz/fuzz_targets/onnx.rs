#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(init: burncam_fuzz::hook::keep_caught_panics(), |data: &[u8]| burncam_fuzz::run("onnx", data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Every fourth change is of plain bytes, which breaks lengths, too.
    let mut bytes = |held: &[u8]| {
        let room = held.len() + 16;
        let mut changed = [held, &[0; 16]].concat();
        let size = fuzzer_mutate(&mut changed, held.len(), room);
        changed.truncate(size);
        changed
    };
    let changed =
        if seed % 4 == 0 { None } else { burncam_fuzz::protobuf::mutated(&data[..size], seed, &mut bytes) };
    match changed {
        Some(changed) if !changed.is_empty() && changed.len() <= max_size => {
            data[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
