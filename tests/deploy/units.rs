//! `deploy/systemd`.

use std::process::Command;

use crate::tools::{root, run};

/// The units, by their file's name.
pub fn units() -> Vec<(String, String)> {
    let files = std::fs::read_dir(root().join("deploy/systemd")).unwrap().map(|file| file.unwrap().path());
    let units = files.filter(|path| path.extension().is_some_and(|extension| extension == "service"));
    units.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())).collect()
}

fn setting<'a>(unit: &'a str, name: &str) -> Option<&'a str> {
    unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// Output of `systemd-analyze verify` for units, which name the tests' binary.
fn verify(units: &[(String, String)]) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let files = units.iter().map(|(name, unit)| {
        // It wants an instance, not the template.
        let path = directory.path().join(name.replace("@.", "@1."));
        std::fs::write(&path, unit.replace("/usr/local/bin/mikrocloud", env!("CARGO_BIN_EXE_mikrocloud"))).unwrap();
        path
    });
    let files: Vec<_> = files.collect();
    let said = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&files), "systemd", "")?;
    let about = |line: &&str| files.iter().any(|file| line.contains(&*file.to_string_lossy()) || line.contains("mikrocloud"));
    // What it says of units that happen to be on this machine is not ours.
    Some(said.err.lines().filter(about).collect::<Vec<_>>().join("\n"))
}

#[test]
fn systemd_understands_every_unit() {
    let mut units = units();
    assert_eq!(units.len(), 5);
    let Some(said) = verify(&units) else { return };
    assert_eq!(said, "");
    units[0].1 = units[0].1.replace("NoNewPrivileges", "NoNewPriviliges");
    assert!(verify(&units).unwrap().contains("NoNewPriviliges"), "it finds a word that is not one");
}

#[test]
fn units_are_hardened_and_leave_time_to_end() {
    for (name, unit) in units() {
        for (setting_name, value) in
            [("User", "mikrocloud"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", "")]
        {
            assert_eq!(setting(&unit, setting_name), Some(value), "{name}: {setting_name}");
        }
        assert_eq!(setting(&unit, "MemoryDenyWriteExecute"), None, "{name}: Node.js could not run");
        if name != "mikrocloud-migrate.service" {
            assert_eq!(setting(&unit, "Type"), Some("exec"), "{name}");
            assert_eq!(setting(&unit, "KillMode"), Some("mixed"), "{name}");
            assert!(setting(&unit, "TimeoutStopSec").unwrap().parse::<u64>().unwrap() >= 30, "{name}");
        }
    }
}
