//! A figure as a PDF file of one page (PDF 1.4, ISO 32000-1): standard fonts, pictures compressed with Flate.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::RgbImage;

use super::page::{Item, Page};
use super::winansi::string;
use crate::error::{Error, Result};

/// Objects before the pictures: catalog, pages, page, two fonts, content.
const FIRST_PICTURE: usize = 7;

pub(super) fn write(page: &Page) -> Result<Vec<u8>> {
    build(page).map_err(|error| Error::internal(format!("writing a PDF: {error}")))
}

fn build(page: &Page) -> std::io::Result<Vec<u8>> {
    let pictures: Vec<&RgbImage> = page
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Picture { picture, .. } => Some(*picture),
            Item::Text { .. } => None,
        })
        .collect();
    let names = (0..pictures.len()).map(|at| format!("/P{at} {} 0 R ", FIRST_PICTURE + at));
    let names: String = names.collect();
    let font = |name| format!("<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>");
    let mut file = File { bytes: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec(), places: vec![] };
    file.object(b"<</Type/Catalog/Pages 2 0 R>>")?;
    file.object(b"<</Type/Pages/Kids[3 0 R]/Count 1>>")?;
    let (width, height) = (page.width, page.height);
    file.object(
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 6 0 R\
             /Resources<</Font<</F0 4 0 R/F1 5 0 R>>/XObject<<{names}>>>>>>"
        )
        .as_bytes(),
    )?;
    file.object(font("Helvetica").as_bytes())?;
    file.object(font("Helvetica-Bold").as_bytes())?;
    file.stream("", &content(page)?)?;
    for picture in pictures {
        let (width, height) = picture.dimensions();
        // A bar, of one column, is smooth; pixels of photos stay as they are.
        let smooth = if width == 1 { "/Interpolate true" } else { "" };
        let about = format!(
            "/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB/BitsPerComponent 8{smooth}"
        );
        file.stream(&about, picture.as_raw())?;
    }
    file.finish()
}

/// The operators that draw the page. PDF counts from the lower left corner.
fn content(page: &Page) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut pictures = 0;
    for item in &page.items {
        match item {
            Item::Picture { left, top, width, height, .. } => {
                let bottom = page.height - top - height;
                writeln!(out, "q {width} 0 0 {height} {left} {bottom} cm /P{pictures} Do Q")?;
                pictures += 1;
            }
            Item::Text { text, left, baseline, size, bold, color } => {
                let [red, green, blue] = color.map(|level| f32::from(level) / 255.0);
                let y = page.height - baseline;
                write!(out, "BT {red} {green} {blue} rg /F{} {size} Tf {left} {y} Td ", u8::from(*bold))?;
                out.extend(string(text));
                out.extend(b" Tj ET\n");
            }
        }
    }
    Ok(out)
}

/// The file so far, and where its objects begin.
struct File {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl File {
    fn object(&mut self, body: &[u8]) -> std::io::Result<()> {
        self.places.push(self.bytes.len());
        writeln!(self.bytes, "{} 0 obj", self.places.len())?;
        self.bytes.extend_from_slice(body);
        self.bytes.extend_from_slice(b"\nendobj\n");
        Ok(())
    }

    /// An object with data, which is compressed.
    fn stream(&mut self, about: &str, data: &[u8]) -> std::io::Result<()> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(data)?;
        let packed = packed.finish()?;
        let mut body =
            format!("<<{about}/Filter/FlateDecode/Length {}>>\nstream\n", packed.len()).into_bytes();
        body.extend(packed);
        body.extend_from_slice(b"\nendstream");
        self.object(&body)
    }

    /// The file with its table of objects.
    fn finish(mut self) -> std::io::Result<Vec<u8>> {
        let (table, count) = (self.bytes.len(), self.places.len() + 1);
        writeln!(self.bytes, "xref\n0 {count}\n0000000000 65535 f ")?;
        for place in &self.places {
            writeln!(self.bytes, "{place:010} 00000 n ")?;
        }
        writeln!(self.bytes, "trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF")?;
        Ok(self.bytes)
    }
}
