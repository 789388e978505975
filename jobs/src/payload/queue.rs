//! Queues that jobs wait in.

/// A queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Its name, which never changes: rows and operators' configurations carry it.
    pub name: &'static str,
    /// Number of its jobs that one process runs concurrently unless the operator sets another.
    pub concurrency: u16,
}

pub(super) const fn names<const N: usize>(queues: [Queue; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = queues[index].name;
        index += 1;
    }
    names
}
