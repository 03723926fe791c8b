//! Loops over pixels and numbers, compiled once more for wider registers, and taken where the CPU has them.
//!
//! Receives a function; makes another that calls it. Its results are the same to the last bit: integers are exact, and no product of floats is fused
//! with its sum.

/// A function that calls another, compiled for AVX2 and BMI2 where the CPU has both. That holds for what is compiled into the other one: it and what it
/// calls is `#[inline(always)]`.
///
/// ```
/// #[inline(always)]
/// fn sum(values: &[u8]) -> u32 {
///     values.iter().map(|value| u32::from(*value)).sum()
/// }
///
/// burncam_graph::wide!(fn wide_sum(values: &[u8]) -> u32 = sum);
///
/// assert_eq!(wide_sum(&[1, 2, 255]), 258);
/// ```
#[macro_export]
macro_rules! wide {
    ($visibility:vis fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $function:path) => {
        #[allow(unsafe_code, reason = "only where the CPU has what it is compiled for")]
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            if ::std::arch::is_x86_feature_detected!("avx2") && ::std::arch::is_x86_feature_detected!("bmi2") {
                #[target_feature(enable = "avx2,bmi2")]
                fn compiled($($argument: $type),*) $(-> $result)? {
                    $function($($argument),*)
                }
                // SAFETY: the CPU was asked for both.
                return unsafe { compiled($($argument),*) };
            }
            $function($($argument),*)
        }
    };
}
