//! Whose definition of a metric is followed, where libraries and papers disagree.

/// A paper, or a library whose figures are to be met. Figures of different conventions do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Convention {
    /// The paper of each metric.
    #[default]
    Paper,
    /// pytorch-grad-cam 1.5.7.
    PytorchGradCam,
    /// torchcam 0.5.0.
    Torchcam,
    /// xplique 2.0.2.
    Xplique,
    /// OpenVINO XAI 1.1.0.
    OpenvinoXai,
}
