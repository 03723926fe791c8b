//! libjpeg-turbo's C code behind one safe function. The only unsafe code outside of `native`.
//!
//! The crate `mozjpeg-sys` builds the C code from source. An error in it ends in [`give_up`], which unwinds the stack up to the
//! `catch_unwind` in [`read`]: the C code is compiled for that (`-fexceptions`, the crate's feature `unwinding`, and the
//! declarations are `extern "C-unwind"`), and its frames own nothing, because all memory hangs on the object that is destroyed
//! when [`Decompressor`] is dropped.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use mozjpeg_sys::{
    J_COLOR_SPACE, J_DCT_METHOD, jpeg_common_struct, jpeg_create_decompress, jpeg_decompress_struct,
    jpeg_destroy_decompress, jpeg_error_mgr, jpeg_finish_decompress, jpeg_mem_src, jpeg_read_header,
    jpeg_read_scanlines, jpeg_start_decompress, jpeg_std_error,
};

use super::markers::Frame;

/// Longest message of libjpeg, its `JMSG_LENGTH_MAX`.
const MESSAGE: usize = 200;

/// Which colours come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Red, green and blue; of four components cyan, magenta, yellow and black as they are stored.
    Rgb,
    /// What is stored, whatever it means.
    Stored,
}

/// A decoded stream.
pub(super) struct Decompressed {
    pub(super) width: usize,
    /// Samples of a pixel.
    pub(super) channels: usize,
    /// Interleaved, row by row.
    pub(super) samples: Vec<u8>,
    /// True when libjpeg warned while it read the pixels: it filled in what it could not read.
    pub(super) is_damaged: bool,
    /// True when it warned behind the pixels: data was left over, or the end is missing.
    pub(super) ends_oddly: bool,
}

/// Decodes a stream whose size has been approved.
///
/// # Errors
/// libjpeg's own words, when it gave the stream up, or when it finds another size than `approved`.
pub(super) fn read(bytes: &[u8], approved: Frame, space: Space) -> Result<Decompressed, String> {
    let work = || {
        let mut decompressor = Decompressor::new();
        decompressor.read(bytes, approved, space)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| match payload.downcast::<GaveUp>() {
        Ok(gave_up) => Err(gave_up.0),
        // A failure of this code is not libjpeg's.
        Err(other) => resume_unwind(other),
    })
}

/// What [`give_up`] unwinds with.
struct GaveUp(String);

/// libjpeg's object. Its parts point at one another, so they stay where they are on the heap, and are only reached by pointer.
struct Decompressor {
    info: *mut jpeg_decompress_struct,
    errors: *mut jpeg_error_mgr,
}

impl Decompressor {
    fn new() -> Self {
        // SAFETY: both are plain C structures of numbers, pointers and optional functions, for which zero is valid.
        let (info, errors) = unsafe { (Box::new(std::mem::zeroed()), Box::new(std::mem::zeroed())) };
        let this = Self { info: Box::into_raw(info), errors: Box::into_raw(errors) };
        // SAFETY: the pointers come from boxes that live until `this` is dropped; nothing else has them. The error manager
        // is filled before anything can fail.
        unsafe {
            jpeg_std_error(&mut *this.errors);
            (*this.errors).error_exit = Some(give_up);
            (*this.errors).output_message = Some(ignore);
            (*this.info).common.err = this.errors;
            jpeg_create_decompress(&mut *this.info);
        }
        this
    }

    fn read(&mut self, bytes: &[u8], approved: Frame, space: Space) -> Result<Decompressed, String> {
        // SAFETY: `info` was created by `new` and is used by this thread alone. `bytes` outlive the reading, which ends with this
        // function. Every row that is written has `width * channels` bytes, which is what libjpeg writes.
        unsafe {
            let info = self.info;
            jpeg_mem_src(&mut *info, bytes.as_ptr(), bytes.len() as _);
            jpeg_read_header(&mut *info, 1);
            if ((*info).image_width, (*info).image_height) != (approved.width, approved.height) {
                return Err("it has two sizes".to_owned());
            }
            (*info).dct_method = J_DCT_METHOD::JDCT_ISLOW;
            (*info).out_color_space = match (space, (*info).num_components) {
                (Space::Rgb, 4) => J_COLOR_SPACE::JCS_CMYK,
                (Space::Rgb, _) => J_COLOR_SPACE::JCS_RGB,
                (Space::Stored, _) => (*info).jpeg_color_space,
            };
            // What is odd about the header leaves the pixels whole.
            (*self.errors).num_warnings = 0;
            jpeg_start_decompress(&mut *info);
            let (width, height) = ((*info).output_width as usize, (*info).output_height as usize);
            let channels = (*info).output_components as usize;
            let row = width * channels;
            let mut samples = vec![0; row * height];
            while (*info).output_scanline < (*info).output_height {
                let at = (*info).output_scanline as usize * row;
                let mut line = samples[at..at + row].as_mut_ptr();
                if jpeg_read_scanlines(&mut *info, &mut line, 1) == 0 {
                    return Err("the decoder stopped".to_owned());
                }
            }
            let is_damaged = (*self.errors).num_warnings > 0;
            Ok(Decompressed { width, channels, samples, is_damaged, ends_oddly: self.ends_oddly() })
        }
    }
}

impl Decompressor {
    /// Reads what is behind the pixels. An error there is no error of the pixels.
    fn ends_oddly(&mut self) -> bool {
        let finish = || {
            // SAFETY: as in `read`, which has read all rows. After an error libjpeg's object may only be destroyed, which is all
            // that follows.
            unsafe {
                (*self.errors).num_warnings = 0;
                jpeg_finish_decompress(&mut *self.info);
                (*self.errors).num_warnings > 0
            }
        };
        catch_unwind(AssertUnwindSafe(finish)).unwrap_or(true)
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: both come from `Box::into_raw` and are freed once; libjpeg frees what it hung on `info` before.
        unsafe {
            jpeg_destroy_decompress(&mut *self.info);
            drop(Box::from_raw(self.info));
            drop(Box::from_raw(self.errors));
        }
    }
}

/// Called by libjpeg in place of `exit`.
extern "C-unwind" fn give_up(common: &mut jpeg_common_struct) {
    resume_unwind(Box::new(GaveUp(message(common))));
}

/// Called by libjpeg with the first warning of a stream, in place of printing it: the count says enough.
extern "C-unwind" fn ignore(_: &mut jpeg_common_struct) {}

/// The current message in words.
fn message(common: &mut jpeg_common_struct) -> String {
    type Format = unsafe extern "C-unwind" fn(*mut jpeg_common_struct, *mut u8);
    let mut buffer = [0; MESSAGE];
    // SAFETY: `err` was set by `Decompressor::new`. The function is C's `void (j_common_ptr, char *)` whichever way the bindings
    // declare it, and writes at most `JMSG_LENGTH_MAX` bytes.
    unsafe {
        let Some(format) = (*common.err).format_message else { return String::new() };
        let format = std::mem::transmute::<*const c_void, Format>(format as *const c_void);
        format(ptr::from_mut(common), buffer.as_mut_ptr());
    }
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(MESSAGE);
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}
