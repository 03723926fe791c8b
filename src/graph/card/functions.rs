//! The functions of one element: activations and elementary functions, one entry each.
//!
//! An entry has what every reader of a graph may ask: the value, the slope, the curvature, the range, the operator of
//! ONNX that it is, and its native kernel. At a kink the slope is PyTorch's. The engine's and the native kernels compute the
//! same in single precision, and their tests compare them with these entries. A new activation is an [`Op`], one entry
//! here, its line in [`Op::class`], and a kernel.

pub(super) mod elementary;
mod kernel;
mod numbers;
pub(super) mod table;
#[cfg(test)]
mod tests;

use super::Op;
pub use kernel::PointwiseKernel;
use table::ALL;

/// `alpha` and `scale` of SELU, arXiv:1706.02515.
pub const SELU_CONSTANTS: [f64; 2] = [1.673_263_242_354_377_2, 1.050_700_987_355_480_5];

/// Settings of a function, in the order in which [`Op`] names them; zero where it has fewer.
pub type Settings = [f64; 2];

/// One function of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The operator of ONNX and its attributes with their defaults, one for each setting.
    onnx: Option<(&'static str, &'static [(&'static str, f32)])>,
    op: fn(Settings) -> Op,
    value: fn(f64, Settings) -> f64,
    slope: fn(f64, Settings) -> f64,
    curvature: fn(f64, Settings) -> f64,
    /// Infimum and supremum of the values.
    range: fn(Settings) -> [f64; 2],
    /// From its settings in single precision.
    kernel: Option<fn([f32; 2]) -> PointwiseKernel>,
}

/// A function with its settings.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    entry: &'static Entry,
    settings: Settings,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.entry, other.entry) && self.settings == other.settings
    }
}

impl Function {
    pub(super) fn new(entry: &'static Entry, settings: Settings) -> Self {
        Self { entry, settings }
    }

    /// `f(x)`, in double precision.
    #[must_use]
    pub fn value(self, x: f64) -> f64 {
        (self.entry.value)(x, self.settings)
    }

    /// `f'(x)`. At a kink it is the slope that PyTorch's backward pass takes.
    #[must_use]
    pub fn slope(self, x: f64) -> f64 {
        (self.entry.slope)(x, self.settings)
    }

    /// `f''(x)`; at a kink that of the side whose slope is taken, as automatic differentiation has it.
    #[must_use]
    pub fn curvature(self, x: f64) -> f64 {
        (self.entry.curvature)(x, self.settings)
    }

    /// Whether it is the same function, with settings no further apart than `tolerance`.
    #[must_use]
    pub(crate) fn is_near(self, other: Self, tolerance: f64) -> bool {
        let mut settings = self.settings.iter().zip(other.settings);
        std::ptr::eq(self.entry, other.entry) && settings.all(|(own, other)| (own - other).abs() < tolerance)
    }

    /// The native kernel that computes it; `None` for functions that run on Burn alone.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the kernels compute in single precision")]
    pub(super) fn kernel(self) -> Option<PointwiseKernel> {
        Some((self.entry.kernel?)(self.settings.map(|setting| setting as f32)))
    }

    /// The bounds of a function that does nothing but clip: `min(max(x, low), high)`, with slope 0 at both.
    #[must_use]
    pub(super) fn clips(self) -> Option<[f64; 2]> {
        // The kernel rounds its bounds; the range has them as they are.
        matches!(self.kernel(), Some(PointwiseKernel::Range(_))).then(|| self.range())
    }

    /// Infimum and supremum of all values.
    #[must_use]
    pub fn range(self) -> [f64; 2] {
        (self.entry.range)(self.settings)
    }
}

/// Every function of the table, with these settings where it has any.
pub fn all(settings: Settings) -> impl Iterator<Item = Op> {
    ALL.iter().map(move |entry| (entry.op)(settings))
}

/// Whether the table has ONNX's operator `name`.
pub fn is_onnx_function(name: &str) -> bool {
    ALL.iter().any(|entry| entry.onnx.is_some_and(|onnx| onnx.0 == name))
}

/// The operation that ONNX calls `name`. `attribute` gives a setting's value from the attribute's name and default.
///
/// # Errors
/// Those of `attribute`.
pub fn from_onnx<E>(
    name: &str,
    mut attribute: impl FnMut(&str, f32) -> Result<f64, E>,
) -> Option<Result<Op, E>> {
    let found = ALL.iter().find_map(|entry| Some((entry, entry.onnx.filter(|onnx| onnx.0 == name)?.1)));
    found.map(|(entry, attributes)| {
        let mut settings = Settings::default();
        for (setting, (name, default)) in settings.iter_mut().zip(attributes) {
            *setting = attribute(name, *default)?;
        }
        Ok((entry.op)(settings))
    })
}
