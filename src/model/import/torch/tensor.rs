//! A tensor of a checkpoint, whose values are still in the file.

use std::sync::Arc;

use super::damage::Damage;
use super::storage::Storages;
use super::value::View;
use crate::import::element::ElementType;
use crate::memory::{Part, allow};

/// A view of a storage, and its container.
#[derive(Debug, Clone)]
pub(in crate::import) struct TorchTensor {
    pub(super) view: View,
    pub(super) storages: Arc<Storages>,
}

impl TorchTensor {
    /// Extents, outermost first.
    pub(in crate::import) fn shape(&self) -> &[usize] {
        &self.view.shape
    }

    /// The element type.
    pub(in crate::import) fn element(&self) -> ElementType {
        self.view.element
    }

    /// The tensor's bytes, little-endian, last axis fastest, for any strides of the view.
    ///
    /// # Errors
    /// When the view exceeds its storage, or the storage cannot be read.
    pub(in crate::import) fn read(&self) -> Result<Vec<u8>, Damage> {
        let View { storage, width, offset, shape, strides, .. } = &self.view;
        let count = shape.iter().try_fold(1_usize, |count, extent| count.checked_mul(*extent));
        let most = Part::Weights.ceiling();
        let count = count.filter(|count| *count as u64 <= most);
        let count = count.ok_or_else(|| Damage::new(format!("has more than {most} numbers")))?;
        Part::Weights.check(count as u64)?;
        if count == 0 {
            return Ok(vec![]);
        }
        let beyond = || Damage::new(format!("reaches beyond the end of its storage '{}'", storage.key));
        let further = |span: usize, (extent, stride): (&usize, &usize)| {
            (extent - 1).checked_mul(*stride).and_then(|step| span.checked_add(step))
        };
        let span = shape.iter().zip(strides).try_fold(1, further).ok_or_else(beyond)?;
        let first = offset.checked_add(storage.start).ok_or_else(beyond)?;
        let reach = if storage.kind.is_some() { storage.reach } else { storage.reach / width };
        if first.checked_add(span).is_none_or(|end| end > reach) {
            return Err(beyond());
        }
        let bytes = |elements: usize| elements.checked_mul(*width).ok_or_else(beyond);
        allow(bytes(span)? as u64)?;
        // Only what the view spans: many views may share one large storage.
        let window = self.storages.read(&storage.key, bytes(first)?, bytes(span)?)?;
        Ok(if span == count && is_in_order(shape, strides) {
            window
        } else {
            gather(&window, *width, shape, strides, count)
        })
    }
}

/// Whether the values are contiguous and in row-major order.
fn is_in_order(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    shape.iter().zip(strides).rev().all(|(extent, stride)| {
        let fits = *extent == 1 || *stride == step;
        step *= extent;
        fits
    })
}

/// Copies elements one by one into row-major order.
fn gather(window: &[u8], width: usize, shape: &[usize], strides: &[usize], count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count * width);
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    for _ in 0..count {
        bytes.extend_from_slice(&window[at * width..(at + 1) * width]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_of_axes_is_gathered() {
        let window: Vec<u8> = (0..6).collect();
        assert_eq!(gather(&window, 1, &[3, 2], &[1, 3], 6), [0, 3, 1, 4, 2, 5]);
        assert_eq!(gather(&window, 2, &[2], &[2], 2), [0, 1, 4, 5], "every other pair of bytes");
        assert_eq!(gather(&window, 1, &[3], &[0], 3), [0, 0, 0], "one number repeated");
        assert!(is_in_order(&[3, 2], &[2, 1]) && is_in_order(&[3, 1], &[1, 7]));
        assert!(!is_in_order(&[3, 2], &[1, 3]));
    }
}
