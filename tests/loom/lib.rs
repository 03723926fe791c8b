//! Threads that share work, in every order in which they can meet: `src/kernels/queue.rs` itself, with loom's atomics.
//!
//! loom runs each test once for every order of the threads' steps, and for every value that the memory model lets an atomic give, and
//! fails where two accesses of a cell race. What it cannot see: panics (it ends at the first), and the kernels' own code, which Miri
//! interprets.

mod atomics {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// A turn of waiting: another thread has to go on, or nothing changes.
    pub(crate) fn pause(_turns: u32) {
        loom::thread::yield_now();
    }
}

#[path = "../../src/kernels/queue.rs"]
mod queue;

#[cfg(test)]
mod tests {
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;

    use crate::atomics::AtomicBool;
    use crate::queue::{Stage, Work, in_turn};

    /// Tensors of as many cells as a stage has units, the input first.
    type Memory = Arc<Vec<Vec<UnsafeCell<usize>>>>;

    /// A stage: each unit writes the sum of all cells of the tensor before, and its own index.
    struct Sum {
        memory: Memory,
        at: usize,
    }

    impl Work for Sum {
        fn units(&self) -> usize {
            self.memory[self.at + 1].len()
        }

        unsafe fn unit(&self, index: usize) {
            let read = |cell: &UnsafeCell<usize>| cell.with(|value| unsafe { *value });
            let sum: usize = self.memory[self.at].iter().map(read).sum();
            self.memory[self.at + 1][index].with_mut(|value| unsafe { *value += sum + index });
        }
    }

    /// Runs stages of these units on threads in every order.
    fn check(threads: usize, units: &'static [usize], preemptions: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.max_branches = 100_000;
        model.check(move || {
            let tensor = |count: &usize| (0..*count).map(|_| UnsafeCell::new(0)).collect();
            let input = vec![UnsafeCell::new(1)];
            let memory: Memory = Arc::new(std::iter::once(input).chain(units.iter().map(tensor)).collect());
            let stage = |at| Stage::new(Sum { memory: Arc::clone(&memory), at });
            let shared: Arc<(Vec<_>, AtomicBool)> =
                Arc::new(((0..units.len()).map(stage).collect(), AtomicBool::new(false)));
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    loom::thread::spawn(move || in_turn(&shared.0, threads, &shared.1))
                })
                .collect();
            in_turn(&shared.0, threads, &shared.1);
            // A thread that is done has waited for all units, so that the result is there before the others have ended.
            let mut right = vec![1];
            for count in units {
                let sum: usize = right.iter().sum();
                right = (0..*count).map(|index| sum + index).collect();
            }
            let found: Vec<usize> =
                memory[units.len()].iter().map(|cell| cell.with(|value| unsafe { *value })).collect();
            assert_eq!(found, right);
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }

    #[test]
    fn two_threads_share_two_stages() {
        check(2, &[2, 2], 4);
    }

    #[test]
    fn two_threads_share_three_stages_of_which_one_has_a_single_unit() {
        check(2, &[3, 1, 2], 3);
    }

    #[test]
    fn three_threads_share_two_stages() {
        check(3, &[2, 1], 1);
    }

    #[test]
    fn more_threads_than_units() {
        check(3, &[1, 1], 1);
    }
}
