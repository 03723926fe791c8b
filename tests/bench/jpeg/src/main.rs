//! Decoders of JPEG side by side: against libjpeg-turbo's own pixels and warnings, and against the clock.
//!
//!     python tests/bench/jpeg/make.py fixtures/images/coffee.png /tmp/jpegs
//!     cargo run --release --manifest-path tests/bench/jpeg/Cargo.toml -- /tmp/jpegs
//!
//! With `--features simd` the C code has its assembly, for which nasm is needed. Numbers are in docs/pictures.md.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::os::raw::c_int;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, panic};

/// Width, height, RGB, and whether the decoder warned.
type Decoded = Result<(usize, usize, Vec<u8>, bool), String>;
type Decoder = (&'static str, fn(&[u8]) -> Decoded);

const DECODERS: [Decoder; 4] = [
    ("libjpeg-turbo's C (mozjpeg-sys)", c_code),
    ("libjpeg-turbo-rs", turbo_rs),
    ("zune-jpeg", zune),
    ("jpeg-decoder", jpeg_decoder),
];

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("a folder that make.py has filled"));
    // Decoders that panic are counted, not listened to.
    panic::set_hook(Box::new(|_| {}));
    agreement(&folder);
    speed(&folder.join("speed"));
}

#[derive(Default)]
struct Tally {
    files: usize,
    refused: usize,
    different: usize,
    greatest: u8,
    silent: usize,
}

fn agreement(folder: &Path) {
    println!("| decoder | files | | refused | other pixels | by at most | libjpeg-turbo warns, it does not |");
    for (name, decode) in DECODERS {
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        for path in jpegs(folder) {
            let Ok(reference) = fs::read(format!("{}.ref", path.display())) else { continue };
            let kind = path.file_name().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
            add(tallies.entry(kind).or_default(), decode, &fs::read(&path).unwrap(), &reference);
        }
        for (kind, Tally { files, refused, different, greatest, silent }) in tallies {
            println!("| {name} | {kind} | {files} | {refused} | {different} | {greatest} | {silent} |");
        }
    }
}

fn add(tally: &mut Tally, decode: fn(&[u8]) -> Decoded, bytes: &[u8], reference: &[u8]) {
    tally.files += 1;
    let side = |at: usize| u32::from_le_bytes(*reference[at..].first_chunk().unwrap()) as usize;
    let [pixels @ .., warned] = &reference[8..] else { return };
    match panic::catch_unwind(|| decode(bytes)).unwrap_or_else(|_| Err("a panic".into())) {
        Err(_) => tally.refused += 1,
        Ok((width, height, rgb, warns)) => {
            let same_size = (width, height) == (side(0), side(4)) && rgb.len() == pixels.len();
            let distances = rgb.iter().zip(pixels).map(|(one, other)| one.abs_diff(*other));
            let distance = if same_size { distances.max().unwrap_or(0) } else { 255 };
            tally.different += usize::from(distance > 0);
            tally.greatest = tally.greatest.max(distance);
            tally.silent += usize::from(*warned == 2 && !warns);
        }
    }
}

fn speed(folder: &Path) {
    for path in jpegs(folder) {
        let bytes = fs::read(&path).unwrap();
        let rounds = if bytes.len() > 1 << 20 { 5 } else { 40 };
        let mut best = [f64::INFINITY; DECODERS.len()];
        for _ in 0..rounds {
            for (best, (_, decode)) in best.iter_mut().zip(DECODERS) {
                let start = Instant::now();
                black_box(decode(&bytes)).unwrap();
                *best = best.min(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        println!("{}", path.file_name().unwrap().to_string_lossy());
        for ((name, _), time) in DECODERS.iter().zip(best) {
            println!("    {time:8.2} ms  {:.2}  {name}", time / best[2]);
        }
    }
}

fn jpegs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder that make.py has filled");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    paths.sort();
    paths
}

fn words(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn zune(bytes: &[u8]) -> Decoded {
    use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    let options = DecoderOptions::default().set_strict_mode(false).jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(words)?;
    let info = decoder.info().ok_or("no header")?;
    Ok((info.width.into(), info.height.into(), rgb, false))
}

fn jpeg_decoder(bytes: &[u8]) -> Decoded {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let samples = decoder.decode().map_err(words)?;
    let info = decoder.info().ok_or("no header")?;
    let rgb = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => samples.iter().flat_map(|level| [*level; 3]).collect(),
        jpeg_decoder::PixelFormat::RGB24 => samples,
        other => return Err(words(other)),
    };
    Ok((info.width.into(), info.height.into(), rgb, false))
}

fn turbo_rs(bytes: &[u8]) -> Decoded {
    let mut decoder = libjpeg_turbo_rs::Decoder::new(bytes).map_err(words)?;
    decoder.set_lenient(true);
    decoder.set_output_format(libjpeg_turbo_rs::PixelFormat::Rgb);
    let image = decoder.decode_image().map_err(words)?;
    Ok((image.width, image.height, image.data, !image.warnings.is_empty()))
}

thread_local! {
    static WARNINGS: Cell<u32> = const { Cell::new(0) };
}

extern "C-unwind" fn count(_: &mut mozjpeg_sys::jpeg_common_struct, level: c_int) {
    if level < 0 {
        WARNINGS.set(WARNINGS.get() + 1);
    }
}

extern "C-unwind" fn give_up(_: &mut mozjpeg_sys::jpeg_common_struct) {
    panic::resume_unwind(Box::new(()));
}

/// As `src/picture/input/jpeg/turbo.rs`, without its care for memory after an error.
fn c_code(bytes: &[u8]) -> Decoded {
    use mozjpeg_sys::*;
    WARNINGS.set(0);
    let decode = || unsafe {
        let mut errors: Box<jpeg_error_mgr> = Box::new(std::mem::zeroed());
        jpeg_std_error(&mut errors);
        errors.emit_message = Some(count);
        errors.error_exit = Some(give_up);
        let mut info: Box<jpeg_decompress_struct> = Box::new(std::mem::zeroed());
        info.common.err = &mut *errors;
        jpeg_create_decompress(&mut *info);
        jpeg_mem_src(&mut info, bytes.as_ptr(), bytes.len() as _);
        jpeg_read_header(&mut info, 1);
        info.out_color_space = J_COLOR_SPACE::JCS_RGB;
        jpeg_start_decompress(&mut info);
        let (width, height) = (info.output_width as usize, info.output_height as usize);
        let mut rgb = vec![0; width * height * 3];
        while info.output_scanline < info.output_height {
            let mut row = rgb[info.output_scanline as usize * width * 3..].as_mut_ptr();
            jpeg_read_scanlines(&mut info, &mut row, 1);
        }
        jpeg_finish_decompress(&mut info);
        jpeg_destroy_decompress(&mut info);
        (width, height, rgb)
    };
    let (width, height, rgb) =
        panic::catch_unwind(panic::AssertUnwindSafe(decode)).map_err(|_| "libjpeg gave it up".to_owned())?;
    Ok((width, height, rgb, WARNINGS.get() > 0))
}
