//! Checking an exported file, without a server.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use audit::{Broken, LONGEST_LINE, PublicKey, Report, Verifier};
use serde_json::json;

use crate::arguments::Output;
use crate::client::output;
use server::Failure;

/// Checks a file and says what is wrong with it first, or that nothing is.
pub fn run(file: &Path, public_keys: Vec<PublicKey>, earlier: Option<&Path>, output: Output) -> Result<(), Failure> {
    let trusts = !public_keys.is_empty();
    let mut verifier = Verifier::new(public_keys);
    if let Some(earlier) = earlier {
        // Checked on its own first: what it says is what the other is held against.
        let report = check_file(verifier.clone(), earlier)?
            .map_err(|broken| Failure::failed("AUDIT_BROKEN", format!("the earlier export {}: {broken}", earlier.display())))?;
        verifier = verifier.going_on_from(&report);
    }
    match check_file(verifier, file)? {
        Ok(report) => {
            show(&report, trusts, output);
            Ok(())
        }
        Err(broken) => {
            if output.json {
                output::json(&json!({"valid": false, "line": broken.line, "entry": broken.sequence, "problem": broken.problem}));
            }
            Err(Failure { printed: true, ..Failure::failed("AUDIT_BROKEN", broken.to_string()) })
        }
    }
}

fn check_file(verifier: Verifier, file: &Path) -> anyhow::Result<Result<Report, Broken>> {
    let unreadable = || format!("{}: the file cannot be read", file.display());
    if file == Path::new("-") {
        return check(verifier, BufReader::new(io::stdin())).with_context(unreadable);
    }
    let opened = File::open(file).with_context(unreadable)?;
    check(verifier, BufReader::new(opened)).with_context(unreadable)
}

fn check(mut verifier: Verifier, mut lines: impl BufRead) -> io::Result<Result<Report, Broken>> {
    let (mut line, mut is_whole) = (Vec::new(), true);
    loop {
        line.clear();
        // A line that is longer is none of ours: it is not read into memory to find that out.
        let limit = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        if lines.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(verifier.end(is_whole));
        }
        is_whole = line.pop_if(|last| *last == b'\n').is_some();
        if let Err(broken) = verifier.line(&line) {
            return Ok(Err(broken));
        }
    }
}

fn show(report: &Report, trusts: bool, output: Output) {
    let Report { team, from, to, entries, checkpoints, key, earlier_keys } = report;
    if output.json {
        output::json(&json!({
            "valid": true,
            "team": team,
            "after": from,
            "to": to.sequence,
            "hash": to.hash,
            "entries": entries,
            "checkpoints": checkpoints,
            "publicKey": key,
            "earlierPublicKeys": earlier_keys,
            "trusted": trusts,
        }));
        return;
    }
    println!("Good: {entries} entries of {team}, {} to {}, and {checkpoints} checkpoints.", from + 1, to.sequence);
    println!("signed by {key}");
    for earlier in earlier_keys {
        println!("checkpoints in it signed by {earlier}");
    }
    if !trusts {
        println!(
            "Whoever makes up a log signs it with a key of their own: compare the key with `mikrocloud audit keys`, or give the one \
             that you trust with --public-key."
        );
    }
}
