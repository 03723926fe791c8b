//! Integration tests, in one binary because each binary links Burn.

mod odd_pictures;
