//! Mosaics of the pictures at hand: the grid pointing game and DiFull.
//!
//! Receives pictures; gives the figures of mosaics of them. A mosaic has pictures of different classes, of which the network is sure, so that the
//! evidence for each class is in one cell. For DiFull the network itself is taken apart ([`Model::disconnected`]).

use burncam_metrics::Map;
use burncam_metrics::localisation::Grid;
use rayon::prelude::*;

use super::apart::SIDE;
use super::evaluator::Evaluator;
use super::info::Rule;
use super::rows::{self, BASELINES};
use super::together::Together;
use crate::cam::{ClassMap, Method, Options};
use crate::error::{Error, Problem, Result};
use crate::explain::{Explainer, FixedTargets, Request, Subject};
use crate::input::Placement;
use crate::model::{LayerRequest, Model};
use crate::record::{EvaluatedMosaic, InputRecord, MosaicCell, MosaicSettingsRecord};

/// The least probability of a class that a picture is taken for: more than all others together, where they exclude each other.
const CONFIDENCE: f64 = 0.5;

/// Most mosaics unless a number is asked for. Each costs as much as the maps of four classes.
const MOST: usize = 100;

/// A picture by its number, with the class that the network is sure of.
type Sure = (usize, usize);

/// The network over a mosaic of whole pictures, of which it reads one, and those methods that can explain it, by their rows.
struct Apart {
    explainer: Explainer,
    rows: Vec<usize>,
}

impl Evaluator {
    pub(super) fn add_mosaics(
        &self,
        together: &mut Together,
        count: usize,
        read: &(dyn Fn(usize) -> Option<Subject> + Sync),
    ) -> Result<()> {
        let [_, height, width] = self.network.input();
        let grid = Grid::new(SIDE, height, width).ok_or_else(|| Error::internal("a mosaic has no cells"))?;
        let sure = |at: usize| Some((at, self.sure_class(&read(at)?)?));
        let sure: Vec<Sure> = (0..count).into_par_iter().filter_map(sure).collect();
        let classes: Vec<usize> = sure.iter().map(|(_, class)| *class).collect();
        let wanted = self.mosaics.unwrap_or(sure.len().clamp(1, MOST));
        let seed = self.explainer.request().options.seed;
        let arrangements = grid.arrangements(&classes, wanted, seed);
        let mut different = classes;
        different.sort_unstable();
        different.dedup();
        together.mosaic_settings = Some(MosaicSettingsRecord {
            side: SIDE,
            wanted,
            seed,
            confidence: CONFIDENCE,
            pictures: sure.len(),
            classes: different.len(),
        });
        let apart = self.disconnected.as_ref().map(|(model, layer)| self.apart(model, layer)).transpose()?;
        let evaluated = |chosen: &Vec<usize>| {
            let chosen: Vec<Sure> = chosen.iter().map(|at| sure[*at]).collect();
            let subjects: Option<Vec<Subject>> = chosen.iter().map(|(at, _)| read(*at)).collect();
            let subjects = subjects.ok_or_else(|| Error::internal("a picture of a mosaic is gone"))?;
            let classes: Vec<usize> = chosen.iter().map(|(_, class)| *class).collect();
            self.evaluate_mosaic(&grid, &subjects, &classes, apart.as_ref())
        };
        together.mosaics = arrangements.par_iter().map(evaluated).collect::<Result<_>>()?;
        Ok(())
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
        apart: Option<&Apart>,
    ) -> Result<EvaluatedMosaic> {
        let shape = self.network.input();
        let parts: Vec<&[f32]> = subjects.iter().map(|subject| subject.values.as_slice()).collect();
        let leaks = match apart {
            Some(apart) => self.leaks(apart, &parts, classes)?,
            None => vec![None; self.explainer.request().methods.len() + BASELINES.len()],
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
        let subject = mosaic(grid, parts, shape, [height, width])?;
        let methods = self.explainer.fixed_maps(&subject, &FixedTargets::of_classes(classes), classes)?;
        let baseline = |at| rows::of_baseline(at, request.options.seed, &subject.values, shape);
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
        let whole = [SIDE * height, SIDE * width];
        let grid = Grid::new(SIDE, whole[0], whole[1]);
        let grid = grid.ok_or_else(|| Error::internal("a mosaic has no cells"))?;
        let subject = mosaic(&grid, parts, shape, whole)?;
        let first = &classes[..1];
        let maps = apart.explainer.fixed_maps(&subject, &FixedTargets::of_classes(first), first)?;
        let mut leaks = vec![None; self.explainer.request().methods.len() + BASELINES.len()];
        for (row, found) in apart.rows.iter().zip(&maps) {
            let map = &found[0].map;
            let (height, width) = (map.height(), map.width());
            let map = Map::new(height, width, map.values().to_vec());
            leaks[*row] = map.and_then(|map| Grid::new(SIDE, height, width)?.leak(&map, 0));
        }
        Ok(leaks)
    }

    fn apart(&self, model: &Model, layer: &str) -> Result<Apart> {
        let request = |methods: Vec<Method>| {
            let mut request: Request = self.explainer.request().clone();
            // A layer that no method uses is refused.
            request.layers = match methods.iter().any(|method| method.info().uses_layer) {
                true => vec![LayerRequest::Name(layer.to_owned())],
                false => vec![LayerRequest::Auto],
            };
            request.methods = methods;
            request.options.signed = true;
            request
        };
        let methods = &self.explainer.request().methods;
        // A method that wants a certain head, such as an average and a linear layer, does not fit the network that was taken apart.
        let fits = |method: Method| {
            let mut alone = request(vec![method]);
            // Options of other methods would be refused.
            alone.options = Options { signed: true, ..Options::default() };
            Explainer::new(model.clone(), alone).is_ok()
        };
        let rows: Vec<usize> = (0..methods.len()).filter(|row| fits(methods[*row])).collect();
        let usable: Vec<Method> = rows.iter().map(|row| methods[*row]).collect();
        if usable.is_empty() {
            let problem = Problem::new("fits none of the methods once the network is taken apart");
            return Err(Error::request(problem.named("metric", "difull").hint("leave it out")));
        }
        Ok(Apart { explainer: Explainer::new(model.clone(), request(usable))?, rows })
    }
}

/// The network's input that shows `parts`, each `[channels, height, width]`, in the cells of a grid.
fn mosaic(grid: &Grid, parts: &[&[f32]], shape: [usize; 3], size: [usize; 2]) -> Result<Subject> {
    let [channels, height, width] = shape;
    let values = grid.mosaic(parts, channels, [height, width]);
    let values = values.ok_or_else(|| Error::internal("pictures do not fit into their cells"))?;
    let file = InputRecord {
        path: "mosaic".to_owned(),
        sha256: String::new(),
        format: "mosaic".to_owned(),
        width: size[1],
        height: size[0],
        exif_orientation: 1,
        profile: None,
        reduced: None,
    };
    // Nothing is drawn on a mosaic.
    let picture = image::RgbImage::new(1, 1);
    let placement = Placement::whole(size[1], size[0]);
    Ok(Subject { picture, values, placement, is_tensor: true, file, labels: vec![], warnings: vec![] })
}
