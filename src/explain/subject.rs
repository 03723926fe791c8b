//! The input of an explanation: a picture, or a tensor with a picture to draw on.

use std::path::Path;

use image::RgbImage;

use super::Reading;
use crate::error::{Phrase, Problem, Result};
use crate::input::{self, ColourProfile, Layout, Picture, Placement};
use crate::model::Model;
use crate::record::{InputRecord, ProfileRecord};

/// An image: the network's input and the picture to draw on.
///
/// ```
/// use burncam::{Model, Reading, Subject};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "embedded-model")] {
/// // From memory, for instance an upload.
/// let bytes = std::fs::read("fixtures/images/coffee.png")?;
/// let subject = Subject::from_bytes(&bytes, "upload-17", &Reading::default(), &Model::embedded()?)?;
/// assert_eq!(subject.picture.dimensions(), (600, 400));
/// assert_eq!(subject.values.len(), 3 * 224 * 224);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Subject {
    /// The upright picture that overlays are drawn on, in sRGB; smaller than [`Subject::file`] says where that has a reduction.
    pub picture: RgbImage,
    /// The network's input, `[1, channels, height, width]`, row-major.
    pub values: Vec<f32>,
    /// The placement of the input on the picture in the file.
    pub placement: Placement,
    /// True for a tensor that is used as it is.
    pub is_tensor: bool,
    /// The file in the record.
    pub file: InputRecord,
    /// The true classes, as far as the caller knows them; several only where classes do not exclude each other.
    pub labels: Vec<usize>,
    /// Warnings from reading the file: damage, and an ignored colour profile.
    pub warnings: Vec<Phrase>,
}

impl Subject {
    /// Reads a photo, or a `.npy` tensor, by its extension. Records and errors show its path.
    ///
    /// # Errors
    /// When the file cannot be read or used; see [`Subject::from_picture`] and [`Subject::from_tensor`].
    pub fn open(path: &Path, reading: &Reading, model: &Model) -> Result<Self> {
        let name = path.display().to_string();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")) {
            let drawn_on = reading.drawn_on.as_deref();
            let picture = drawn_on.map(|path| Picture::open(path, reading.options)).transpose()?;
            return Self::from_tensor(path, &name, reading.layout, picture, model);
        }
        reading.refuse_other_picture(&name)?;
        let picture = match reading.reduced {
            true => Picture::open_for(path, reading.options, &model.card().preprocess),
            false => Picture::open(path, reading.options),
        };
        Self::from_picture(picture?, &name, model)
    }

    /// As [`Subject::open`], for the bytes of a picture file that is not on disk. `name` appears in records and
    /// errors.
    ///
    /// # Errors
    /// When they are not a picture, or it cannot be brought to the network's size.
    pub fn from_bytes(bytes: &[u8], name: &str, reading: &Reading, model: &Model) -> Result<Self> {
        reading.refuse_other_picture(name)?;
        Self::from_picture(Picture::from_bytes(bytes, name, reading.options)?, name, model)
    }

    /// A picture, preprocessed as the model's card says. `name` appears in records and errors.
    ///
    /// # Errors
    /// When it is not a picture, or cannot be brought to the network's size.
    pub fn from_picture(picture: Picture, name: &str, model: &Model) -> Result<Self> {
        let (spec, input) = (&model.card().preprocess, &model.graph().input);
        let prepared = input::preprocess_reduced(&picture.rgb, picture.size, spec, input)
            .map_err(|error| error.about_image(name))?;
        let file = InputRecord {
            path: name.to_owned(),
            file: None,
            sha256: picture.sha256,
            format: picture.format,
            width: picture.size[0] as usize,
            height: picture.size[1] as usize,
            exif_orientation: picture.orientation,
            profile: picture.profile.map(profile_record),
            reduced: (picture.reduced > 1).then_some(picture.reduced),
        };
        Ok(Self {
            picture: picture.shown.unwrap_or(picture.rgb),
            values: prepared.values,
            placement: prepared.placement,
            is_tensor: false,
            file,
            labels: vec![],
            warnings: picture.warnings,
        })
    }

    /// A `.npy` tensor, used as it is. Without `picture`, one is reconstructed by inverting the card's preprocessing.
    ///
    /// The order of its axes is `layout`, or, for channels first, also that of the model's input. A given picture
    /// must show exactly what the tensor shows: the map is stretched over all of it.
    ///
    /// # Errors
    /// When the file is not a finite float array of the network's shape.
    pub fn from_tensor(
        path: &Path,
        name: &str,
        layout: Layout,
        picture: Option<Picture>,
        model: &Model,
    ) -> Result<Self> {
        let bytes = input::read_file(path)?;
        let spec = &model.graph().input;
        let values = input::npy_from_bytes(&bytes, name, layout, spec)?;
        // A reconstruction has no file, so its orientation is that of pixels as they are: 1.
        let (picture, orientation, warnings) = match picture {
            Some(Picture { rgb, shown, orientation, warnings, .. }) => {
                (shown.unwrap_or(rgb), orientation, warnings)
            }
            None => (input::picture_from_tensor(&values, &model.card().preprocess, spec), 1, vec![]),
        };
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let file = InputRecord {
            path: name.to_owned(),
            file: None,
            sha256: input::sha256_hex(&bytes),
            format: "npy".to_owned(),
            width,
            height,
            exif_orientation: orientation,
            profile: None,
            reduced: None,
        };
        let placement = Placement::whole(width, height);
        Ok(Self { picture, values, placement, is_tensor: true, file, labels: vec![], warnings })
    }
}

impl Reading {
    /// A photo is drawn on itself.
    fn refuse_other_picture(&self, name: &str) -> Result<()> {
        match &self.drawn_on {
            Some(other) => {
                let what = "is a picture, which is drawn on itself, but";
                let problem = Problem::new(format!("{what} '{}' was named to draw on", other.display()));
                Err(problem.hint("name that for .npy tensors only").of_image(name))
            }
            None => Ok(()),
        }
    }
}

fn profile_record(profile: ColourProfile) -> ProfileRecord {
    ProfileRecord { name: profile.name, converted: profile.converted }
}
