#![no_main]

libfuzzer_sys::fuzz_target!(init: burncam_fuzz::hook::keep_caught_panics(), |data: &[u8]| burncam_fuzz::run("recognition", data));
