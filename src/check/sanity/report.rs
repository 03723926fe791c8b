//! The results of the sanity tests. `burncam check --sanity --json` prints them as JSON.

use serde::Serialize;

/// Whether the maps of each method depend on the weights of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SanityReport {
    /// The model's name.
    pub model: String,
    /// Its file's name.
    pub file: String,
    /// SHA-256 of the model file, lower-case hexadecimal.
    pub sha256: String,
    /// Version of burncam.
    pub burncam: String,
    /// Where the network ran.
    pub device: String,
    /// The pictures, by their paths.
    pub pictures: Vec<String>,
    /// The seeds; with each the whole network is drawn once.
    pub seeds: Vec<u64>,
    /// The layers in the order in which they are drawn, the top one first.
    pub layers: Vec<String>,
    /// Stored tensors besides running statistics that were not drawn: operands of sums, products and joins.
    pub kept: Vec<String>,
    /// A method passes whose [`MethodSanity::similarity`] is below this.
    pub limit: f64,
    /// The maps of every method depend on the weights.
    pub passed: bool,
    /// One per method, in the order of the request.
    pub methods: Vec<MethodSanity>,
}

/// What the sanity tests found about one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodSanity {
    /// The method's name.
    pub method: String,
    /// The verdict by [`MethodSanity::similarity`].
    pub verdict: Verdict,
    /// Mean of [`SanityStop::spearman`] over the stops, -1 to 1: the figure that decides. `None` when no stop has one.
    pub similarity: Option<f64>,
    /// The same for each picture alone, in the order of [`SanityReport::pictures`]: a figure that does not depend on the others.
    pub similarity_by_picture: Vec<Option<f64>>,
    /// Maps before and after, from the top layer down (cascading randomisation, Adebayo et al. 2018, arXiv:1810.03292).
    pub stops: Vec<SanityStop>,
    /// Mean relative rise of the entropy of a map's values when all layers are drawn (efficient MPRT, Hedström et al. 2024, arXiv:2405.02383,
    /// with 100 bins from the least to the greatest value); above 0 where the weights made the map simpler. `None` when no map that was
    /// not constant before has a counterpart.
    pub entropy_rise: Option<f64>,
    /// Maps of the explained class and of another one, on the network as it is; `None` for a network without classes.
    pub random_class: Option<RandomClass>,
}

/// Whether maps depend on the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The similarity is below the limit.
    Depends,
    /// It is not.
    DoesNotDepend,
    /// There is no similarity: the maps were constant.
    Unknown,
}

/// Maps compared after some layers were drawn; means over pictures, targets and seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SanityStop {
    /// The lowest layer that was drawn.
    pub layer: String,
    /// How many were drawn.
    pub drawn: usize,
    /// Mean Spearman correlation of the signed maps, -1 to 1; `None` when there is none.
    pub spearman: Option<f64>,
    /// The same for each seed.
    pub spearman_by_seed: Vec<Option<f64>>,
    /// Mean structural similarity of the signed maps, each divided by its greatest magnitude; `None` when there is none.
    pub ssim: Option<f64>,
    /// Pairs of maps in the mean.
    pub pairs: usize,
    /// Pairs left out, because a map was constant and so ranks nothing.
    pub constant: usize,
}

/// Maps of the explained class compared with those of another class, drawn for each picture (random logit test, Sixt et al. 2020,
/// arXiv:1912.09818).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RandomClass {
    /// Mean Spearman correlation of the signed maps, -1 to 1; `None` when there is none.
    pub spearman: Option<f64>,
    /// Pairs of maps in the mean.
    pub pairs: usize,
    /// Pairs left out, because a map was constant.
    pub constant: usize,
}
