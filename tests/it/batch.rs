//! Runs over whole directories by the command itself: what is written, what is said, and what is left when it is stopped.

mod album;
mod jobs;
mod kills;
mod scale;
mod shards;
mod signals;
mod support;
