//! Planes against libjpeg's own formulas, sample by sample.

use super::*;

/// `jdcolor.c`: tables of 16 fractional bits.
fn of_libjpeg([y, b, r]: [u8; 3]) -> [u8; 3] {
    let fix = |constant: f64| (constant * 65536.0 + 0.5) as i32;
    let (y, b, r) = (i32::from(y), i32::from(b) - 128, i32::from(r) - 128);
    let red = y + ((fix(1.402) * r + 32768) >> 16);
    let green = y + ((-fix(0.34414) * b + 32768 - fix(0.71414) * r) >> 16);
    let blue = y + ((fix(1.772) * b + 32768) >> 16);
    [red, green, blue].map(|level| level.clamp(0, 255) as u8)
}

#[test]
fn every_colour_is_converted_as_libjpeg_does_it() {
    let levels: Vec<u8> = (0..=255).collect();
    for y in [0, 1, 77, 128, 200, 254, 255] {
        for blue in 0..=255 {
            let mut out = vec![0; 3 * 256];
            convert([&[y; 256], &[blue; 256], &levels], &mut out);
            for (red, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
                assert_eq!(*pixel, of_libjpeg([y, blue, red as u8]), "{y} {blue} {red}");
            }
        }
    }
}

#[test]
fn rows_of_any_length_are_converted_to_their_ends() {
    for length in 0..=2 * BATCH + 5 {
        let plane = |seed: usize| (0..length).map(|at| (at * seed + seed) as u8).collect::<Vec<u8>>();
        let planes = [plane(7), plane(11), plane(23)];
        let mut out = vec![0; 3 * length];
        convert(planes.each_ref().map(|plane| &plane[..]), &mut out);
        for (at, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
            assert_eq!(*pixel, of_libjpeg(planes.each_ref().map(|plane| plane[at])), "{length} {at}");
        }
    }
}

/// `jdsample.c`: one sample of chroma at the picture's size, from the two nearest along each axis, the nearest alone at the ends.
fn of_jdsample(
    plane: &dyn Fn(usize, usize) -> u8,
    [width, height]: [usize; 2],
    sampling: Sampling,
    [x, y]: [usize; 2],
) -> u8 {
    let next = |at: usize, length: usize| match at % 2 {
        0 => (at / 2).saturating_sub(1),
        _ => (at / 2 + 1).min(length - 1),
    };
    let at = |x: usize, y: usize| i32::from(plane(x, y));
    let down = |column: usize| match sampling.down {
        2 => 3 * at(column, y / 2) + at(column, next(y, height)),
        _ => at(column, y),
    };
    if sampling.across == 1 {
        return plane(x, y);
    }
    let sum = 3 * down(x / 2) + down(next(x, width));
    let half = match (sampling.down, x % 2) {
        (2, 0) => 8,
        (2, _) => 7,
        (_, 0) => 1,
        _ => 2,
    };
    ((sum + half) >> if sampling.down == 2 { 4 } else { 2 }) as u8
}

#[test]
fn planes_are_put_together_as_libjpeg_does_it() {
    for sampling in [(1, 1), (2, 1), (2, 2)].map(|(across, down)| Sampling { across, down }) {
        for [width, height] in [[16, 16], [33, 31], [6, 49], [97, 17], [64, 33], [5, 1]] {
            let mut planes = Planes::new([width, height], sampling).unwrap();
            let value = |component: usize, x: usize, y: usize| {
                ((x * 37 + y * 91 + component * 53) ^ (x * y * 13)) as u8
            };
            let (mut out, mut done) = (vec![0; width * height * 3], 0);
            for group in 0..planes.groups() {
                for component in 0..3 {
                    let lines = LINES * if component == 0 { sampling.down } else { 1 };
                    for (line, row) in planes.rows(component, group).enumerate() {
                        row.iter_mut()
                            .enumerate()
                            .for_each(|(x, to)| *to = value(component, x, group * lines + line));
                    }
                }
                let given = planes.give(group, &mut out[done..]);
                assert!(given <= planes.most());
                done += given;
            }
            assert_eq!(done, out.len());
            let coarse = [width.div_ceil(sampling.across), height.div_ceil(sampling.down)];
            for (at, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
                let (x, y) = (at % width, at / width);
                let chroma = [1, 2]
                    .map(|component| of_jdsample(&|x, y| value(component, x, y), coarse, sampling, [x, y]));
                let expected = of_libjpeg([value(0, x, y), chroma[0], chroma[1]]);
                assert_eq!(*pixel, expected, "{sampling:?} {width}x{height} at {x},{y}");
            }
        }
    }
}

#[test]
fn what_libjpeg_does_otherwise_is_left_to_it() {
    for (across, down) in [(1, 2), (4, 1), (2, 4)] {
        assert!(Planes::new([40, 40], Sampling { across, down }).is_none(), "{across} {down}");
    }
    assert!(Planes::new([4, 40], Sampling { across: 2, down: 2 }).is_none());
}

#[test]
fn files_have_the_pixels_of_libjpegs_own_conversion() {
    use super::super::markers::Markers;
    use super::super::turbo::{Space, read};
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/");
    let mut compared = 0;
    for name in ["images", "images/odd", "cases/pictures"] {
        for file in std::fs::read_dir(format!("{folder}{name}")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
            let Some(frame) = Markers::read(&bytes).frame.filter(|frame| frame.components == 3) else {
                continue;
            };
            // As stored, chroma is brought to the picture's size by libjpeg.
            let [rgb, stored] =
                [Space::Rgb, Space::Stored].map(|space| read(&bytes, frame, space, (1, false)));
            let (Ok(rgb), Ok(stored)) = (rgb, stored) else { continue };
            if rgb.samples == stored.samples {
                // Its components are red, green and blue.
                continue;
            }
            let pixels = stored.samples.as_chunks().0.iter().map(|pixel| of_libjpeg(*pixel));
            assert!(rgb.samples.as_chunks().0.iter().copied().eq(pixels), "{name}");
            assert_eq!((rgb.is_damaged, rgb.ends_oddly), (stored.is_damaged, stored.ends_oddly), "{name}");
            compared += 1;
        }
    }
    assert!(compared > 5, "only {compared} files were compared");
}
