//! A safe wrapper around libjpeg-turbo's C code. The only unsafe code outside the native kernels.
//!
//! The crate `mozjpeg-sys` builds the C code from source. On an error [`give_up`] unwinds the stack to the
//! `catch_unwind` in [`read`].
//! The C code is compiled for that (`-fexceptions`, by the crate's feature `unwinding`; declarations are `extern
//! "C-unwind"`). Its
//! frames own nothing: all memory belongs to the object that is destroyed when [`Decompressor`] is dropped.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use mozjpeg_sys::{
    J_COLOR_SPACE, J_DCT_METHOD, jpeg_common_struct, jpeg_create_decompress, jpeg_decompress_struct,
    jpeg_destroy_decompress, jpeg_error_mgr, jpeg_finish_decompress, jpeg_mem_src, jpeg_read_header,
    jpeg_read_raw_data, jpeg_read_scanlines, jpeg_start_decompress, jpeg_std_error,
};

use super::markers::Frame;
use super::ycc::{LINES, Planes, Sampling};
use crate::input::spare;
use crate::input::upright::turn_rows;

/// Longest message of libjpeg, its `JMSG_LENGTH_MAX`.
const MESSAGE: usize = 200;

/// The colour space of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// RGB; four components stay as stored (CMYK).
    Rgb,
    /// The stored components, without conversion.
    Stored,
}

/// A decoded stream.
pub(super) struct Decompressed {
    /// Of a row of `samples`.
    pub(super) width: usize,
    /// Whether it was turned by a quarter clockwise.
    pub(super) is_turned: bool,
    /// Samples per pixel.
    pub(super) channels: usize,
    /// Interleaved, row by row.
    pub(super) samples: Vec<u8>,
    /// libjpeg warned while reading pixels: it filled in what it could not read.
    pub(super) is_damaged: bool,
    /// libjpeg warned after the pixels: trailing data, or a missing end marker.
    pub(super) ends_oddly: bool,
}

/// Decodes a stream whose size has been accepted, with each side divided by `by`, 1, 2, 4 or 8, and rounded up. With `turn` it is turned by a quarter
/// clockwise where that takes no second picture in memory.
///
/// # Errors
/// libjpeg's message when it gives up, or when the size differs from `approved`.
pub(super) fn read(
    bytes: &[u8],
    approved: Frame,
    space: Space,
    how: (u32, bool),
) -> Result<Decompressed, GaveUp> {
    let work = || {
        let mut decompressor = Decompressor::new();
        decompressor.read(bytes, approved, space, how)
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| match payload.downcast::<GaveUp>() {
        Ok(gave_up) => Err(*gave_up),
        // A panic of this code, not an error of libjpeg.
        Err(other) => resume_unwind(other),
    })
}

/// Why a stream was given up, in libjpeg's words: the payload that [`give_up`] unwinds with.
#[derive(Debug)]
pub(super) struct GaveUp(pub(super) String);

/// libjpeg's objects. They point at each other, so they are boxed and used only through pointers.
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
            #[cfg(target_arch = "x86_64")]
            super::transform::install(this.info);
        }
        this
    }

    fn read(
        &mut self,
        bytes: &[u8],
        approved: Frame,
        space: Space,
        (by, turn): (u32, bool),
    ) -> Result<Decompressed, GaveUp> {
        let planes;
        // SAFETY: `info` was created by `new` and is used by this thread alone. `bytes` outlive the reading, which ends with this
        // function.
        unsafe {
            let info = self.info;
            jpeg_mem_src(&mut *info, bytes.as_ptr(), bytes.len() as _);
            jpeg_read_header(&mut *info, 1);
            if ((*info).image_width, (*info).image_height) != (approved.width, approved.height) {
                return Err(GaveUp("it has two sizes".to_owned()));
            }
            (*info).dct_method = J_DCT_METHOD::JDCT_ISLOW;
            (*info).out_color_space = match (space, (*info).num_components) {
                (Space::Rgb, 4) => J_COLOR_SPACE::JCS_CMYK,
                (Space::Rgb, _) => J_COLOR_SPACE::JCS_RGB,
                (Space::Stored, _) => (*info).jpeg_color_space,
            };
            // Warnings about the header do not affect the pixels.
            (*self.errors).num_warnings = 0;
            // In eighths: the transform of a block gives as many samples along each side.
            ((*info).scale_num, (*info).scale_denom) = (8 / by, 8);
            planes = match (space, by) {
                (Space::Rgb, 1) => self.planes(),
                _ => None,
            };
            (*info).raw_data_out = planes.is_some().into();
            jpeg_start_decompress(&mut *info);
        }
        self.read_pixels(planes, turn)
    }

    /// Reads all pixels of a stream that was started, as planes or as libjpeg gives them.
    fn read_pixels(&mut self, planes: Option<Planes>, turn: bool) -> Result<Decompressed, GaveUp> {
        let info = self.info;
        // SAFETY: as in `read`.
        unsafe {
            let (width, height) = ((*info).output_width as usize, (*info).output_height as usize);
            let channels = (*info).output_components as usize;
            let mut samples = spare::take(width * channels * height);
            let is_turned = turn && planes.is_some();
            match planes {
                Some(planes) if turn => self.read_turned(planes, [width, height], &mut samples)?,
                Some(planes) => self.read_planes(planes, &mut samples)?,
                None => self.read_lines(width * channels, &mut samples)?,
            }
            let width = if is_turned { height } else { width };
            let is_damaged = (*self.errors).num_warnings > 0;
            let ends_oddly = self.ends_oddly();
            Ok(Decompressed { width, is_turned, channels, samples, is_damaged, ends_oddly })
        }
    }

    /// Memory for planes that are put together here, where a picture has them in a usual form.
    fn planes(&self) -> Option<Planes> {
        // SAFETY: `info` was created by `new`, and its header has been read, so that `comp_info` has `num_components` entries.
        unsafe {
            let info = &*self.info;
            if info.num_components != 3 || info.jpeg_color_space != J_COLOR_SPACE::JCS_YCbCr {
                return None;
            }
            let factors = |component: usize| {
                let component = &*info.comp_info.add(component);
                [component.h_samp_factor, component.v_samp_factor]
            };
            let [across, down] = factors(0).map(|factor| factor as usize);
            let size = [info.image_width as usize, info.image_height as usize];
            let is_usual = factors(1) == [1, 1] && factors(2) == [1, 1];
            is_usual.then(|| Planes::new(size, Sampling { across, down })).flatten()
        }
    }

    fn read_planes(&mut self, mut planes: Planes, samples: &mut [u8]) -> Result<(), GaveUp> {
        let mut done = 0;
        for group in 0..planes.groups() {
            self.read_group(&mut planes, group)?;
            done += planes.give(group, &mut samples[done..]);
        }
        Ok(())
    }

    /// As [`Decompressor::read_planes`], turned by a quarter clockwise.
    fn read_turned(
        &mut self,
        mut planes: Planes,
        size: [usize; 2],
        samples: &mut [u8],
    ) -> Result<(), GaveUp> {
        let (mut rows, mut top) = (vec![0; planes.most()], 0);
        for group in 0..planes.groups() {
            self.read_group(&mut planes, group)?;
            let length = planes.give(group, &mut rows);
            turn_rows(&rows[..length], top, size, samples);
            top += length / (3 * size[0]);
        }
        Ok(())
    }

    /// Reads one group of rows of every component.
    fn read_group(&mut self, planes: &mut Planes, group: usize) -> Result<(), GaveUp> {
        let mut rows = [0, 1, 2]
            .map(|component| planes.rows(component, group).map(<[u8]>::as_mut_ptr).collect::<Vec<_>>());
        let mut rows = rows.each_mut().map(Vec::as_mut_ptr);
        let lines = (LINES * planes.sampling().down) as u32;
        // SAFETY: as in `read`. For each component there are as many rows as libjpeg writes in one call, eight for each sampling factor,
        // and each row has room for all blocks of its component.
        let read = unsafe { jpeg_read_raw_data(&mut *self.info, rows.as_mut_ptr(), lines) };
        if read == 0 { Err(GaveUp("the decoder stopped".to_owned())) } else { Ok(()) }
    }

    fn read_lines(&mut self, length: usize, samples: &mut [u8]) -> Result<(), GaveUp> {
        for line in samples.chunks_exact_mut(length) {
            // SAFETY: as in `read`. The row has `width * channels` bytes, which is what libjpeg writes.
            let read = unsafe { jpeg_read_scanlines(&mut *self.info, &mut line.as_mut_ptr(), 1) };
            if read == 0 {
                return Err(GaveUp("the decoder stopped".to_owned()));
            }
        }
        Ok(())
    }
}

impl Decompressor {
    /// Reads what follows the pixels. An error there does not affect the pixels.
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

/// Replaces libjpeg's default handler, which calls `exit`.
extern "C-unwind" fn give_up(common: &mut jpeg_common_struct) {
    resume_unwind(Box::new(GaveUp(message(common))));
}

/// Replaces the handler that prints the first warning: the count is enough.
extern "C-unwind" fn ignore(_: &mut jpeg_common_struct) {}

/// The current error message.
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

#[cfg(all(test, target_arch = "x86_64"))]
#[path = "transform_tests.rs"]
mod tests;
