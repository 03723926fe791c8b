//! Which objects are of which picture, and where on it.

use std::collections::HashMap;
use std::path::Path;

use burncam_graph::error::Problem;
use burncam_graph::{Error, Result};

use super::object::{Entry, Object, Truth, about};
use crate::localisation::Bounds;

/// Endings of pictures, which names in files may have or not.
const PICTURES: [&str; 11] = ["jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp", "jxl", "ppm", "npy"];

/// Objects of a picture, within it.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// All objects, in the order of the file.
    pub all: Vec<Object>,
    /// How many of them reached beyond the picture by more than a pixel's rounding, and were cut there.
    pub clipped: usize,
}

impl Truth {
    /// For each picture the index of its objects, or `None` where the file does not name it.
    ///
    /// Paths agree if one ends with the other, in whole names. A file of one picture, and ILSVRC's table, name pictures by their stems; of several
    /// with one stem, the one in the most similar directory is taken.
    ///
    /// # Errors
    ///
    /// When a picture could have two, or two pictures the same.
    pub fn assign(&self, pictures: &[&Path]) -> Result<Vec<Option<usize>>> {
        let mut by_stem: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            by_stem.entry(stem(last(&entry.picture))).or_default().push(at);
        }
        let mut owners: HashMap<usize, &Path> = HashMap::new();
        let mut all = Vec::with_capacity(pictures.len());
        for picture in pictures {
            let path = picture.to_string_lossy().replace('\\', "/");
            let candidates = by_stem.get(stem(last(&path))).map_or(&[][..], Vec::as_slice);
            let found = self.nearest(&path, candidates)?;
            if let Some((found, other)) =
                found.and_then(|found| Some((found, owners.insert(found, picture)?)))
            {
                let two = format!("'{}' and '{}'", other.display(), picture.display());
                let entry = &self.entries[found].picture;
                let problem = Problem::new(format!("has one entry '{entry}' for two pictures")).found(two);
                let hint = "give pictures of one name their directories in the file";
                return Err(about(&self.source, problem.hint(hint)));
            }
            all.push(found);
        }
        Ok(all)
    }

    /// The objects of an entry on a picture of this size, in its pixels.
    ///
    /// # Errors
    ///
    /// When the file says another size of the picture, and for a box that is wholly outside.
    pub fn objects(&self, entry: usize, height: usize, width: usize) -> Result<Placed> {
        let no_entry =
            || Error::internal(format!("there is no entry {entry} of '{}'", self.source.display()));
        let entry = self.entries.get(entry).ok_or_else(no_entry)?;
        let sides = [height as f64, width as f64];
        let wrong = |problem: Problem| about(&self.source, problem.named("picture", &entry.picture));
        if let Some([tall, wide]) = entry.size.filter(|size| *size != sides) {
            return Err(wrong(
                Problem::new("has another size")
                    .expected(format!("{wide}x{tall} as in the file"))
                    .found(format!("{width}x{height}"))
                    .hint("use the pictures that were annotated"),
            ));
        }
        let (mut all, mut clipped) = (Vec::with_capacity(entry.objects.len()), 0);
        for object in &entry.objects {
            let placed = if entry.is_share { scaled(&object.bounds, sides) } else { object.bounds };
            let bounds = placed.within(&Bounds::whole(height, width));
            if !bounds.is_sound() {
                let found = format!("left {:?}, top {:?}", placed.left, placed.top);
                let problem = Problem::new(format!("has a box of '{}' outside of it", object.label));
                return Err(wrong(problem.found(found).hint("correct or remove it")));
            }
            clipped += usize::from(reaches_beyond(&placed, &bounds));
            all.push(Object { bounds, ..object.clone() });
        }
        Ok(Placed { all, clipped })
    }

    /// The candidate that names the picture.
    fn nearest(&self, path: &str, candidates: &[usize]) -> Result<Option<usize>> {
        let mut best: Option<(usize, usize)> = None;
        let mut tied = None;
        for candidate in candidates {
            let Some(common) = agreement(&self.entries[*candidate], path) else { continue };
            match best {
                Some((_, most)) if common < most => {}
                Some((_, most)) if common == most => tied = Some(*candidate),
                _ => (best, tied) = (Some((*candidate, common)), None),
            }
        }
        if let (Some((one, _)), Some(other)) = (best, tied) {
            let two = format!("'{}' and '{}'", self.entries[one].picture, self.entries[other].picture);
            let problem = Problem::new(format!("has two entries for picture '{path}'")).found(two);
            return Err(about(&self.source, problem.hint("remove one")));
        }
        Ok(best.map(|(found, _)| found))
    }
}

/// How many names at the end of the paths agree; `None` when the entry is not the picture's.
fn agreement(entry: &Entry, path: &str) -> Option<usize> {
    let (named, of_picture) = (last(&entry.picture), last(path));
    let has_ending = !entry.is_stem && stem(named) != named;
    let same = if has_ending { named == of_picture } else { stem(named) == stem(of_picture) };
    let directories = |path: &str| -> Vec<String> {
        let parts = path.rsplit('/').skip(1);
        parts.filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
    };
    let (first, second) = (directories(&entry.picture), directories(path));
    let common = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
    let agrees = entry.is_stem || common == first.len().min(second.len());
    (same && agrees).then_some(common)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name without the ending of a picture.
fn stem(name: &str) -> &str {
    let split = name.rsplit_once('.');
    let is_picture = |ending: &str| PICTURES.contains(&ending.to_ascii_lowercase().as_str());
    split.filter(|(_, ending)| is_picture(ending)).map_or(name, |(stem, _)| stem)
}

fn scaled(bounds: &Bounds, [height, width]: [f64; 2]) -> Bounds {
    Bounds {
        left: bounds.left * width,
        top: bounds.top * height,
        right: bounds.right * width,
        bottom: bounds.bottom * height,
    }
}

/// By more than rounding: shares often have six digits.
fn reaches_beyond(placed: &Bounds, bounds: &Bounds) -> bool {
    let apart = |first: f64, second: f64| (first - second).abs() > 0.01;
    apart(placed.left, bounds.left)
        || apart(placed.top, bounds.top)
        || apart(placed.right, bounds.right)
        || apart(placed.bottom, bounds.bottom)
}
