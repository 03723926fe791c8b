#!/bin/bash -eu
# Builds all targets, with their corpora, dictionaries and limits next to them. Not run at OSS-Fuzz yet.
cd "$SRC/burncam"
cargo fuzz build --fuzz-dir tests/fuzz --release
built=tests/fuzz/target/x86_64-unknown-linux-gnu/release
for source in tests/fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "$built/$target" "$OUT/"
    zip -qj "$OUT/${target}_seed_corpus.zip" "tests/fuzz/corpus/$target"/*
    if [ -e "tests/fuzz/dictionaries/$target.dict" ]; then cp "tests/fuzz/dictionaries/$target.dict" "$OUT/"; fi
    # As `tests/fuzz/run` has them.
    printf '[libfuzzer]\nmax_len = 65536\ntimeout = 20\nrss_limit_mb = 2048\n' >"$OUT/$target.options"
done
