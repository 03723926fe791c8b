//! The pixels of a network's output that a request's mask or point means.

use std::path::Path;

use super::{Over, Subject};
use crate::error::{Error, Hint, OptionName, Problem, Result};
use crate::input::{Picture, ReadOptions};

/// A mask file as grey values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MaskFile {
    name: String,
    width: usize,
    height: usize,
    /// Whether each pixel belongs to the mask.
    inside: Vec<bool>,
    /// SHA-256 of the file.
    pub(super) sha256: String,
}

impl MaskFile {
    /// Reads a mask.
    ///
    /// # Errors
    /// When it is not a picture.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let picture = Picture::open(path, ReadOptions::default())?;
        let (width, height) = (picture.rgb.width() as usize, picture.rgb.height() as usize);
        let light =
            |pixel: &image::Rgb<u8>| pixel.0.iter().map(|value| u32::from(*value)).sum::<u32>() >= 3 * 128;
        let inside = picture.rgb.pixels().map(light).collect();
        Ok(Self { name: path.display().to_string(), width, height, inside, sha256: picture.sha256 })
    }
}

impl Over {
    /// The mask in pixels of the output, the same for every class; `None` where it is the class's own.
    ///
    /// # Errors
    /// When a point is outside of what the network sees, or a mask is of another size than the photo.
    pub(super) fn mask(
        &self,
        file: Option<&MaskFile>,
        subject: &Subject,
        [height, width]: [usize; 2],
    ) -> Result<Option<Vec<bool>>> {
        let place = &subject.placement;
        let (across, down) = (place.right - place.left, place.bottom - place.top);
        match (self, file) {
            (Self::Wins, _) => Ok(None),
            (Self::Everywhere, _) => Ok(Some(vec![true; height * width])),
            (Self::Point { x, y }, _) => {
                let column = ((x - place.left) / across * width as f64).floor();
                let row = ((y - place.top) / down * height as f64).floor();
                let is_inside = (0.0..width as f64).contains(&column) && (0.0..height as f64).contains(&row);
                if !is_inside {
                    let seen = format!(
                        "{:.0} to {:.0} across and {:.0} to {:.0} down",
                        place.left, place.right, place.top, place.bottom
                    );
                    let problem =
                        Problem::new(format!("the point {x},{y} is outside of what the network sees"));
                    return Err(problem.expected(seen).hint(Hint::Change(OptionName::Over)).into());
                }
                let at = row as usize * width + column as usize;
                Ok(Some((0..height * width).map(|pixel| pixel == at).collect()))
            }
            (Self::Mask(_), Some(file)) => file.on_output(subject, [height, width]).map(Some),
            (Self::Mask(_), None) => Err(Error::internal("the mask was not read")),
        }
    }
}

impl MaskFile {
    /// Which pixels of the output have their middle inside.
    fn on_output(&self, subject: &Subject, [height, width]: [usize; 2]) -> Result<Vec<bool>> {
        let (photo, place) = (&subject.file, &subject.placement);
        let size = [photo.width, photo.height];
        if size != [self.width, self.height] {
            let problem =
                Problem::new(format!("mask '{}' is of {}x{} pixels", self.name, self.width, self.height));
            let hint = "make it of the photo's size";
            return Err(problem.expected(format!("{}x{}, as the photo", size[0], size[1])).hint(hint).into());
        }
        let middle = |at: usize, cells: usize, from: f64, to: f64| {
            (from + (at as f64 + 0.5) / cells as f64 * (to - from)).floor()
        };
        let inside = |pixel: usize| {
            let x = middle(pixel % width, width, place.left, place.right);
            let y = middle(pixel / width, height, place.top, place.bottom);
            let on_photo = (0.0..self.width as f64).contains(&x) && (0.0..self.height as f64).contains(&y);
            on_photo && self.inside[y as usize * self.width + x as usize]
        };
        Ok((0..height * width).map(inside).collect())
    }
}
