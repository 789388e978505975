use std::path::Path;
use std::time::Duration;

use domain::id::DeploymentId;
use tokio::time::{Instant, timeout};

use super::scan::each_process;
use super::*;

const SOON: Duration = Duration::from_secs(20);

struct Script {
    directory: tempfile::TempDir,
    marker: String,
}

impl Script {
    fn new(name: &str, text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(name), text).unwrap();
        Self { directory, marker: format!("test-{}", DeploymentId::new()) }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn spec(&self, command: &[&str]) -> ProcessSpec {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        ProcessSpec { command, directory: self.path().to_owned(), env: Vec::new(), marker: self.marker.clone(), input: None }
    }

    fn spawn(&self, command: &[&str]) -> ProcessTree {
        ProcessTree::spawn(&self.spec(command)).unwrap()
    }

    /// Returns the number of processes with the marker, counted independently of the tested code.
    fn alive(&self) -> usize {
        let mut count = 0;
        each_process(|process| count += usize::from(process.marker().as_ref() == Some(&self.marker)));
        count
    }
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::task::yield_now().await;
    }
}

async fn all_lines(tree: &mut ProcessTree) -> Vec<String> {
    let (stdout, _stderr) = tree.take_output().unwrap();
    let mut reader = LineReader::new(stdout);
    let mut lines = Vec::new();
    while let Some(line) = reader.next().await.unwrap() {
        lines.push(String::from_utf8_lossy(&line).into_owned());
    }
    lines
}

#[tokio::test]
async fn a_program_sees_only_the_environment_it_is_given() {
    let script = Script::new("main.sh", "env | sort");
    let mut spec = script.spec(&["sh", "main.sh"]);
    spec.env.push(("GREETING".to_owned(), domain::secret::Secret::new("hello")));
    let mut tree = ProcessTree::spawn(&spec).unwrap();
    let lines = all_lines(&mut tree).await;
    // The shell adds PWD, SHLVL, OLDPWD or _ by itself.
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split('=').next()).collect();
    let given: Vec<&str> = names.into_iter().filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(given, ["GREETING", "HOME", "LANG", "MIKROCLOUD_PROCESS", "PATH"]);
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the test itself has more than that");
    assert!(tree.wait().await.unwrap().success());
}

#[tokio::test]
async fn input_can_be_read_and_opened_again() {
    // More than a pipe would hold.
    let text = "0123456789abcde\n".repeat(10_000);
    let script = Script::new("main.sh", "cat; cat /dev/stdin");
    let spec = ProcessSpec { input: Some(domain::secret::Secret::new(text.as_str())), ..script.spec(&["sh", "main.sh"]) };
    let mut tree = ProcessTree::spawn(&spec).unwrap();
    assert_eq!(all_lines(&mut tree).await.join("\n") + "\n", text.repeat(2));
    assert!(tree.wait().await.unwrap().success());
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let script = Script::new("plain", "#!/no/such/interpreter\n");
    let error = |command: &[&str]| {
        let error = ProcessTree::spawn(&script.spec(command)).unwrap_err();
        assert_eq!(error.code, "START_FAILED");
        error.message
    };
    insta::assert_snapshot!(error(&["no-such-program"]), @"the program `no-such-program` is not installed on this machine: install it, or name another program in mikrocloud.toml");
    insta::assert_snapshot!(error(&["./plain"]), @"`./plain` is not executable (chmod +x): install it, or name another program in mikrocloud.toml");
    insta::assert_snapshot!(error(&["sh", "a\0b"]), @"`sh` could not be started: an argument or a variable holds a NUL byte");
    insta::assert_snapshot!(error(&["sh", &"x".repeat(1 << 20)]), @"`sh` could not be started: its variables and arguments are larger than the system allows: move large values to files");
}

#[tokio::test]
async fn stop_ends_the_tree_with_children_that_left_the_group() {
    let text = "setsid sleep 1000 &\nenv -i /usr/bin/setsid /bin/sleep 1000 &\nsleep 1000 &\n(sleep 1000 &)\nwait";
    let script = Script::new("main.sh", text);
    let mut tree = script.spawn(&["sh", "main.sh"]);
    until("five processes run", || tree.usage().processes == 5).await;
    assert!(tree.usage().memory_bytes > 100_000);
    let members = tree.members();
    timeout(SOON, tree.stop(Duration::from_secs(10))).await.unwrap();
    assert_eq!((members.usage().processes, script.alive()), (0, 0));
}

#[tokio::test]
async fn a_program_that_ends_on_sigterm_ends_in_its_own_way() {
    let script = Script::new("main.sh", "trap 'echo bye; exit 3' TERM\necho ready\nwhile :; do sleep 0.05; done");
    let mut tree = script.spawn(&["sh", "main.sh"]);
    let (stdout, _stderr) = tree.take_output().unwrap();
    let mut reader = LineReader::new(stdout);
    assert_eq!(reader.next().await.unwrap().unwrap(), b"ready");
    tree.stop(SOON).await;
    assert_eq!(reader.next().await.unwrap().unwrap(), b"bye");
    assert_eq!(tree.wait().await.unwrap().code(), Some(3));
}

#[tokio::test]
async fn a_program_that_ignores_sigterm_is_killed_when_the_grace_is_over() {
    let script = Script::new("main.sh", "trap '' TERM\necho ready\nwhile :; do sleep 0.05; done");
    let mut tree = script.spawn(&["sh", "main.sh"]);
    let (stdout, _stderr) = tree.take_output().unwrap();
    assert_eq!(LineReader::new(stdout).next().await.unwrap().unwrap(), b"ready");
    timeout(SOON, tree.stop(Duration::from_millis(200))).await.unwrap();
    assert_eq!(script.alive(), 0);
}

/// 16 processes that replace themselves all the time, half of them in sessions of their own. They give up by themselves
/// after a minute, so that a failed test leaves the machine usable.
const FORK_BOMB: &str = "
import os, time
end = time.monotonic() + 60
for _ in range(4):
    os.fork()
while time.monotonic() < end:
    time.sleep(0.03)
    if os.fork():
        os._exit(0)
    if os.getpid() % 2:
        os.setsid()
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_bomb_dies_whole() {
    let script = Script::new("bomb.py", FORK_BOMB);
    let mut tree = script.spawn(&["python3", "bomb.py"]);
    until("it has spread", || tree.usage().processes > 8).await;
    timeout(Duration::from_mins(1), tree.stop(Duration::ZERO)).await.unwrap();
    assert_eq!(script.alive(), 0);
}

#[tokio::test]
async fn a_dropped_tree_is_killed() {
    let script = Script::new("main.sh", "setsid sleep 1000 &\nsleep 1000");
    let tree = script.spawn(&["sh", "main.sh"]);
    until("three processes run", || tree.usage().processes == 3).await;
    drop(tree);
    until("none is left", || script.alive() == 0).await;
}

#[tokio::test]
async fn processes_of_an_earlier_life_are_found_by_their_marker() {
    let script = Script::new("main.sh", "(setsid sleep 1000 &)\nsleep 1000");
    let tree = script.spawn(&["sh", "main.sh"]);
    until("three processes run", || tree.usage().processes == 3).await;
    assert_eq!(kill_marked(&format!("{}-other", script.marker)).await, 0);
    assert_eq!(kill_marked(&script.marker).await, 3);
    assert_eq!(script.alive(), 0);
}

#[tokio::test]
async fn a_limit_on_file_size_holds_for_what_is_started_later() {
    let script = Script::new("main.sh", "read -r line < go\nhead -c 5000000 /dev/zero > big");
    rustix::fs::mkfifoat(rustix::fs::CWD, script.path().join("go"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let mut tree = script.spawn(&["sh", "main.sh"]);
    tree.limit_file_size(1 << 20);
    tokio::fs::write(script.path().join("go"), "go\n").await.unwrap();
    assert!(!tree.wait().await.unwrap().success());
    assert_eq!(script.path().join("big").metadata().unwrap().len(), 1 << 20);
}
