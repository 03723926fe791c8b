//! Memory of pictures that are done, for pictures to come.
//!
//! Memory of this size goes back to the system when it is freed, and comes from it page by page, each of which the kernel clears: for a photo of
//! 12 megapixels that takes as long as decoding it. So a worker hands back the pixels that it has finished with. Those that
//! are not handed back are freed as usual.

use std::cell::RefCell;

use image::RgbImage;

/// Buffers that a thread keeps: a picture that is turned upright needs a second one. More would only be kept where one thread reads what another
/// hands back.
const KEPT: usize = 2;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(vec![]) };
}

/// Keeps a picture's memory for the next picture that this thread reads.
pub fn recycle(picture: RgbImage) {
    give(picture.into_raw());
}

pub(super) fn give(buffer: Vec<u8>) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}

/// A buffer of this length. Its bytes are zeros, or those of an earlier picture.
pub(super) fn take(length: usize) -> Vec<u8> {
    let kept = SPARE.with_borrow_mut(|spare| {
        let fits = spare.iter().position(|buffer| buffer.capacity() >= length);
        // One that is too small is freed: enlarging it would copy bytes that no one reads.
        fits.or((spare.len() == KEPT).then_some(0)).map(|at| spare.swap_remove(at))
    });
    match kept {
        Some(mut buffer) if buffer.capacity() >= length => {
            buffer.resize(length, 0);
            buffer
        }
        _ => vec![0; length],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_back_is_used_again() {
        let large = RgbImage::new(40, 50);
        let place = large.as_raw().as_ptr();
        recycle(large);
        // A smaller picture fits, and then there is nothing left.
        let small = take(10 * 10 * 3);
        assert_eq!((small.as_ptr(), small.len()), (place, 300));
        let other = take(300);
        assert_ne!(other.as_ptr(), place);
        give(small);
        let again = take(6000);
        assert_eq!((again.as_ptr(), again.len()), (place, 6000));
    }

    #[test]
    fn buffers_that_are_too_small_do_not_stay_in_the_way() {
        (0..5).for_each(|_| give(vec![1; 10]));
        let large = take(1000);
        assert_eq!(large, [0; 1000]);
        let place = large.as_ptr();
        give(large);
        let again = take(900);
        assert_eq!(again.as_ptr(), place);
    }
}
