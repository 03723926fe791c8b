//! The loops of an elimination, compiled once more for wider registers, and taken where the CPU has them.
//!
//! Sums keep their order and no product is fused with its sum, so that results are the same to the last digit.
#![allow(unsafe_code, reason = "only where the CPU has what they are compiled for")]

use super::loops::{self, Rows};

/// Functions that run those of [`loops`] with the same names.
macro_rules! on_wide_registers {
    ($(fn $name:ident($($argument:ident: $type:ty),*);)*) => { $(
        pub(super) fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn compiled($($argument: $type),*) {
                    loops::$name($($argument),*);
                }
                // SAFETY: the CPU was asked for them.
                return unsafe { compiled($($argument),*) };
            }
            loops::$name($($argument),*);
        }
    )* };
}

on_wide_registers! {
    fn eliminate(values: &mut [f64], width: usize, pivots: usize, inverse: &mut Vec<f64>);
    fn forward(factor: Rows<'_>, sides: &mut [f64]);
    fn backward(factor: Rows<'_>, sides: &mut [f64]);
}
