//! Tells pictures that burncam made from photographs, so that a second run over the same directory takes none of them.

use std::path::Path;

use burncam::cam::Method;
use burncam::output;

use super::search::ENDINGS;

/// `STEM.METHOD[...].png`, `.npy` or `STEM.grid.png` beside its record `STEM.METHOD.json`, or beside the photograph
/// `STEM.*` itself: a run that was interrupted leaves pictures whose record was never written.
pub(super) fn is_our_own(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    if !name.ends_with(".png") && !name.ends_with(".npy") {
        return false;
    }
    let beside = |name: String| path.with_file_name(name).exists();
    let dots = name.match_indices('.').map(|(at, _)| at);
    dots.clone().zip(dots.skip(1)).any(|(start, end)| {
        let (stem, mark) = (&name[..start], &name[start + 1..end]);
        let photograph = || ENDINGS.iter().any(|ending| beside(format!("{stem}.{ending}")));
        match mark {
            _ if stem.is_empty() => false,
            "grid" => Method::ALL.iter().any(|method| beside(output::record_name(stem, method.info().name))),
            _ if Method::ALL.iter().all(|method| method.info().name != mark) => false,
            _ => beside(output::record_name(stem, mark)) || photograph(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_between_dots_and_what_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gradcam.json", "x.y.layercam.json", "photo.jpg"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let ours = |name: &str| is_our_own(&folder.path().join(name));
        for name in [
            "a.gradcam.png",
            "a.gradcam.7.mask.png",
            "a.gradcam.npy",
            "a.grid.png",
            "x.y.layercam.png",
            "photo.gradcam.png",
        ] {
            assert!(ours(name), "{name}");
        }
        for name in [
            "a.png",
            "a.gradcam.jpg",
            "gradcam.png",
            ".gradcam.png",
            "b.gradcam.png",
            "b.grid.png",
            "a.layercam.png",
            "x.layercam.png",
            "photo.retouched.png",
        ] {
            assert!(!ours(name), "{name}");
        }
    }
}
