//! Panics that are caught are no faults: where a library's decoder panics, the picture is refused and the run goes on.

use std::panic::{set_hook, take_hook};

/// Ends the process for panics in our own code, also where they would be caught, and only for those. libFuzzer's hook, which this replaces,
/// ends it for all. A panic that no one catches ends the process anyway.
pub fn keep_caught_panics() {
    let _ = take_hook();
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        let is_ours = panic
            .location()
            .is_some_and(|place| !place.file().contains("/registry/") && !place.file().contains("/rustc/"));
        if is_ours {
            usual(panic);
            std::process::abort();
        }
    }));
}
