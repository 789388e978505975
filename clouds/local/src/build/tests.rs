use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::build::{AddedFile, Alternative, BuildLimits, BuildPlan, BuildStep};
use domain::event::{LogStream, NewLine};
use domain::id::DeploymentId;
use domain::secret::Secret;
use domain::workload::{StaticSite, WorkloadSpec};
use tempfile::TempDir;

use super::*;
use crate::process::kill_marked;

#[derive(Clone, Default)]
struct Lines {
    lines: Arc<Mutex<Vec<NewLine>>>,
    seen: Arc<tokio::sync::Notify>,
}

#[async_trait]
impl LogSink for Lines {
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError> {
        assert!(!lines.is_empty() && lines.len() <= 101, "{}", lines.len());
        self.lines.lock().unwrap().extend(lines);
        self.seen.notify_waiters();
        Ok(())
    }
}

impl Lines {
    fn texts(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().map(|line| line.text.clone()).collect()
    }

    async fn until(&self, text: &str) {
        let seen = async {
            loop {
                let notified = self.seen.notified();
                if self.texts().iter().any(|line| line == text) {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen)
            .await
            .unwrap_or_else(|_| panic!("no line `{text}` in {:?}", self.texts()));
    }
}

/// A project of one script, `build.sh`, that is to leave `dist`.
struct Bench {
    outer: TempDir,
    builder: LocalBuilder,
    request: Option<BuildRequest>,
    lines: Lines,
    stop: CancellationToken,
}

impl Bench {
    fn new(script: &str) -> Self {
        Self::of("sh", "build.sh", script)
    }

    fn of(program: &str, file: &str, script: &str) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("source");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(file), script).unwrap();
        let instance = format!("test-{}", DeploymentId::new());
        let engine = Engine::new(instance.as_str(), outer.path().join("cache/engine"));
        let config = BuilderConfig { cache_directory: outer.path().join("cache"), instance, engine, keeps_images: true };
        let plan = BuildPlan {
            framework: "Script".to_owned(),
            reason: "test".to_owned(),
            notes: Vec::new(),
            files: Vec::new(),
            path: Vec::new(),
            steps: vec![BuildStep {
                command: vec![program.to_owned(), file.to_owned()],
                env: Vec::new(),
                directory: String::new(),
            }],
            image: None,
            output: "dist".to_owned(),
            is_guess: false,
            workload: WorkloadSpec::Static(StaticSite::default()),
            alternatives: Vec::new(),
        };
        let request = BuildRequest {
            deployment_id: DeploymentId::new(),
            project_id: ProjectId::new(),
            directory,
            plan,
            variables: Vec::new(),
            limits: BuildLimits { wall_seconds: 60, ..BuildLimits::default() },
        };
        let stop = CancellationToken::new();
        Self { outer, builder: LocalBuilder::new(config), request: Some(request), lines: Lines::default(), stop }
    }

    fn request(&mut self) -> &mut BuildRequest {
        self.request.as_mut().unwrap()
    }

    /// Builds, and checks that neither a process nor a directory of the build is left.
    async fn build(&mut self) -> Result<PathBuf, CloudError> {
        let request = self.request.take().unwrap();
        let outcome = self.builder.build(request, &self.lines, self.stop.clone()).await;
        assert_eq!(kill_marked(&self.builder.marker_prefix()).await, 0, "processes are left");
        let mut names: Vec<_> = fs::read_dir(self.outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["cache", "source"]);
        outcome.map(|outcome| outcome.output)
    }

    async fn error(&mut self) -> (&'static str, String) {
        let error = self.build().await.unwrap_err();
        (error.code, error.message)
    }
}

#[tokio::test]
async fn a_build_leaves_its_output_and_its_log() {
    let mut bench = Bench::new("echo one\necho two >&2\nmkdir dist\necho hello > dist/index.html");
    let output = bench.build().await.unwrap();
    assert_eq!(fs::read_to_string(output.join("index.html")).unwrap(), "hello\n");
    let mut lines = bench.lines.texts();
    lines[1..].sort();
    assert_eq!(lines, ["$ sh build.sh", "one", "two"]);
    let streams: Vec<LogStream> = bench.lines.lines.lock().unwrap().iter().map(|line| line.stream).collect();
    assert_eq!(streams, [LogStream::System, LogStream::Build, LogStream::Build]);
}

#[tokio::test]
async fn steps_run_in_order_until_one_fails() {
    let mut bench = Bench::new("echo step $1; exit ${1:-0}");
    let step = bench.request().plan.steps[0].clone();
    let with = |argument: &str| BuildStep { command: [step.command.clone(), vec![argument.to_owned()]].concat(), ..step.clone() };
    bench.request().plan.steps = vec![with("0"), with("3"), with("4")];
    let (code, message) = bench.error().await;
    assert_eq!(code, "BUILD_FAILED");
    insta::assert_snapshot!(message, @r"
    `sh build.sh 3` ended with exit status 3. Its last lines:
    step 3
    ");
    assert_eq!(bench.lines.texts(), ["$ sh build.sh 0", "step 0", "$ sh build.sh 3", "step 3"]);
}

#[tokio::test]
async fn our_environment_stays_with_us() {
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "the test has a variable that a build must not see");
    let mut bench = Bench::new("env\nmkdir dist");
    bench.request().variables = vec![("GREETING".to_owned(), Secret::new("hello")), ("HOME".to_owned(), Secret::new("/root"))];
    bench.request().plan.steps[0].env =
        vec![("STEP".to_owned(), "one".to_owned()), ("GREETING".to_owned(), "default".to_owned())];
    let outer = bench.outer.path().to_owned();
    bench.build().await.unwrap();
    let lines = bench.lines.texts();
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(&format!("{name}=")));
    assert_eq!((value("GREETING"), value("STEP"), value("CI")), (Some("hello"), Some("one"), Some("1")));
    assert_eq!(value("CARGO_PKG_NAME"), None);
    assert!(Path::new(value("HOME").unwrap()).starts_with(&outer) && Path::new(value("TMPDIR").unwrap()).starts_with(&outer));
    assert!(Path::new(value("npm_config_cache").unwrap()).starts_with(outer.join("cache")));
}

#[tokio::test]
async fn a_plan_adds_files_has_programs_of_its_own_and_steps_in_directories() {
    let mut bench = Bench::new("pwd\ntool\ncat ../.mikrocloud/added\nmkdir -p ../made\necho hello > ../made/index.html");
    let source = bench.request().directory.clone();
    fs::create_dir_all(source.join("inner")).unwrap();
    fs::rename(source.join("build.sh"), source.join("inner/build.sh")).unwrap();
    fs::create_dir(source.join("bin")).unwrap();
    fs::write(source.join("bin/tool"), "#!/bin/sh\necho own tool").unwrap();
    fs::set_permissions(source.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    let plan = &mut bench.request().plan;
    plan.steps[0].directory = "inner".to_owned();
    plan.path = vec!["bin".to_owned()];
    plan.files = vec![AddedFile { path: ".mikrocloud/added".to_owned(), text: "added text\n".to_owned() }];
    plan.is_guess = true;
    let output = bench.build().await.unwrap();
    assert_eq!(output.file_name().unwrap(), "made");
    let lines = bench.lines.texts();
    assert!(lines[1].ends_with("/source/inner"), "{lines:?}");
    assert_eq!(lines[2..], ["own tool", "added text", "Note: the build left its pages in made/"]);
}

#[tokio::test]
async fn a_build_that_leaves_a_server_is_deployed_as_one() {
    let mut bench = Bench::new("mkdir -p .output/server\necho > .output/server/index.mjs");
    let server = WorkloadSpec::Static(StaticSite { root: "other".to_owned() });
    let alternative =
        Alternative { evidence: ".output/server/index.mjs".to_owned(), output: String::new(), workload: server.clone() };
    bench.request().plan.alternatives = vec![alternative];
    let request = bench.request.take().unwrap();
    let outcome = bench.builder.build(request, &bench.lines, bench.stop.clone()).await.unwrap();
    assert_eq!((outcome.output.file_name().unwrap().to_str(), outcome.workload), (Some("source"), server));
}

#[tokio::test]
async fn secrets_are_masked_in_the_log_and_in_the_error() {
    let mut bench = Bench::new("echo the token is $TOKEN\nexit 1");
    bench.request().variables = vec![("TOKEN".to_owned(), Secret::new("hunter2-hunter2"))];
    let (_, message) = bench.error().await;
    assert!(message.contains("the token is ***") && !message.contains("hunter2"), "{message}");
    assert!(bench.lines.texts().contains(&"the token is ***".to_owned()));
}

#[tokio::test]
async fn a_build_that_hangs_is_stopped_whole() {
    let mut bench = Bench::new("trap '' TERM\nsetsid sleep 1000 &\nsleep 1000");
    bench.request().limits.wall_seconds = 1;
    let (code, message) = bench.error().await;
    assert_eq!(code, "BUILD_TIMEOUT");
    insta::assert_snapshot!(message, @"the build took longer than 1 seconds and was stopped during `sh build.sh`: make it faster, or raise the limit");
}

#[tokio::test]
async fn cancelling_leaves_no_process() {
    let mut bench = Bench::new("setsid sleep 1000 &\necho started\nsleep 1000");
    let (lines, stop) = (bench.lines.clone(), bench.stop.clone());
    let cancelling = async {
        lines.until("started").await;
        stop.cancel();
    };
    let ((code, _), ()) = tokio::join!(bench.error(), cancelling);
    assert_eq!(code, "BUILD_CANCELLED");
}

#[tokio::test]
async fn a_build_that_forks_without_end_is_stopped() {
    // Bounded all the same: a failed test must leave the machine usable.
    let mut bench = Bench::new("n=0\nwhile [ $n -lt 300 ]; do sleep 1000 & n=$((n+1)); done\nwait");
    bench.request().limits.processes = 40;
    let (code, message) = bench.error().await;
    assert_eq!(code, "BUILD_PROCESSES");
    insta::assert_snapshot!(message, @"the build had more than 40 processes at once and was stopped: start fewer, or raise the limit");
}

#[tokio::test]
async fn a_build_that_takes_too_much_memory_is_stopped() {
    let mut bench = Bench::of("python3", "build.py", "import time\ndata = bytearray(b'x' * (200 << 20))\ntime.sleep(1000)\n");
    bench.request().limits.memory_mib = 100;
    assert_eq!(bench.error().await.0, "BUILD_MEMORY");
}

#[tokio::test]
async fn a_build_that_fills_the_disk_is_stopped() {
    let mut many = Bench::new("n=0\nwhile [ $n -lt 100 ]; do head -c 1000000 /dev/zero > f$n; n=$((n+1)); done\nsleep 1000");
    many.request().limits.disk_mib = 20;
    assert_eq!(many.error().await.0, "BUILD_DISK");
    let mut aside =
        Bench::new("n=0\nwhile [ $n -lt 100 ]; do head -c 1000000 /dev/zero > $TMPDIR/f$n; n=$((n+1)); done\nsleep 1000");
    aside.request().limits.disk_mib = 20;
    assert_eq!(aside.error().await.0, "BUILD_DISK");
    let mut one = Bench::new("exec head -c 100000000 /dev/zero > large");
    one.request().limits.disk_mib = 20;
    assert_eq!(one.error().await.0, "BUILD_DISK");
}

#[tokio::test]
async fn a_hundred_megabytes_of_output_are_cut_and_said_to_be() {
    let mut bench = Bench::new("mkdir dist\nyes 'a line of output that is repeated' | head -c 100000000\necho the end");
    bench.request().limits.log_mib = 1;
    bench.build().await.unwrap();
    let lines = bench.lines.texts();
    let bytes: usize = lines.iter().map(String::len).sum();
    assert!(bytes < (1 << 20) && bytes > (1 << 18), "{bytes}");
    let last = lines.last().unwrap();
    assert!(last.ends_with("more lines were dropped: the log of a build is limited to 1 MiB"), "{last}");
}

#[tokio::test]
async fn output_without_a_line_end_and_binary_output_become_clean_lines() {
    let mut bench =
        Bench::new("mkdir dist\nhead -c 50000000 /dev/zero | tr '\\0' x\necho\nhead -c 100000 /dev/urandom\necho\necho the end");
    bench.build().await.unwrap();
    let lines = bench.lines.texts();
    assert!(lines[1].ends_with("(line cut)") && lines[1].len() < 10_000, "{}", lines[1].len());
    assert!(lines.iter().all(|line| !line.contains(['\0', '\n', '\r'])));
    assert_eq!(lines.last().unwrap(), "the end");
}

#[tokio::test]
async fn what_a_step_leaves_running_goes_with_it() {
    let mut bench = Bench::new("mkdir dist\n(setsid sleep 1000 &)\nsleep 1000 &\necho done");
    bench.build().await.unwrap();
    assert_eq!(bench.lines.texts(), ["$ sh build.sh", "done"]);
}

/// Leaves its tree, forks again and clears its environment, and keeps the output open: nothing tells whose it is.
const ESCAPE: &str = r#"
import os, sys
left, right = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["x", "30"], {})
    os._exit(0)
os.close(right)
os.read(left, 1)
os.makedirs("dist")
print("done")
"#;

#[tokio::test]
async fn a_build_ends_though_somebody_outside_its_tree_holds_its_output() {
    let mut bench = Bench::of("python3", "build.py", ESCAPE);
    let built = tokio::time::timeout(Duration::from_secs(15), bench.build()).await;
    built.expect("it ends before who escaped from it does").unwrap();
    assert_eq!(bench.lines.texts(), ["$ python3 build.py", "done"]);

    let mut bench = Bench::of("python3", "build.py", &format!("{ESCAPE}\nsys.stdout.flush()\nimport time\ntime.sleep(100)"));
    let (lines, stop) = (bench.lines.clone(), bench.stop.clone());
    let ending = tokio::time::timeout(Duration::from_secs(15), bench.error());
    let cancel = async {
        lines.until("done").await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(ending, cancel);
    assert_eq!(ended.expect("it can be cancelled").0, "BUILD_CANCELLED");
}

#[tokio::test]
async fn a_missing_output_or_program_is_named() {
    let mut bench = Bench::new("mkdir public");
    let (code, message) = bench.error().await;
    assert_eq!(code, "OUTPUT_MISSING");
    assert!(message.contains("`dist` (there are: public)"), "{message}");
    let mut bench = Bench::of("no-such-program", "build.sh", "");
    let (code, message) = bench.error().await;
    assert_eq!(code, "TOOLCHAIN_MISSING");
    assert!(message.contains("`no-such-program` is not installed"), "{message}");
}

#[tokio::test]
async fn caches_last_from_build_to_build() {
    let mut first = Bench::new("mkdir dist\necho kept > $npm_config_cache/mark");
    let (config, project_id) = (first.builder.config.clone(), first.request().project_id);
    first.build().await.unwrap();
    let mut second = Bench::new("cat $npm_config_cache/mark\nmkdir dist");
    second.request().project_id = project_id;
    let request = second.request.take().unwrap();
    let builder = LocalBuilder::new(config);
    builder.build(request, &second.lines, CancellationToken::new()).await.unwrap();
    assert_eq!(second.lines.texts()[1], "kept");
    builder.forget(project_id).await.unwrap();
    assert!(!builder.cache(project_id).exists());
    builder.forget(project_id).await.unwrap();
}

/// A log that cannot be stored.
struct Broken;

#[async_trait]
impl LogSink for Broken {
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError> {
        if lines.iter().all(|line| line.stream == LogStream::System) {
            return Ok(());
        }
        Err(CloudError::new(ErrorKind::Unavailable, "STORE_UNAVAILABLE", "the database does not answer"))
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_stored_ends_the_build() {
    let mut bench = Bench::new("echo one\nsleep 1000");
    let request = bench.request.take().unwrap();
    let error = bench.builder.build(request, &Broken, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, "STORE_UNAVAILABLE");
    assert_eq!(kill_marked(&bench.builder.marker_prefix()).await, 0);
}

#[tokio::test]
async fn a_project_of_read_only_files_is_cleaned_up() {
    let mut bench = Bench::new("mkdir -p dist $HOME/deep/er\nchmod 500 $HOME/deep/er $HOME/deep");
    let output = bench.build().await.unwrap();
    assert_eq!(output.metadata().unwrap().permissions().mode() & 0o700, 0o700);
}

#[tokio::test]
async fn what_of_a_site_is_not_followed_is_said_while_it_is_built() {
    let mut bench = Bench::new("mkdir dist && echo x > dist/index.html && echo '/a id=:id /b' > dist/_redirects");
    let directory = bench.request().directory.clone();
    fs::write(directory.join("netlify.toml"), "[[plugins]]\npackage = 'x'").unwrap();
    let output = bench.build().await.unwrap();
    let told: Vec<_> =
        bench.lines.lines.lock().unwrap().iter().filter(|line| line.stream == LogStream::System).cloned().collect();
    let told: Vec<_> = told.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "$ sh build.sh",
            "_redirects line 1 is ignored: conditions on queries, countries, languages or roles are not known here",
            "netlify.toml: not followed here: plugins",
        ]
    );
    assert!(output.join("netlify.toml").exists());
}
