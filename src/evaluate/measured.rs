//! What is computed of one map of one target, once for all metrics that read it.

use burncam_metrics::{Curve, Map, Masked, Road, Sensitivity, SingleDeletion};

use super::place::Located;

/// What metrics read. What no metric of the request reads is `None`, and what is not defined for this map.
pub(super) struct Measured<'a> {
    pub(super) map: &'a Map,
    pub(super) masked: Option<Masked>,
    pub(super) deletion: Option<Curve>,
    pub(super) insertion: Option<Curve>,
    pub(super) road: Option<Road>,
    pub(super) road_of_arcc: Option<Road>,
    pub(super) single: Option<SingleDeletion>,
    pub(super) coherency: Option<f64>,
    pub(super) infidelity: Option<f64>,
    pub(super) sensitivity: Option<Sensitivity>,
    /// `None`, too, where no object is known.
    pub(super) located: Option<Located>,
}
