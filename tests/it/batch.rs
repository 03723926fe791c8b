//! Runs over whole directories by the command itself: what is written, what is said, and what is left when it is stopped.

mod album;
mod compare;
#[expect(dead_code, reason = "a benchmark needs the rest")]
mod cost;
mod drawing;
mod dropped;
mod ends;
mod evaluations;
mod followed;
mod heat;
mod jobs;
mod kills;
mod predictions;
mod resume;
mod scale;
mod selected;
mod shards;
mod signals;
mod support;
