//! Placing maps, against hand-worked cases, Pillow's numbers and properties.

use proptest::prelude::*;

use super::*;

fn map(height: usize, width: usize, values: &[f32]) -> Heatmap {
    Heatmap::new(height, width, values.to_vec()).unwrap()
}

fn whole(map: &Heatmap, width: usize, height: usize, how: Interpolation) -> Vec<f32> {
    place(map, &Placement::whole(width, height), width, height, how).values()
}

fn assert_near(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    let near = got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6);
    assert!(near, "got {got:?}, expected {expected:?}");
}

#[test]
fn bilinear_has_half_pixel_centres_and_held_edges() {
    // Two cells over four pixels: pixel centres at 0.25, 0.75, 1.25, 1.75 cells, cell centres at 0.5 and 1.5.
    let row = map(1, 2, &[0.0, 1.0]);
    assert_near(&whole(&row, 4, 1, Interpolation::Bilinear), &[0.0, 0.25, 0.75, 1.0]);
    // The same in both directions: the product of the two lines.
    let corner = map(2, 2, &[0.0, 0.0, 0.0, 1.0]);
    let line = [0.0, 0.25, 0.75, 1.0];
    let expected: Vec<f32> = line.iter().flat_map(|y| line.map(|x| x * y)).collect();
    assert_near(&whole(&corner, 4, 4, Interpolation::Bilinear), &expected);
}

#[test]
fn nearest_repeats_the_cells() {
    let row = map(1, 3, &[0.1, 0.5, 0.9]);
    assert_eq!(whole(&row, 6, 1, Interpolation::Nearest), [0.1, 0.1, 0.5, 0.5, 0.9, 0.9]);
}

#[test]
fn a_finer_map_is_averaged_and_loses_no_cell() {
    // Four cells on two pixels: triangle of reach 2 around cell positions 1 and 3. Distances 0.5, 0.5, 1.5 weigh
    // 0.75, 0.75, 0.25: the last cell counts (0.75) of the sum 1.75 in the right pixel only.
    let row = map(1, 4, &[0.0, 0.0, 0.0, 1.0]);
    assert_near(&whole(&row, 2, 1, Interpolation::Bilinear), &[0.0, 0.75 / 1.75]);
}

#[test]
fn a_kernel_that_rings_stays_within_zero_and_one() {
    let row = map(1, 5, &[0.0, 0.0, 1.0, 1.0, 0.0]);
    for how in Interpolation::ALL {
        assert!(whole(&row, 64, 1, how).iter().all(|value| (0.0..=1.0).contains(value)), "{how}");
    }
}

#[test]
fn a_signed_map_keeps_its_sign_and_its_range() {
    let row = map(1, 5, &[0.0, -0.5, -0.5, 0.25, 0.0]);
    for how in Interpolation::ALL {
        let placed = place(&row, &Placement::whole(64, 1), 64, 1, how);
        assert!(placed.signed);
        assert!(placed.values().iter().all(|value| (-0.5..=0.25).contains(value)), "{how}");
        assert!(placed.values().contains(&-0.5), "{how}");
    }
    assert!(!place(&map(1, 1, &[0.5]), &Placement::whole(2, 2), 2, 2, Interpolation::Nearest).signed);
}

#[test]
fn a_map_that_is_not_scaled_keeps_its_numbers() {
    let row = map(1, 2, &[2.0, 4.0]);
    assert_near(&whole(&row, 4, 1, Interpolation::Bilinear), &[2.0, 2.5, 3.5, 4.0]);
}

#[test]
fn seen_values_are_those_inside_the_box() {
    let placement = Placement { left: 1.0, top: 1.0, right: 3.0, bottom: 2.0 };
    let placed = place(&map(1, 2, &[0.25, 0.75]), &placement, 4, 3, Interpolation::Nearest);
    let mut seen = Vec::new();
    placed.for_each_seen(|row| seen.extend_from_slice(row));
    assert_eq!(seen, [0.25, 0.75]);
}

#[test]
fn wide_kernels_give_what_pillow_gives() {
    // Image.fromarray(numpy.float32([[0, 1, 0.25]])).resize((7, 1), BICUBIC and LANCZOS), then numpy.clip(0, 1).
    let row = map(1, 3, &[0.0, 1.0, 0.25]);
    let bicubic = [0.0000000, 0.1004155, 0.6094183, 1.0000000, 0.7361496, 0.3289474, 0.1778846];
    assert_near(&whole(&row, 7, 1, Interpolation::Bicubic), &bicubic);
    let lanczos = [0.0000000, 0.1230881, 0.6224582, 1.0000000, 0.7762456, 0.3568987, 0.0993017];
    assert_near(&whole(&row, 7, 1, Interpolation::Lanczos), &lanczos);
}

#[test]
fn a_crop_covers_the_pixels_whose_centres_it_holds() {
    let placement = Placement { left: 1.4, top: 0.6, right: 3.5, bottom: 9.0 };
    let placed = place(&map(1, 1, &[0.5]), &placement, 5, 3, Interpolation::Bilinear);
    // Column centres 1.5 and 2.5 are within 1.4..3.5, row centres 1.5 and 2.5 within 0.6..9.
    assert_eq!(placed.seen, PixelBox { left: 1, top: 1, right: 3, bottom: 3 });
    let expected = [[0.0; 5], [0.0, 0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0, 0.0]];
    assert_eq!(placed.values(), expected.concat());
}

#[test]
fn a_letterbox_takes_the_middle_of_the_map() {
    // The map's upper and lower quarter are on bars outside the 4x2 picture.
    let placement = Placement { left: 0.0, top: -1.0, right: 4.0, bottom: 3.0 };
    let rows = map(4, 1, &[1.0, 0.25, 0.75, 1.0]);
    let placed = place(&rows, &placement, 4, 2, Interpolation::Bilinear);
    assert_eq!(placed.seen, PixelBox { left: 0, top: 0, right: 4, bottom: 2 });
    assert_near(&placed.values(), &[0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75]);
}

#[test]
fn a_map_outside_the_picture_shows_nothing() {
    let placement = Placement { left: 9.0, top: 0.0, right: 12.0, bottom: 3.0 };
    let placed = place(&map(1, 1, &[1.0]), &placement, 4, 3, Interpolation::Lanczos);
    assert_eq!(placed.seen, PixelBox { left: 0, top: 0, right: 0, bottom: 0 });
    assert_eq!(placed.values(), [0.0; 12]);
}

#[test]
fn names_are_found_and_slips_are_told() {
    for how in Interpolation::ALL {
        assert_eq!(how.name().parse::<Interpolation>().unwrap(), how);
    }
    let error = "linear".parse::<Interpolation>().unwrap_err().to_string();
    assert!(error.ends_with("expected one of nearest, bilinear, bicubic, lanczos"), "{error}");
}

#[test]
fn any_part_of_a_row_is_that_part_of_all_values() {
    let placement = Placement { left: -3.0, top: 1.0, right: 21.0, bottom: 9.5 };
    let placed =
        place(&map(2, 3, &[0.1, -0.9, 0.4, 1.0, 0.0, 0.6]), &placement, 19, 11, Interpolation::Bicubic);
    let all = placed.values();
    for (y, x, length) in [(0, 0, 19), (1, 0, 19), (5, 7, 12), (5, 18, 1), (10, 3, 4), (8, 4, 0)] {
        let mut part = vec![7.0; length];
        placed.fill(y, x, &mut part);
        assert_eq!(part, all[y * 19 + x..][..length], "{y} {x} {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_constant_stays_constant_and_everything_is_heat(
        value in 0.0f32..=1.0, side in 1usize..20, width in 1usize..50, height in 1usize..50,
        how in 0usize..4,
        left in -20.0f64..40.0, top in -20.0f64..40.0, across in 0.5f64..90.0, down in 0.5f64..90.0,
    ) {
        let placement = Placement { left, top, right: left + across, bottom: top + down };
        let flat = map(side, side, &vec![value; side * side]);
        let placed = place(&flat, &placement, width, height, Interpolation::ALL[how]);
        let PixelBox { left, top, right, bottom } = placed.seen;
        for (at, got) in placed.values().iter().enumerate() {
            let (x, y) = (at % width, at / width);
            let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
            let expected = if inside { value } else { 0.0 };
            prop_assert!((got - expected).abs() < 1e-5 && (0.0..=1.0).contains(got));
        }
    }

    #[test]
    fn no_row_exceeds_its_bound_and_the_greatest_is_found(
        values in prop::collection::vec(-1.0f32..=1.0, 12), width in 1usize..40, height in 1usize..40,
        how in 0usize..4, left in -20.0f64..20.0, top in -20.0f64..20.0, across in 0.5f64..60.0,
    ) {
        let placement = Placement { left, top, right: left + across, bottom: top + across };
        let placed = place(&map(3, 4, &values), &placement, width, height, Interpolation::ALL[how]);
        let all = placed.values();
        for (y, row) in all.chunks(width).enumerate() {
            prop_assert!(row.iter().all(|value| value.abs() <= placed.bound(y)), "row {y}");
        }
        prop_assert_eq!(placed.greatest(), all.iter().copied().fold(0.0, f32::max));
    }
}
