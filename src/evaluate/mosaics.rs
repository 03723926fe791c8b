//! Mosaics of the pictures at hand: the grid pointing game and DiFull.
//!
//! Receives pictures; gives the figures of mosaics of them. A mosaic has pictures of different classes, of which the network is sure, so that the
//! evidence for each class is in one cell. For DiFull the network itself is taken apart (`apart.rs`).

use burncam_metrics::Map;
use burncam_metrics::localisation::Grid;
use rayon::prelude::*;

use super::apart::{Apart, SIDE};
use super::evaluator::Evaluator;
use super::info::Rule;
use super::rows::{self, BASELINES};
use super::together::{Gathered, Stage, Together};
use crate::cam::ClassMap;
use crate::error::{Error, Result};
use crate::explain::{FixedTargets, Subject};
use crate::record::{EvaluatedMosaic, MosaicCell, MosaicSettingsRecord};

/// The least probability of a class that a picture is taken for: more than all others together, where they exclude each other.
const CONFIDENCE: f64 = 0.5;

/// Most mosaics unless a number is asked for. Each costs as much as the maps of four classes.
const MOST: usize = 100;

/// A picture by its number, with the class that the network is sure of.
type Sure = (usize, usize);

impl Evaluator {
    pub(super) fn add_mosaics(&self, together: &mut Together, pictures: &Gathered) -> Result<()> {
        let [_, height, width] = self.network.input();
        let grid = Grid::new(SIDE, height, width).ok_or_else(|| Error::internal("a mosaic has no cells"))?;
        let sure = self.sure(pictures);
        let mut classes: Vec<usize> = sure.iter().map(|(_, class)| *class).collect();
        let wanted = self.mosaics.unwrap_or(sure.len().clamp(1, MOST));
        let seed = self.explainer.request().options.seed;
        let arrangements = grid.arrangements(&classes, wanted, seed);
        classes.sort_unstable();
        classes.dedup();
        together.mosaic_settings = Some(MosaicSettingsRecord {
            side: SIDE,
            wanted,
            seed,
            confidence: CONFIDENCE,
            pictures: sure.len(),
            classes: classes.len(),
        });
        // All are chosen before they are divided, so that the shards' mosaics are those of one run.
        let own = arrangements.into_iter().enumerate().filter(|(at, _)| pictures.has(*at));
        let own: Vec<Vec<usize>> = own.map(|(_, chosen)| chosen).collect();
        let count = pictures.counter(Stage::Mosaics, own.len());
        let evaluated = |chosen: &Vec<usize>| {
            let chosen: Vec<Sure> = chosen.iter().map(|at| sure[*at]).collect();
            let subjects: Option<Vec<Subject>> = chosen.iter().map(|(at, _)| (pictures.read)(*at)).collect();
            let subjects = subjects.ok_or_else(|| Error::internal("a picture of a mosaic is gone"))?;
            let classes: Vec<usize> = chosen.iter().map(|(_, class)| *class).collect();
            let mosaic = self.evaluate_mosaic(&grid, &subjects, &classes);
            count();
            mosaic
        };
        together.mosaics = own.par_iter().map(evaluated).collect::<Result<_>>()?;
        Ok(())
    }

    /// The pictures of which the network is sure, in their order.
    fn sure(&self, pictures: &Gathered) -> Vec<Sure> {
        let count = pictures.counter(Stage::Pictures, pictures.count);
        let sure = |at: usize| {
            let class = (pictures.read)(at).and_then(|subject| self.sure_class(&subject));
            count();
            Some((at, class?))
        };
        (0..pictures.count).into_par_iter().filter_map(sure).collect()
    }

    /// The only class that the network is sure of, unless the picture is known to show others.
    fn sure_class(&self, subject: &Subject) -> Option<usize> {
        // A picture that the network fails on was reported where it was evaluated.
        let ranked = self.explainer.ranked(&self.network, subject).ok()?;
        let mut sure = ranked.iter().filter(|class| class.proba.is_some_and(|proba| proba >= CONFIDENCE));
        let class = sure.next()?.target;
        let is_known = subject.labels.is_empty() || subject.labels == [class];
        (sure.next().is_none() && is_known).then_some(class)
    }

    fn evaluate_mosaic(
        &self,
        grid: &Grid,
        subjects: &[Subject],
        classes: &[usize],
    ) -> Result<EvaluatedMosaic> {
        let shape = self.network.input();
        let parts: Vec<&[f32]> = subjects.iter().map(|subject| subject.values.as_slice()).collect();
        let leaks = match &self.apart {
            Some(apart) => self.leaks(apart, &parts, classes)?,
            None => vec![None; self.rows()],
        };
        let paths = subjects.iter().map(|subject| subject.file.path.clone()).collect();
        let is_wanted = self.measures.reads_rule(|rule| matches!(rule, Rule::Cell));
        let cells = if is_wanted { self.cells(grid, (&parts, shape), classes)? } else { vec![] };
        Ok(EvaluatedMosaic { paths, cells, leaks })
    }

    /// The grid pointing game: for each cell the share of every row's heat in it.
    fn cells(
        &self,
        grid: &Grid,
        (parts, shape): (&[&[f32]], [usize; 3]),
        classes: &[usize],
    ) -> Result<Vec<MosaicCell>> {
        let [_, height, width] = shape;
        let request = self.explainer.request();
        let values = mosaic(grid, parts, shape)?;
        let methods = self.explainer.fixed_maps(&values, &FixedTargets::of_classes(classes), classes)?;
        let baseline = |at| rows::of_baseline(at, request.options.seed, &values, shape);
        let baselines: Vec<Map> = (0..BASELINES.len()).map(baseline).collect::<Result<_>>()?;
        let even = Map::new(height, width, vec![1.0; height * width]);
        let area = |cell: usize| even.as_ref().and_then(|even| grid.share(even, cell)).unwrap_or_default();
        // Of a map without heat there is no share.
        let share = |found: &ClassMap, cell: usize| -> Result<Option<f64>> {
            let map = rows::of_method(&found.map, request.options.library, [height, width])?;
            Ok(grid.share(&map, cell).filter(|_| found.finding.is_none() && !map.is_constant()))
        };
        let one = |(cell, class): (usize, &usize)| -> Result<MosaicCell> {
            let shares = methods.iter().map(|maps| share(&maps[cell], cell));
            let mut shares = shares.collect::<Result<Vec<_>>>()?;
            shares.extend(baselines.iter().map(|map| grid.share(map, cell)));
            let class_name = self.explainer.model().class_name(*class);
            Ok(MosaicCell { target: *class, class_name, area: area(cell), shares })
        };
        classes.iter().enumerate().map(one).collect()
    }

    /// DiFull: the share of each method's map, with its signs and on its own grid, that is outside of the first cell.
    fn leaks(&self, apart: &Apart, parts: &[&[f32]], classes: &[usize]) -> Result<Vec<Option<f64>>> {
        let shape = self.network.input();
        let [_, height, width] = shape;
        let grid = Grid::new(SIDE, SIDE * height, SIDE * width);
        let grid = grid.ok_or_else(|| Error::internal("a mosaic has no cells"))?;
        let values = mosaic(&grid, parts, shape)?;
        let first = &classes[..1];
        let maps = apart.explainer.fixed_maps(&values, &FixedTargets::of_classes(first), first)?;
        let mut leaks = vec![None; self.rows()];
        for (row, found) in apart.rows.iter().zip(&maps) {
            let map = &found[0].map;
            let (height, width) = (map.height(), map.width());
            let map = Map::new(height, width, map.values().to_vec());
            leaks[*row] = map.and_then(|map| Grid::new(SIDE, height, width)?.leak(&map, 0));
        }
        Ok(leaks)
    }
}

/// The network's input that shows `parts`, each `[channels, height, width]`, in the cells of a grid.
fn mosaic(grid: &Grid, parts: &[&[f32]], [channels, height, width]: [usize; 3]) -> Result<Vec<f32>> {
    let values = grid.mosaic(parts, channels, [height, width]);
    values.ok_or_else(|| Error::internal("pictures do not fit into their cells"))
}
