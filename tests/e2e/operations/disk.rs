//! The machine's disk is full.

use std::path::Path;
use std::process::Command;

use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};

/// A small file system of its own on this directory; `None`, with the reason on standard error, where this user cannot mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(directory: &'a Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(directory).unwrap();
        if !rustix::process::geteuid().is_root() {
            eprintln!("only root can mount a small disk: this test is skipped");
            return None;
        }
        let size = format!("size={mib}m,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "small-disk"]).arg(directory).output().unwrap();
        if !mounted.status.success() {
            eprintln!("no file system can be mounted: {}: this test is skipped", String::from_utf8_lossy(&mounted.stderr));
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
            return None;
        }
        Some(Self(directory))
    }

    /// Leaves this much room, KiB.
    fn fill(&self, room_kib: u64) {
        let _ = std::fs::remove_file(self.0.join("filler"));
        let disk = rustix::fs::statvfs(self.0).unwrap();
        let free = disk.f_bavail * disk.f_frsize;
        let filler = vec![1; usize::try_from(free.saturating_sub(room_kib << 10)).unwrap()];
        std::fs::write(self.0.join("filler"), filler).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Lazily: a server that is about to be killed still has files there.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[tokio::test]
async fn on_a_full_disk_deployments_fail_with_the_reason_and_go_well_once_there_is_room() {
    let mut house = House::prepare(&[]);
    let data = house.data();
    let Some(disk) = SmallDisk::mount(&data, 96) else { return };
    house.run().await;
    let site = house.site("page", "before");
    house.deploy(&site, &[]).await;

    // Room for the upload, which is small when compressed, but not for its files.
    disk.fill(8 << 10);
    let large = house.site("large", "large");
    std::fs::write(large.join("zeros"), vec![0; 24 << 20]).unwrap();
    let (code, message) = house.deploy_in_vain(&large, &[]).await;
    assert!(code == "DISK_FULL" && message.contains("free some space"), "{code}: {message}");

    // No room at all.
    disk.fill(0);
    std::fs::write(site.join("index.html"), "after").unwrap();
    let (code, message) = house.cli(&["deploy", site.to_str().unwrap(), "--json"]).await.error();
    assert!(code == "UNAVAILABLE" && message.contains("disk is full"), "{code}: {message}");
    // The database may still have room in its own file; once it has none, it says so again and again.
    let mut refusals = 0;
    for number in 0..200 {
        let ran = house.cli(&["projects", "create", &format!("another-{number}"), "--json"]).await;
        if ran.exit != 0 {
            let (code, message) = ran.error();
            assert!(code == "UNAVAILABLE" && message.contains("disk is full"), "{code}: {message}");
            refusals += 1;
        }
        if refusals == 10 {
            break;
        }
    }
    assert_eq!(refusals, 10);
    assert_eq!(house.body("page").await, "before");
    assert_eq!(house.http.get(house.url("/healthz")).send().await.unwrap().status(), 200);

    disk.free();
    house.deploy(&site, &[]).await;
    assert_eq!(house.body("page").await, "after");
    house.deploy(&large, &[]).await;
    assert_eq!(house.body("large").await, "large");
    wait_until(PATIENCE, "no leftovers of what failed", async || {
        std::fs::read_dir(data.join("builds")).unwrap().next().is_none()
            && std::fs::read_dir(data.join("artifacts/tmp")).unwrap().next().is_none()
    })
    .await;
    house.crash_and_restart().await;
    assert_eq!(house.body("page").await, "after");
    house.kill().await;
}
