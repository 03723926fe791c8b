//! From an explained class to a figure: its texts, its panels, and what the ends of its colour bar mean.

use super::{Canvas, Explanation, Scale, Style};
use crate::error::Result;
use crate::record::plain_number;
use crate::render::escape::escaped;
use crate::render::{Bar, Figure};

impl Canvas<'_> {
    /// Photo, overlay and colour bar, with class, probability, method and layer.
    ///
    /// # Errors
    /// When the overlay cannot be drawn.
    pub(super) fn figure(&self) -> Result<Figure> {
        let target = self.target;
        let title = format!("{}, {}", target.title(), target.shown());
        let detail =
            format!("{}{}", self.explanation.method.info().title, at_layers(&self.explanation.layers));
        let greatest = self.explanation.greatest(Some(target.map.magnitude()));
        Ok(Figure {
            // Names come from files: control characters would be drawn as boxes, and may turn the text around.
            title: escaped(&title).into_owned(),
            detail: escaped(&detail).into_owned(),
            note: escaped(&self.note()).into_owned(),
            photo: self.subject.picture.clone(),
            map: self.overlay().clone(),
            bar: self.style.bar(self.placed().is_signed(), &greatest),
        })
    }

    /// Whether the overlay shows the edge of what the network saw.
    pub(crate) fn shows_crop_edge(&self) -> bool {
        self.style.library.is_none() && self.style.crop_edge && self.placed().has_crop_edge()
    }

    /// What a reader of the overlay should know: why it shows no heat, and what its lines are.
    fn note(&self) -> String {
        if let Some(finding) = &self.target.finding {
            return format!("No heat: {finding}.");
        }
        let Style { library: None, contours, .. } = self.style else { return String::new() };
        let mut notes = Vec::new();
        if !contours.levels().is_empty() {
            let levels: Vec<String> =
                contours.levels().iter().map(|level| format!("{:.0}", level * 100.0)).collect();
            notes.push(format!("Contours at {} % of the brightest.", levels.join(", ")));
        }
        if self.shows_crop_edge() {
            notes.push(CROP_EDGE.to_owned());
        }
        notes.join(" ")
    }
}

/// What the dashed line is.
pub(crate) const CROP_EDGE: &str = "Dashed: the edge of what the network sees.";

/// The explained layers behind what they are layers of; nothing for methods on pixels.
pub(crate) fn at_layers(layers: &[String]) -> String {
    match layers {
        [] => String::new(),
        [layer] => format!(", layer {layer}"),
        several => format!(", layers {}", several.join(", ")),
    }
}

impl Style {
    /// The colours of maps up to `greatest`; none where a library draws, whose colours may depend on the map.
    pub(crate) fn bar(&self, both_signs: bool, greatest: &str) -> Option<Bar> {
        self.library.is_none().then(|| Bar::new(self.colormap, both_signs, greatest))
    }
}

impl Explanation {
    /// What the brightest colour stands for; `magnitude` is the greatest of one map, where there is one.
    pub(crate) fn greatest(&self, magnitude: Option<f32>) -> String {
        match (self.scale, magnitude) {
            (Scale::Fixed(scale), _) => plain_number(f64::from(scale)),
            _ if self.method.is_fine() => "p99".to_owned(),
            (Scale::Raw, Some(magnitude)) => plain_number(f64::from(magnitude)),
            _ => "max".to_owned(),
        }
    }
}
