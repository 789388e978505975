//! Processes that belong to a MikroCloud, seen from outside: those that work in its directory or know of it.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// A process, as far as a failed test wants to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its command line, shortened.
    pub command: String,
}

/// All processes but this one whose working directory or environment is within a directory. Zombies do not count.
pub fn all_of(directory: &Path) -> Vec<Process> {
    let text = directory.to_str().unwrap().as_bytes().to_vec();
    let this = i32::try_from(std::process::id()).unwrap();
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| *pid != this && belongs(*pid, directory, &text))
        .filter_map(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ").chars().take(100).collect::<String>();
            // A process that is gone but not reaped has no command line any more.
            (!command.is_empty()).then_some(Process { pid, command })
        })
        .collect()
}

fn belongs(pid: i32, directory: &Path, text: &[u8]) -> bool {
    let works_there = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory));
    let knows_of_it = || {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.windows(text.len()).any(|window| window == text)
    };
    works_there || knows_of_it()
}

/// Sends a signal; a process that is gone is no error.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Kills all processes of a directory until there are none; gives up after many rounds, because a test must end.
pub fn kill_all_of(directory: &Path) {
    for _ in 0..100 {
        let found = all_of(directory);
        if found.is_empty() {
            return;
        }
        for process in &found {
            signal(process.pid, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// Returns true if a process is a child of another, over however many generations; one that is gone is nobody's stray.
pub fn descends(pid: i32, ancestor: i32) -> bool {
    let mut pid = pid;
    while pid > 1 {
        if pid == ancestor {
            return true;
        }
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        pid = parent.unwrap_or(0);
    }
    false
}
