//! Processes that exist and their relations, read from `/proc`.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::MARKER;
use super::ports::listening;

/// Resource use of a process tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of processes.
    pub processes: u32,
    /// Their resident memory together, bytes. Pages that several share count for each.
    pub memory_bytes: u64,
}

/// One process, from `/proc/<pid>/stat` (`proc_pid_stat(5)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pid: Pid,
    parent: i32,
    group: i32,
    /// In clock ticks since boot: with the id it names a process for good, since ids are used again.
    started: u64,
    resident_pages: u64,
}

impl Process {
    /// Its process id.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// The process of this id, unless it is gone or a zombie, which only waits to be reaped.
    pub fn read(pid: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        // The name is in parentheses and may hold anything, parentheses too.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        if matches!(*fields.first()?, "Z" | "X" | "x") {
            return None;
        }
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
            resident_pages: fields.get(21)?.parse().unwrap_or(0),
        })
    }

    /// Sends a signal, unless the process is gone and its id was given to another.
    pub fn signal(&self, signal: Signal) {
        if Self::read(self.pid).is_some_and(|now| now.started == self.started) {
            // It may end in between, which is all one wants.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Sends a signal to the process, just read, and at once to its group: what it forked in between is in it. Our own group is
    /// spared, which a process of our session may join.
    pub fn signal_with_group(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.group).filter(|group| *group != rustix::process::getpgrp()) {
            let _ = kill_process_group(group, signal);
        }
        let _ = kill_process(self.pid, signal);
    }

    /// The marker in its environment, if it has one and is ours to read.
    pub fn marker(&self) -> Option<String> {
        let environ = fs::read(format!("/proc/{}/environ", self.id())).ok()?;
        let found =
            environ.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(found.to_vec()).ok()
    }
}

/// Shows every process but ourselves, each as soon as it is read: one that forks and ends all the time is not there any more
/// a moment later.
pub(super) fn each_process(mut see: impl FnMut(Process)) {
    let this = rustix::process::getpid();
    let Ok(entries) = fs::read_dir("/proc") else { return };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| *pid != this)
        .filter_map(Process::read)
        .for_each(&mut see);
}

/// The processes of one tree: its process group, whatever carries its marker, and the children of these. Who was seen once stays
/// a member, also when it leaves the group and drops its environment later.
#[derive(Debug, Clone)]
pub struct Members {
    leader: i32,
    started: u64,
    marker: String,
    seen: Arc<Mutex<HashSet<(i32, u64)>>>,
}

impl Members {
    pub(super) fn new(leader: Pid, marker: String) -> Self {
        // A leader that is gone already has started no later than now, and 0 is earlier than anything.
        let started = Process::read(leader).map_or(0, |process| process.started);
        Self { leader: leader.as_raw_nonzero().get(), started, marker, seen: Arc::default() }
    }

    /// Returns the number of processes and the memory they hold. Reads `/proc`: call it where blocking is acceptable.
    pub fn usage(&self) -> Usage {
        let page = rustix::param::page_size() as u64;
        self.scan().iter().fold(Usage::default(), |sum, process| Usage {
            processes: sum.processes + 1,
            memory_bytes: sum.memory_bytes + process.resident_pages * page,
        })
    }

    /// Returns the addresses on which they listen. Reads `/proc`: call it where blocking is acceptable.
    pub fn listening(&self) -> Vec<SocketAddr> {
        listening(&self.scan().iter().map(Process::id).collect::<Vec<_>>())
    }

    /// The members that are alive now.
    pub(super) fn scan(&self) -> Vec<Process> {
        self.sweep(None)
    }

    /// The members that are alive now; each gets the signal the moment it is found.
    pub(super) fn sweep(&self, signal: Option<Signal>) -> Vec<Process> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut members, mut others) = (Vec::new(), Vec::new());
        each_process(|process| {
            // What was there before the leader cannot come from it; this spares reading the environment of the whole machine.
            if process.started >= self.started && self.includes(&process, &seen) {
                if let Some(signal) = signal {
                    process.signal_with_group(signal);
                }
                members.push(process);
            } else if process.started >= self.started {
                others.push(process);
            }
        });
        loop {
            let parents: HashSet<i32> = members.iter().map(Process::id).collect();
            let children: Vec<Process> = others.extract_if(.., |process| parents.contains(&process.parent)).collect();
            if children.is_empty() {
                break;
            }
            if let Some(signal) = signal {
                for process in &children {
                    process.signal(signal);
                }
            }
            members.extend(children);
        }
        *seen = members.iter().map(|process| (process.id(), process.started)).collect();
        members
    }

    fn includes(&self, process: &Process, seen: &HashSet<(i32, u64)>) -> bool {
        process.group == self.leader
            || seen.contains(&(process.id(), process.started))
            || process.marker().is_some_and(|marker| marker == self.marker)
    }
}
