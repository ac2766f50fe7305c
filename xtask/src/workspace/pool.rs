//! The one small thread pool: everything that is done with many files or layers at once goes through it.
//!
//! Threads take the next thing when they are done with one, so put what takes longest first. There are never more than
//! [`MOST`] of them, whatever the machine: each holds a few open files and a buffer, and the disk is one.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Most threads that work at once.
const MOST: usize = 16;

/// How many threads work at once on this machine.
pub fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    // asked once: the answer is read from several files of the kernel
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(MOST))
}

/// Does something with each of several things, a few at once; results come in the order of the things. The calling thread
/// works as well, and a single thing starts no thread. A panic of the work is passed on.
pub fn in_parallel<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads().min(things.len());
    if threads < 2 {
        return things.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        // what is large is not moved again and again while a list grows
        let mut done = Vec::with_capacity(things.len() / threads + 1);
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(thing) = things.get(position) else { return done };
            done.push((position, work(thing)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for count in [0, 1, 2, 1000] {
            let things: Vec<u64> = (0..count).collect();
            let expect: Vec<u64> = things.iter().map(|thing| thing * 2).collect();
            assert_eq!(in_parallel(&things, |thing| thing * 2), expect);
        }
    }

    #[test]
    fn work_may_be_nested_and_panics_are_passed_on() {
        let outer = [3_u64, 5, 7];
        let sums = in_parallel(&outer, |n| in_parallel(&[*n; 9], |n| n + 1).iter().sum::<u64>());
        assert_eq!(sums, [36, 54, 72]);
        let panicked = std::panic::catch_unwind(|| in_parallel(&outer, |n| assert_ne!(*n, 5)));
        assert!(panicked.is_err());
    }
}
