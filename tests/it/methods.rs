//! What holds of every method, over the table of all methods, and identities that need no other library.

mod blank;
mod classes;
mod files;
mod identities;
mod layers;
mod networks;
mod perturbing;
mod random;
mod relevance;
mod relevance_targets;
mod smoothing;
mod table;
mod traits;
