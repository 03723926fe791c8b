//! JPEG XL, compared with what libjxl makes of the same files.

use std::path::Path;

use super::Picture;

/// The greatest and the mean difference of a file's levels.
fn off(name: &str) -> (u8, f64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/modern").join(name);
    let read = Picture::open(&path, [255, 0, 128]).unwrap();
    let right = Picture::open(&path.with_extension(format!("{}.png", read.format)), [255, 0, 128]).unwrap();
    assert_eq!(read.rgb.dimensions(), right.rgb.dimensions(), "{name}");
    let each: Vec<u8> =
        read.rgb.as_raw().iter().zip(right.rgb.as_raw()).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = each.iter().map(|off| f64::from(*off)).sum::<f64>() / each.len() as f64;
    (each.into_iter().max().unwrap(), mean)
}

#[test]
fn jpeg_xl_is_read_as_libjxl_reads_it() {
    for name in ["lossless", "q90", "alpha", "grey"] {
        let (greatest, mean) = off(&format!("{name}.jxl"));
        let most = if name == "q90" { 1 } else { 0 };
        assert!(greatest <= most && mean < 0.3, "{name}: off by {greatest} at most, {mean} on average");
    }
}
