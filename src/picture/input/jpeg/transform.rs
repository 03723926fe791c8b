//! libjpeg's accurate inverse transform, eight columns or rows of a block at once.
//!
//! Receives what libjpeg gives to its own function in C; writes the same samples. That function goes through a block number by number, and only
//! libjpeg's assembly, for which a build needs `nasm`, does more at once. The steps are those of `jidctint.c`, in 32 bits instead of 64. These are
//! enough while no number is beyond 16 bits before either pass, which holds for all but damaged files; other blocks are left to the function in C.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi16_epi32, _mm256_cvtepu16_epi32,
    _mm256_mullo_epi32, _mm256_or_si256, _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute2x128_si256,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_slli_epi32, _mm256_srai_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm256_testz_si256,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};
use std::ffi::c_int;
use std::ptr;

use mozjpeg_sys::{jpeg_component_info, jpeg_decompress_struct};

/// A transform: the component of a block, its 64 coefficients, eight rows of samples, and the column where the block begins.
type Transform = unsafe extern "C-unwind" fn(
    *mut jpeg_decompress_struct,
    *mut jpeg_component_info,
    *mut i16,
    *mut *mut u8,
    u32,
);

/// Is called for each component before the first block, and may put another transform in the place of the one that was chosen.
pub(super) type Selector = unsafe extern "C-unwind" fn(
    *mut jpeg_decompress_struct,
    *mut jpeg_component_info,
    *mut Transform,
    *mut c_int,
);

unsafe extern "C-unwind" {
    fn jpeg_idct_islow(
        info: *mut jpeg_decompress_struct,
        component: *mut jpeg_component_info,
        block: *mut i16,
        rows: *mut *mut u8,
        column: u32,
    );
    // The declaration in `mozjpeg_sys` has a compressor as the first argument.
    pub(super) fn jpeg_set_idct_method_selector(info: *mut jpeg_decompress_struct, selector: Selector);
}

/// Makes libjpeg call this transform instead of its own in C, where the CPU has what it is compiled for.
///
/// # Safety
/// `info` is a decompressor that was created.
pub(super) unsafe fn install(info: *mut jpeg_decompress_struct) {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: as this function's.
        unsafe { jpeg_set_idct_method_selector(info, select) };
    }
}

unsafe extern "C-unwind" fn select(
    _: *mut jpeg_decompress_struct,
    _: *mut jpeg_component_info,
    chosen: *mut Transform,
    _: *mut c_int,
) {
    // SAFETY: libjpeg gives the place of its choice. Where that is another function, for example one in assembly, it stays.
    unsafe {
        if ptr::fn_addr_eq(*chosen, jpeg_idct_islow as Transform) {
            *chosen = transform;
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe extern "C-unwind" fn transform(
    info: *mut jpeg_decompress_struct,
    component: *mut jpeg_component_info,
    block: *mut i16,
    rows: *mut *mut u8,
    column: u32,
) {
    // SAFETY: as libjpeg's own function, this one gets a component with its table, 64 coefficients, and eight rows with room for eight samples from
    // `column` on.
    unsafe {
        let steps = (*component).quant_table.as_ref();
        let samples = steps.and_then(|steps| samples(&*block.cast(), &steps.quantval));
        let Some(samples) = samples else {
            return jpeg_idct_islow(info, component, block, rows, column);
        };
        for (y, row) in samples.as_chunks::<8>().0.iter().enumerate() {
            let place = (*rows.add(y)).add(column as usize);
            ptr::copy_nonoverlapping(row.as_ptr(), place, row.len());
        }
    }
}

/// The samples of a block row by row, `None` where a number is beyond 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn samples(block: &[i16; 64], steps: &[u16; 64]) -> Option<[u8; 64]> {
    let mut rows = [_mm256_setzero_si256(); 8];
    let (blocks, steps) = (block.as_chunks::<8>().0, steps.as_chunks::<8>().0);
    for (row, (coefficients, steps)) in rows.iter_mut().zip(blocks.iter().zip(steps)) {
        // SAFETY: both are 16 bytes, which need not be aligned.
        let [coefficients, steps] = unsafe {
            [_mm_loadu_si128(coefficients.as_ptr().cast()), _mm_loadu_si128(steps.as_ptr().cast::<__m128i>())]
        };
        *row = _mm256_mullo_epi32(_mm256_cvtepi16_epi32(coefficients), _mm256_cvtepu16_epi32(steps));
    }
    if !fit(&rows) {
        return None;
    }
    // Two fractional bits are kept between the passes.
    let columns = transposed(pass::<11>(rows));
    if !fit(&columns) {
        return None;
    }
    let mut rows = transposed(pass::<18>(columns));
    for row in &mut rows {
        // libjpeg looks the lowest ten bits up in a table.
        let wrapped = _mm256_srai_epi32::<22>(_mm256_slli_epi32::<22>(*row));
        *row = _mm256_add_epi32(wrapped, _mm256_set1_epi32(128));
    }
    let mut samples = [0; 64];
    for (half, rows) in samples.as_chunks_mut::<32>().0.iter_mut().zip(rows.as_chunks::<4>().0) {
        // SAFETY: it is 32 bytes, which need not be aligned.
        unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), bytes(*rows)) };
    }
    Some(samples)
}

/// Whether all numbers fit into 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn fit(all: &[__m256i; 8]) -> bool {
    let mut any = _mm256_setzero_si256();
    for each in all {
        any = _mm256_or_si256(any, _mm256_add_epi32(*each, _mm256_set1_epi32(1 << 15)));
    }
    _mm256_testz_si256(any, _mm256_set1_epi32(-1 << 16)) == 1
}

/// The transform along one axis, of eight lines at once, with 13 fractional bits of which `SHIFT` are rounded away.
#[inline]
#[target_feature(enable = "avx2")]
fn pass<const SHIFT: i32>(x: [__m256i; 8]) -> [__m256i; 8] {
    let add = |a, b| _mm256_add_epi32(a, b);
    let sub = |a, b| _mm256_sub_epi32(a, b);
    let times = |a, by| _mm256_mullo_epi32(a, _mm256_set1_epi32(by));
    // The even part: a rotation of 2 and 6, a sum and a difference of 0 and 4.
    let turned = times(add(x[2], x[6]), 4433);
    let (low, high) = (add(turned, times(x[2], 6270)), add(turned, times(x[6], -15137)));
    let sum = _mm256_slli_epi32::<13>(add(x[0], x[4]));
    let difference = _mm256_slli_epi32::<13>(sub(x[0], x[4]));
    let even = [add(sum, low), add(difference, high), sub(difference, high), sub(sum, low)];
    // The odd part.
    let both = times(add(add(x[7], x[3]), add(x[5], x[1])), 9633);
    let [a, b] = [times(add(x[7], x[1]), -7373), times(add(x[5], x[3]), -20995)];
    let [c, d] = [add(times(add(x[7], x[3]), -16069), both), add(times(add(x[5], x[1]), -3196), both)];
    let odd = [
        add(times(x[1], 12299), add(a, d)),
        add(times(x[3], 25172), add(b, c)),
        add(times(x[5], 16819), add(b, d)),
        add(times(x[7], 2446), add(a, c)),
    ];
    let half = _mm256_set1_epi32(1 << (SHIFT - 1));
    let rounded = |a| _mm256_srai_epi32::<SHIFT>(add(a, half));
    let mut out = x;
    for (at, (even, odd)) in even.into_iter().zip(odd).enumerate() {
        (out[at], out[7 - at]) = (rounded(add(even, odd)), rounded(sub(even, odd)));
    }
    out
}

/// Rows as columns.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d, e, f, g, h]: [__m256i; 8]) -> [__m256i; 8] {
    let fours = |a, b, c, d| {
        let [ab, cd] = [_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d)];
        let [above, below] = [_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d)];
        [
            _mm256_unpacklo_epi64(ab, cd),
            _mm256_unpackhi_epi64(ab, cd),
            _mm256_unpacklo_epi64(above, below),
            _mm256_unpackhi_epi64(above, below),
        ]
    };
    let (upper, lower) = (fours(a, b, c, d), fours(e, f, g, h));
    let mut out = [_mm256_setzero_si256(); 8];
    for (at, (upper, lower)) in upper.into_iter().zip(lower).enumerate() {
        out[at] = _mm256_permute2x128_si256::<0x20>(upper, lower);
        out[at + 4] = _mm256_permute2x128_si256::<0x31>(upper, lower);
    }
    out
}

/// Four rows as bytes from 0 to 255, one after the other.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes([a, b, c, d]: [__m256i; 4]) -> __m256i {
    let mixed = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Packing goes through both halves of a register side by side.
    _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}
