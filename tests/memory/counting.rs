//! An allocator that counts, and the bound that it is for: what a file may make its reader allocate.
//!
//! The counts are those of the process, because decoders have threads. So one test runs at a time, with [`turn`].

#![allow(unsafe_code, reason = "an allocator is unsafe by its interface; this one passes everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use burncam_graph::memory;

/// What a file may take in these tests. Small, so that hostile files are made quickly.
pub(crate) const LIMIT: usize = 32 << 20;

/// What is allowed beyond it: buffers of readers, and messages.
const SLACK: usize = 1 << 20;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn more(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::SeqCst) + bytes;
    PEAK.fetch_max(live, Ordering::SeqCst);
}

// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::SeqCst);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Large blocks are moved by remapping, so that old and new are not there at once.
        more(size.saturating_sub(layout.size()));
        LIVE.fetch_sub(layout.size().saturating_sub(size), Ordering::SeqCst);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// The turn of a test, and the limit.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    memory::set_limit(LIMIT as u64);
    turn
}

/// Runs a reader, and fails if it allocated more than a file may. Gives what the reader gave; trying whether the system has memory, which
/// allocates and writes nothing, is not counted.
pub(crate) fn held<T>(what: &str, read: impl FnOnce() -> T) -> T {
    let before = LIVE.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let result = read();
    let taken = PEAK.load(Ordering::SeqCst) - before;
    assert!(
        taken <= LIMIT + SLACK,
        "{what} took {taken} bytes, {} of its limit",
        taken as f64 / LIMIT as f64
    );
    result
}

/// As [`held`], for a file that is refused, by words in the message.
pub(crate) fn refused<T>(what: &str, words: &str, read: impl FnOnce() -> burncam_graph::Result<T>) {
    match held(what, read) {
        Ok(_) => panic!("{what} was accepted"),
        Err(error) => assert!(error.to_string().contains(words), "{what}: {error}"),
    }
}

/// Writes a file and gives its path.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
