//! Accepted shapes, and what an array is compared with.

use super::*;
use crate::card::Layout;

fn spec(channels: usize, height: usize, width: usize) -> InputSpec {
    InputSpec { name: "input".into(), channels, height, width, layout: Layout::default() }
}

#[test]
fn both_layouts_and_any_number_of_pictures_fit() {
    let spec = spec(3, 4, 5);
    assert_eq!(pictures(&[1, 3, 4, 5], &spec), Ok((1, false)));
    assert_eq!(pictures(&[7, 3, 4, 5], &spec), Ok((7, false)));
    assert_eq!(pictures(&[2, 4, 5, 3], &spec), Ok((2, true)));
    assert_eq!(pictures(&[3, 4, 5], &spec), Ok((1, false)));
    let error = pictures(&[1, 4, 3, 5], &spec).unwrap_err();
    assert_eq!(
        error.to_string(),
        "has shape [1, 4, 3, 5], expected [pictures, 3, 4, 5] or [pictures, 4, 5, 3]"
    );
}

#[test]
fn no_pictures_and_far_too_many_are_refused() {
    let spec = spec(3, 224, 224);
    assert!(pictures(&[0, 3, 224, 224], &spec).is_err());
    for count in [5000, usize::MAX] {
        assert!(
            pictures(&[count, 3, 224, 224], &spec).unwrap_err().to_string().contains("more than 2048 MiB")
        );
    }
}

#[test]
fn an_output_has_a_row_of_classes_for_each_picture() {
    for shape in [&[2, 10][..], &[2, 10, 1, 1], &[2, 1, 1, 10]] {
        assert_eq!(fits(shape, 2, 10), Ok(()));
    }
    assert_eq!(fits(&[10], 1, 10), Ok(()));
    for shape in [&[2][..], &[2, 1], &[2, 1, 1, 1]] {
        assert_eq!(fits(shape, 2, 1), Ok(()));
    }
    for shape in [&[10][..], &[10, 2], &[2, 9], &[2, 10, 1, 2], &[]] {
        assert!(fits(shape, 2, 10).is_err(), "{shape:?}");
    }
}

#[test]
fn probabilities_are_told_from_logits() {
    assert!(is_distribution(&[0.1, 0.7, 0.2], OutputKind::Softmax));
    assert!(!is_distribution(&[0.1, 0.7, 0.3], OutputKind::Softmax));
    assert!(!is_distribution(&[1.5, -0.7, 0.2], OutputKind::Softmax));
    let logarithms = [0.1_f32.ln(), 0.7_f32.ln(), 0.2_f32.ln()];
    assert!(is_distribution(&logarithms, OutputKind::LogSoftmax));
    assert!(!is_distribution(&logarithms, OutputKind::Softmax));
}
