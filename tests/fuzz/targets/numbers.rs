//! Arrays of NumPy, and tables of boxes.

use std::path::Path;

use burncam_graph::card::{InputSpec, Layout};
use burncam_metrics::truth::Truth;
use burncam_picture::input::{Npz, npy_from_bytes, read_array};

use super::file;

/// A `.npy` file, as an array and as a network's input.
pub(super) fn npy(data: &[u8]) {
    let input =
        InputSpec { name: "x".to_owned(), channels: 3, height: 4, width: 5, layout: Layout::ChannelsFirst };
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        let _ = npy_from_bytes(data, "a.npy", layout, &input);
    }
    file::with("a.npy", data, |path| {
        if let Ok(array) = read_array(path) {
            assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
        }
    });
}

/// A `.npz` file; what is no archive becomes the member of one.
pub(super) fn npz(data: &[u8]) {
    if data.starts_with(b"PK") {
        archive(data);
    } else {
        archive(&file::archive(&[("a.npy", data)]));
    }
}

fn archive(data: &[u8]) {
    file::with("a.npz", data, |path| {
        let Ok(mut archive) = Npz::open(path) else { return };
        let _ = archive.names();
        for name in ["a", "input", "logits", "arr_0"] {
            let _ = archive.has(name);
            if let Ok(array) = archive.array(name, |_| Ok(())) {
                assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
            }
        }
    });
}

/// Boxes in the format that the first byte says.
pub(super) fn boxes(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let endings = ["json", "xml", "txt", "csv"];
    file::with(&format!("a.{}", endings[usize::from(*kind) % endings.len()]), text, |path| {
        let Ok(truth) = Truth::read(path) else { return };
        let _ = truth.labels();
        let Ok(found) = truth.assign(&[Path::new("a.jpg"), Path::new("b/1.png")]) else { return };
        for entry in found.into_iter().flatten() {
            let _ = truth.objects(entry, 48, 64);
        }
    });
}
