//! What holds of every method, over the table of all methods, and identities that need no other library.

mod blank;
mod identities;
mod layers;
mod networks;
mod perturbing;
mod smoothing;
mod table;
