//! Detects a file's format from its first bytes, never from its name, and names formats that are not supported.

use image::ImageFormat;

use crate::error::Problem;

/// The formats that are read, as messages list them.
const READ: &str = "PNG, JPEG, JPEG XL, WebP, GIF, BMP, TIFF or PNM";

/// Who decodes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A module here, or the crate `image`.
    Image(ImageFormat),
    JpegXl,
}

/// How many bytes are searched for text markers: comments and XML headers may precede the element that names a
/// document.
const TEXT_BYTES: usize = 2048;

/// The format, and its name in records.
///
/// # Errors
/// What the file is instead, with a way out.
pub(super) fn of(bytes: &[u8]) -> Result<(Kind, &'static str), Problem> {
    if bytes.starts_with(JPEG_XL_BOX) || bytes.starts_with(b"\xff\x0a") {
        return Ok((Kind::JpegXl, "jxl"));
    }
    if let Some((what, way_out)) = unread(bytes) {
        return Err(Problem::new(format!("is {what}")).expected(READ).hint(way_out));
    }
    if bytes.starts_with(b"II+\0\x08\0\0\0") || bytes.starts_with(b"MM\0+\0\x08\0\0") {
        return Ok((Kind::Image(ImageFormat::Tiff), "tiff"));
    }
    let not_a_picture =
        || Problem::new("not a picture: ").expected(READ).hint("is the file what its name says?");
    let kind = image::guess_format(bytes).map_err(|_| not_a_picture())?;
    let name = match kind {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpeg",
        ImageFormat::WebP => "webp",
        ImageFormat::Gif => "gif",
        ImageFormat::Bmp => "bmp",
        ImageFormat::Tiff => "tiff",
        ImageFormat::Pnm => "pnm",
        _ => return Err(not_a_picture()),
    };
    Ok((Kind::Image(kind), name))
}

const JPEG_XL_BOX: &[u8] = b"\x00\x00\x00\x0cJXL \r\n\x87\n";

type Unread = (&'static str, &'static str);

/// What a file is that is not read, and the way out.
fn unread(bytes: &[u8]) -> Option<Unread> {
    by_signature(bytes).or_else(|| by_brand(bytes)).or_else(|| by_place(bytes)).or_else(|| by_text(bytes))
}

const HEIC: Unread = ("a HEIC/HEIF picture", "convert it: heif-convert PHOTO.heic PHOTO.jpg");
const AVIF: Unread = ("an AVIF picture", "convert it: avifdec PHOTO.avif PHOTO.png");
const JPEG_2000: Unread = ("a JPEG 2000 picture", "convert it: opj_decompress -i PHOTO.jp2 -o PHOTO.png");
/// Raw files of cameras; those that are TIFF inside are found by their tags.
pub(super) const RAW: Unread =
    ("a camera's raw file", "develop it: darktable-cli PHOTO.raw PHOTO.jpg, or take the camera's JPEG");
const DICOM: Unread = ("a DICOM file", "convert it: dcm2img FILE.dcm FILE.png");
const SVG: Unread = ("an SVG drawing", "draw it: rsvg-convert -o FILE.png FILE.svg");
const XML: Unread = ("an XML document", "name the picture itself");
const HTML: Unread = ("a web page", "was a page saved in place of the picture? Download the picture itself");
const JSON: Unread = ("JSON text", "name the picture that it describes");
const LFS: Unread = ("a Git LFS pointer and not the file itself", "git lfs pull fetches it");
const VIDEO: Unread = ("a video", "take frames from it: ffmpeg -i FILE -frames:v 1 FRAME.png");
const ARCHIVE: Unread = ("an archive", "unpack it first");
const FLOATS: &str = "bring it to 8 bits: magick FILE FILE.png";
const MAGICK: &str = "convert it: magick FILE FILE.png";

/// Signatures of files that are not read.
const SIGNATURES: &[(&[u8], Unread)] = &[
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"II\x2a\x00\x10\x00\x00\x00CR", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\x00", RAW),
    (b"II\x1a\x00\x00\x00HEAPCCDR", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"FOVb", RAW),
    (b"\x00MRM", RAW),
    (b"%PDF", ("a PDF document", "draw its pages: pdftoppm -png FILE.pdf PAGE")),
    (b"%!PS", ("a PostScript document", "draw its pages: gs -sDEVICE=png16m -o PAGE.png FILE")),
    (b"8BPS", ("a Photoshop document", "flatten it: magick FILE.psd[0] FILE.png")),
    (b"gimp xcf", ("a GIMP document", "export it as PNG")),
    (b"\x76\x2f\x31\x01", ("an OpenEXR picture of floats", FLOATS)),
    (b"#?RADIANCE", ("a Radiance HDR picture of floats", FLOATS)),
    (b"#?RGBE", ("a Radiance HDR picture of floats", FLOATS)),
    (b"PF\n", ("a PFM picture of floats", FLOATS)),
    (b"Pf\n", ("a PFM picture of floats", FLOATS)),
    (b"II\xbc", ("a JPEG XR picture", MAGICK)),
    (b"\x00\x00\x01\x00", ("an icon (ICO)", MAGICK)),
    (b"\x00\x00\x02\x00\x01", ("a cursor (CUR)", MAGICK)),
    (b"DDS ", ("a DDS texture", MAGICK)),
    (b"qoif", ("a QOI picture", MAGICK)),
    (b"farbfeld", ("a farbfeld picture", MAGICK)),
    (b"BPG\xfb", ("a BPG picture", "convert it: bpgdec -o FILE.png FILE.bpg")),
    (b"SIMPLE  =", ("a FITS file", MAGICK)),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"OggS", VIDEO),
    (b"\x00\x00\x01\xba", VIDEO),
    (b"\x00\x00\x01\xb3", VIDEO),
    (b"FLV\x01", VIDEO),
    (b"\x93NUMPY", ("a NumPy array", "give it the ending .npy, and it is read as a tensor")),
    (b"NRUB", ("a model", "name it as the model, and pictures after it")),
    (b"\x89HDF\r\n\x1a\n", ("an HDF5 file", "write its pictures out as PNG")),
    (b"PK\x03\x04", ARCHIVE),
    (b"PK\x05\x06", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"\xfd7zXZ\x00", ARCHIVE),
    (b"BZh", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"PAR1", ("a Parquet table", "write its pictures out as files")),
    (
        b"\x00\x05\x16\x07",
        ("macOS metadata of another file", "leave out the files whose names begin with ._"),
    ),
    (b"version https://git-lfs", LFS),
];

/// Files that begin with a signature of their own.
fn by_signature(bytes: &[u8]) -> Option<Unread> {
    SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, unread)| *unread)
}

/// ISO base media files, identified by their brands, and RIFF files other than WebP.
fn by_brand(bytes: &[u8]) -> Option<Unread> {
    if bytes.starts_with(b"RIFF") {
        return (bytes.get(8..12) == Some(b"AVI ")).then_some(VIDEO);
    }
    match bytes.get(4..8)? {
        b"ftyp" => {}
        b"moov" | b"mdat" | b"wide" => return Some(VIDEO),
        _ => return None,
    }
    let has = |brands: &[&[u8]]| has_brand(bytes, brands);
    Some(if has(&[b"avif", b"avis"]) {
        AVIF
    } else if has(&[b"crx "]) {
        RAW
    } else if is_heic(bytes) {
        HEIC
    } else if has(&[b"jp2 ", b"jpx "]) {
        JPEG_2000
    } else {
        VIDEO
    })
}

/// Whether the list of brands at the beginning of an ISO base media file has one of these.
fn has_brand(bytes: &[u8], brands: &[&[u8]]) -> bool {
    let Some(length) = bytes.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) else {
        return false;
    };
    let list = bytes.get(8..length.clamp(12, 512).min(bytes.len())).unwrap_or_default();
    bytes.get(4..8) == Some(b"ftyp") && list.chunks_exact(4).any(|brand| brands.contains(&brand))
}

/// HEIF with HEVC; with AV1 it is AVIF, and Canon's raw files have the brands, too.
fn is_heic(bytes: &[u8]) -> bool {
    let heic: &[&[u8]] = &[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];
    has_brand(bytes, heic) && !has_brand(bytes, &[b"avif", b"avis", b"crx "])
}

/// Files whose signature is not at their beginning.
fn by_place(bytes: &[u8]) -> Option<Unread> {
    if bytes.get(128..132) == Some(b"DICM") {
        return Some(DICOM);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(ARCHIVE);
    }
    if bytes.ends_with(b"TRUEVISION-XFILE.\0") {
        return Some(("a TGA picture", MAGICK));
    }
    let is_blank = bytes.len() >= 16 && bytes.iter().all(|byte| *byte == 0);
    is_blank.then_some(("nothing but zeros", "copying it was interrupted: copy it again"))
}

/// Documents of text.
fn by_text(bytes: &[u8]) -> Option<Unread> {
    let head = &bytes[..bytes.len().min(TEXT_BYTES)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let lower = text.to_ascii_lowercase();
    if lower.starts_with('<') {
        let holds = |word: &str| lower.contains(word);
        return if holds("<svg") {
            Some(SVG)
        } else if holds("<!doctype html") || holds("<html") || holds("<head") || holds("<body") {
            Some(HTML)
        } else {
            holds("<?xml").then_some(XML)
        };
    }
    let mut after = text.strip_prefix(['{', '['])?.chars().filter(|letter| !letter.is_whitespace());
    let opens = after.next()?;
    ("\"{[]}-".contains(opens) || opens.is_ascii_digit()).then_some(JSON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: &[u8]) -> String {
        of(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_read_is_named_for_what_it_is() {
        let dicom = [vec![0; 128], b"DICM\x02\x00".to_vec()].concat();
        let tar = [vec![b'a'; 257], b"ustar".to_vec()].concat();
        let tga = [&b"\0\0\x02"[..], &[7; 40], b"TRUEVISION-XFILE.\0"].concat();
        for (bytes, what) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "HEIC"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
            (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "AVIF"),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "camera's raw"),
            (b"\0\0\0\x18ftypisom\0\0\x02\0isommp41", "video"),
            (b"\xff\x4f\xff\x51\0\x2f", "JPEG 2000"),
            (b"II\x2a\0\x10\0\0\0CR\x02\0", "camera's raw"),
            (&dicom, "DICOM"),
            (&tar, "archive"),
            (&tga, "TGA"),
            (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
            (b"\xef\xbb\xbf  <!DOCTYPE html><html><head>", "web page"),
            (b"<?xml version='1.0'?><annotation/>", "XML"),
            (b"%PDF-1.7", "PDF"),
            (b"8BPS\0\x01", "Photoshop"),
            (b"NRUB\x01\0", "a model"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"),
            (b"{\n  \"error\": \"not found\" }", "JSON"),
            (b"PK\x03\x04\x14", "archive"),
            (b"RIFF\x24\0\0\0AVI LIST", "video"),
            (b"\0\0\x01\0\x01\0\x10\x10", "icon"),
            (&[0; 64], "zeros"),
        ] {
            let message = named(bytes);
            assert!(message.starts_with("is ") && message.contains(what), "{what}: {message}");
            assert!(message.contains(", expected PNG, JPEG") && message.ends_with(')'), "{message}");
        }
    }

    #[test]
    fn jpeg_xl_is_known_by_its_beginning() {
        for (bytes, kind) in
            [(&b"\0\0\0\x0cJXL \r\n\x87\n"[..], Kind::JpegXl), (b"\xff\x0a\xfa\x1f", Kind::JpegXl)]
        {
            assert_eq!(of(bytes).unwrap().0, kind);
        }
    }

    #[test]
    fn what_is_unknown_is_said_to_be() {
        for bytes in [&b"hello, I am a text file"[..], b"<3", b"[sic]", b"\xff", b"RIFF\0\0\0\0WAVE"] {
            assert!(named(bytes).starts_with("not a picture: expected PNG, JPEG"), "{}", named(bytes));
        }
    }
}
