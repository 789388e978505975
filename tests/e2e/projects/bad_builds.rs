//! Builds that go wrong in every way a build can.

use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};
use crate::support::processes;

/// Nothing of a build is left: no process, no file.
async fn nothing_left(house: &House) {
    wait_until(PATIENCE, "no process", async || processes::all_of(&house.data()).is_empty()).await;
    let builds = house.data().join("builds");
    wait_until(PATIENCE, "no file", async || std::fs::read_dir(&builds).unwrap().next().is_none()).await;
}

/// Checks that it still does what it is for.
async fn still_works(house: &House) {
    house.deploy(house.site("fine", "fine"), &[]).await;
    assert_eq!(house.body("fine").await, "fine");
}

#[tokio::test]
async fn a_build_that_fails_shows_its_last_words() {
    let house = House::start().await;
    let code = "console.log('step one'); console.error('error: the flux capacitor is missing'); process.exit(3)";
    let failure = house.deploy_in_vain(house.build("broken", code), &[]).await;
    assert_eq!(failure.0, "BUILD_FAILED");
    assert!(failure.1.contains("exit status 3") && failure.1.contains("flux capacitor"), "{failure:?}");
    let failure = house.deploy_in_vain(house.build("killed", "process.kill(process.pid, 'SIGSEGV')"), &[]).await;
    assert!(failure.0 == "BUILD_FAILED" && failure.1.contains("signal 11"), "{failure:?}");
    nothing_left(&house).await;
}

#[tokio::test]
async fn a_build_without_its_result_names_what_is_missing() {
    let house = House::start().await;
    let failure = house.deploy_in_vain(house.build("lost", "require('fs').mkdirSync('dist')"), &[]).await;
    assert_eq!(failure.0, "OUTPUT_MISSING");
    assert!(failure.1.contains("`out`") && failure.1.contains("there are: dist"), "{failure:?}");
    let files = [("mikrocloud.toml", "[build]\ncommand = \"no-such-program --all\"\n"), ("index.html", "x")];
    let failure = house.deploy_in_vain(house.project("tool", &files), &[]).await;
    assert!(failure.0 == "TOOLCHAIN_MISSING" && failure.1.contains("no-such-program"), "{failure:?}");
    nothing_left(&house).await;
}

#[tokio::test]
async fn a_build_that_hangs_is_stopped_at_its_time_limit() {
    let house = House::start_with(&[("MIKROCLOUD_BUILD_SECONDS", "2")]).await;
    let code = "process.on('SIGTERM', () => console.log('never')); console.log('hanging'); setInterval(() => {}, 1000)";
    let failure = house.deploy_in_vain(house.build("hang", code), &[]).await;
    assert!(failure.0 == "BUILD_TIMEOUT" && failure.1.contains("2 seconds"), "{failure:?}");
    nothing_left(&house).await;
    still_works(&house).await;
}

#[tokio::test]
async fn a_build_that_forks_without_end_is_stopped_as_a_whole() {
    let house = House::start_with(&[("MIKROCLOUD_BUILD_PROCESSES", "60")]).await;
    let manifest = "[project]\nkind = \"static\"\n[build]\ncommand = \"sh fork.sh\"\noutput = \".\"\n";
    let directory = house.project("fork", &[("mikrocloud.toml", manifest), ("fork.sh", "while true; do sleep 1000 & done\n")]);
    let failure = house.deploy_in_vain(&directory, &[]).await;
    assert!(failure.0 == "BUILD_PROCESSES" && failure.1.contains("60 processes"), "{failure:?}");
    nothing_left(&house).await;
    still_works(&house).await;
}

#[tokio::test]
async fn a_build_that_takes_too_much_memory_or_disk_is_stopped() {
    let house = House::start_with(&[("MIKROCLOUD_BUILD_MEMORY_MIB", "200"), ("MIKROCLOUD_BUILD_DISK_MIB", "20")]).await;
    let code = "const all = []; setInterval(() => all.push(Buffer.alloc(16 << 20, 1)), 5)";
    let failure = house.deploy_in_vain(house.build("memory", code), &[]).await;
    assert!(failure.0 == "BUILD_MEMORY" && failure.1.contains("200 MiB"), "{failure:?}");
    let one_file = "const fs = require('fs'); const file = fs.openSync('big', 'w'); const part = Buffer.alloc(1 << 20, 1);\n\
        while (true) fs.writeSync(file, part)";
    let many =
        "const fs = require('fs'); let n = 0; setInterval(() => fs.writeFileSync('f' + n++, Buffer.alloc(1 << 20, 1)), 20)";
    for (name, code) in [("one-file", one_file), ("many-files", many)] {
        let failure = house.deploy_in_vain(house.build(name, code), &[]).await;
        assert!(failure.0 == "BUILD_DISK" || (failure.0 == "BUILD_FAILED" && failure.1.contains("EFBIG")), "{name}: {failure:?}");
    }
    nothing_left(&house).await;
    still_works(&house).await;
}

#[tokio::test]
async fn a_build_that_prints_a_hundred_megabytes_or_binary_goes_well_with_a_bounded_log() {
    let house = House::start().await;
    let flood = "const fs = require('fs'); const part = ('x'.repeat(2000) + '\\n').repeat(500);\n\
        for (let i = 0; i < 100; i++) fs.writeSync(1, part); fs.mkdirSync('out'); fs.writeFileSync('out/index.html', 'flooded');";
    let document = house.deploy(house.build("flood", flood), &[]).await;
    assert_eq!(house.body("flood").await, "flooded");
    let log = house.log(document["deployment"].as_str().unwrap()).await;
    assert!(log.len() < 9 << 20, "{} bytes", log.len());
    assert!(log.contains("more lines were dropped"), "{}", &log[log.len() - 500..]);
    let binary = "const fs = require('fs'); const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));\n\
        fs.writeSync(1, Buffer.concat(Array(400).fill(bytes))); fs.writeSync(1, '\\nthe end\\n');\n\
        fs.mkdirSync('out'); fs.writeFileSync('out/index.html', 'binary');";
    let document = house.deploy(house.build("binary", binary), &[]).await;
    let log = house.log(document["deployment"].as_str().unwrap()).await;
    assert!(log.contains("the end") && !log.contains('\0'), "{log:?}");
}
