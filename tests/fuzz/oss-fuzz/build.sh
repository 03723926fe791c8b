#!/bin/bash -eu
# Not run at OSS-Fuzz yet. Builds all targets, with their corpora and dictionaries next to them.
cd "$SRC/burncam"
cargo fuzz build --fuzz-dir tests/fuzz --release
for source in tests/fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "tests/fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    zip -qj "$OUT/${target}_seed_corpus.zip" "tests/fuzz/corpus/$target"/*
    if [ -e "tests/fuzz/dictionaries/$target.dict" ]; then cp "tests/fuzz/dictionaries/$target.dict" "$OUT/"; fi
done
