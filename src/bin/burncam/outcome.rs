//! How a command ended.

/// How a command ended. An error instead of it means that nothing could start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything succeeded: exit code 0.
    Done,
    /// Some inputs or checks failed, the others are done: exit code 1.
    SomeFailed,
    /// Stopped by a signal: 128 plus the signal's number, as in shells.
    Interrupted(u8),
}
