//! Systems whose solution is known.

use super::*;

/// A positive definite matrix of numbers that look random.
fn matrix(count: usize) -> Vec<Vec<f64>> {
    let value = |row: usize, column: usize| match row == column {
        true => count as f64 + row as f64 / 3.0,
        false => ((row * 7 + column * 7 + row * column) % 11) as f64 / 11.0 - 0.5,
    };
    (0..count).map(|row| (0..count).map(|column| value(row, column)).collect()).collect()
}

fn front(matrix: &[Vec<f64>]) -> Front {
    let mut front = Front::default();
    front.clear(matrix.len());
    for (row, values) in matrix.iter().enumerate() {
        (row..values.len()).for_each(|column| front.set(row, column, values[column]));
    }
    front
}

#[test]
fn a_matrix_that_is_eliminated_in_two_steps_solves_its_system() {
    for count in [1, 3, 4, 5, 8, 17, 30, 41] {
        for first in [0, 1, count / 2, count] {
            let matrix = matrix(count);
            let solution: Vec<f64> = (0..2 * count).map(|at| (at as f64 * 0.7).sin()).collect();
            let row = |side: usize, row: usize| {
                matrix[row].iter().zip(&solution[side * count..]).map(|(a, x)| a * x).sum()
            };
            let mut sides: Vec<f64> = (0..2 * count).map(|at| row(at / count, at % count)).collect();
            let (early, rest) = front(&matrix).eliminate(first);
            let mut whole = Front::default();
            whole.clear(count - first);
            whole.add(&rest, &(0..count - first).collect::<Vec<_>>());
            let (late, nothing) = whole.eliminate(count - first);
            assert_eq!((early.pivots(), late.count(), nothing.values.len()), (first, count - first, 0));
            early.forward(&mut sides);
            for side in sides.chunks_exact_mut(count) {
                late.forward(&mut side[first..]);
                late.backward(&mut side[first..]);
            }
            early.backward(&mut sides);
            for (found, expected) in sides.iter().zip(&solution) {
                assert!((found - expected).abs() < 1e-12, "{count} {first}: {found}, expected {expected}");
            }
        }
    }
}

#[test]
fn wider_registers_give_the_same_to_the_last_digit() {
    let mut plain = front(&matrix(29));
    let mut wide = front(&matrix(29));
    let mut inverses = [Vec::new(), Vec::new()];
    loops::eliminate(&mut plain.values, plain.width, 18, &mut inverses[0]);
    wide::eliminate(&mut wide.values, wide.width, 18, &mut inverses[1]);
    assert_eq!((&plain.values, &inverses[0]), (&wide.values, &inverses[1]));
    let (factor, _) = front(&matrix(29)).eliminate(18);
    let mut sides = [(); 2].map(|()| (0..58).map(|at| (f64::from(at) * 0.7).sin()).collect::<Vec<f64>>());
    loops::forward(factor.rows(), &mut sides[0]);
    loops::backward(factor.rows(), &mut sides[0]);
    factor.forward(&mut sides[1]);
    factor.backward(&mut sides[1]);
    assert_eq!(sides[0], sides[1]);
}

#[test]
fn rows_are_added_at_their_places_on_either_side_of_the_diagonal() {
    let mut whole = Front::default();
    whole.clear(5);
    whole.add(&Triangle { values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }, &[3, 4, 1]);
    let value = |row: usize, column: usize| whole.values[row * whole.width + column];
    assert_eq!([value(3, 3), value(3, 4), value(1, 3)], [1.0, 2.0, 3.0]);
    assert_eq!([value(4, 4), value(1, 4), value(1, 1)], [4.0, 5.0, 6.0]);
    assert_eq!(value(0, 0) + value(2, 2) + value(0, 1) + value(2, 4), 0.0);
}
