//! Checks an export, line by line: nothing of it is kept but where the chain stands.

use std::collections::BTreeSet;

use domain::artifact::Digest;
use domain::id::TeamId;
use serde::Deserialize;
use serde_json::Value;

use crate::chain::{EntryLine, canonical, genesis, link};
use crate::signature::{Checkpoint, ExportHead, PublicKey, Signed, Statement, Tip};
use crate::{Entry, VERSION};

/// The longest line that an export has, in bytes.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// The first thing that is wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// The entry that is wrong or missing, where one can be named.
    pub sequence: Option<i64>,
    /// Description of the problem.
    pub problem: String,
}

/// Verified content of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Team that owns the log.
    pub team: TeamId,
    /// After which entry it begins.
    pub from: i64,
    /// With which entry it ends, and its hash.
    pub to: Tip,
    /// Number of entries.
    pub entries: u64,
    /// Number of checkpoints.
    pub checkpoints: u64,
    /// The key that signed the export.
    pub key: PublicKey,
    /// Other keys that signed checkpoints in it.
    pub earlier_keys: Vec<PublicKey>,
}

/// Checks an export.
#[derive(Clone, Default)]
pub struct Verifier {
    trusted: Vec<PublicKey>,
    /// Tip of an earlier export of the same log.
    earlier: Option<(TeamId, Tip)>,
    line: u64,
    chain: Option<Chain>,
}

/// Progress of the verification.
#[derive(Clone)]
struct Chain {
    head: Signed<ExportHead>,
    earlier: Option<Tip>,
    tip: Tip,
    /// The last entry that a signature vouches for.
    vouched: i64,
    entries: u64,
    checkpoints: u64,
    keys: BTreeSet<String>,
}

type Checked = Result<(), (Option<i64>, String)>;

impl Verifier {
    /// A verifier that takes only exports which one of these keys signed; any key where there are none.
    pub fn new(trusted: Vec<PublicKey>) -> Self {
        Self { trusted, ..Self::default() }
    }

    /// A verifier that takes only exports which go on from an earlier one: the entry that it ended with is there, and the same.
    #[must_use]
    pub fn going_on_from(self, earlier: &Report) -> Self {
        Self { earlier: Some((earlier.team, earlier.to.clone())), ..self }
    }

    /// Checks the next line, without its end.
    pub fn line(&mut self, text: &[u8]) -> Result<(), Broken> {
        self.line += 1;
        let expected = self.chain.as_ref().map(|chain| chain.tip.sequence + 1);
        let checked = match std::str::from_utf8(text).map(|text| (text, serde_json::from_str::<Value>(text))) {
            Ok((text, Ok(line))) => match &mut self.chain {
                None => begin(text, line, &self.trusted, self.earlier.as_ref()).map(|chain| self.chain = Some(chain)),
                Some(chain) => chain.take(text, line),
            },
            _ => Err((expected, place(expected, "is no JSON: it was changed or cut off"))),
        };
        checked.map_err(|(sequence, problem)| Broken { line: self.line, sequence, problem })
    }

    /// To be called after the last line; `is_whole` says whether that one had an end.
    pub fn end(self, is_whole: bool) -> Result<Report, Broken> {
        let broken = |sequence, problem: String| Broken { line: self.line, sequence, problem };
        let Some(chain) = self.chain else {
            return Err(broken(None, "the file is empty: an export has at least a first line".to_owned()));
        };
        let Signed { said: ExportHead { team, from, to, .. }, key, .. } = chain.head;
        if chain.tip.sequence < to.sequence {
            let next = chain.tip.sequence + 1;
            let problem =
                format!("the file is cut off before entry {next}: its first line says that it goes to entry {}", to.sequence);
            return Err(broken(Some(next), problem));
        }
        if let Some(earlier) = chain.earlier.filter(|earlier| earlier.sequence > to.sequence) {
            let problem = format!("it ends with entry {}, and the earlier export with entry {}", to.sequence, earlier.sequence);
            return Err(broken(Some(to.sequence + 1), format!("{problem}: it is the older one, or the log was shortened since")));
        }
        if !is_whole {
            return Err(broken(Some(to.sequence), "the last line has no end: the file was cut off or changed there".to_owned()));
        }
        let earlier = chain.keys.iter().filter(|other| **other != key.to_string());
        let earlier_keys = earlier.filter_map(|key| key.parse().ok()).collect();
        let Chain { entries, checkpoints, .. } = chain;
        Ok(Report { team, from: from.sequence, to, entries, checkpoints, key, earlier_keys })
    }
}

fn place(sequence: Option<i64>, problem: &str) -> String {
    match sequence {
        Some(sequence) => format!("entry {sequence} {problem}"),
        None => format!("the first line {problem}"),
    }
}

fn supported(version: u64) -> Result<(), String> {
    if version == VERSION {
        return Ok(());
    }
    Err(format!("it has the form of version {version}, this program reads version {VERSION}: use a newer `mikrocloud`"))
}

/// A signed statement from a line that says exactly this.
fn signed<T: Statement + for<'de> Deserialize<'de>>(text: &str, line: Value) -> Option<Signed<T>> {
    let parts = (serde_json::from_value(line["key"].clone()), line["signature"].as_str().map(str::to_owned));
    let (Ok(key), Some(signature)) = parts else { return None };
    let signed = Signed { said: serde_json::from_value::<T>(line).ok()?, key, signature };
    // Nothing else stands in it, and it could not have been written in another way.
    (signed.text().ok()? == text && signed.is_good()).then_some(signed)
}

/// Explains an entry with an unexpected number.
fn out_of_order(next: i64, found: i64) -> (Option<i64>, String) {
    if found > next {
        let problem =
            format!("entry {next} is missing here, entry {found} stands in its place: it was taken out, or entries were swapped");
        return (Some(next), problem);
    }
    let problem = format!("entry {found} stands here, where entry {next} should: entries were swapped or repeated");
    (Some(found), problem)
}

fn begin(
    text: &str,
    line: Value,
    trusted: &[PublicKey],
    earlier: Option<&(TeamId, Tip)>,
) -> Result<Chain, (Option<i64>, String)> {
    let broken = |problem: String| (None, problem);
    if line["kind"] != ExportHead::KIND {
        return Err(broken("the first line of an export is missing: it says what follows".to_owned()));
    }
    supported(line["v"].as_u64().unwrap_or(0)).map_err(broken)?;
    let head: Signed<ExportHead> =
        signed(text, line).ok_or_else(|| broken(place(None, "was changed: its signature is not good")))?;
    if !trusted.is_empty() && !trusted.contains(&head.key) {
        return Err(broken(format!("the export was signed by the key {}, which is none of those that you trust", head.key)));
    }
    let ExportHead { team, from, to, .. } = &head.said;
    if from.sequence > to.sequence || (from.sequence == 0 && from.hash != genesis(*team)) {
        return Err(broken("the first line contradicts itself".to_owned()));
    }
    if earlier.is_some_and(|(other, tip)| other != team || tip.sequence < from.sequence) {
        let problem = "it begins after the earlier export ended, or is another team's: nothing says whether it goes on from that";
        return Err(broken(problem.to_owned()));
    }
    let earlier = earlier.map(|(_, tip)| tip.clone());
    let (tip, vouched, keys) = (from.clone(), from.sequence, BTreeSet::new());
    let chain = Chain { tip, vouched, entries: 0, checkpoints: 0, keys, head, earlier };
    chain.check_end().map(|()| chain)
}

impl Chain {
    fn take(&mut self, text: &str, line: Value) -> Checked {
        match line["kind"].as_str() {
            Some("entry") => self.take_entry(text, line),
            Some(Checkpoint::KIND) => self.take_checkpoint(text, line),
            _ => Err(self.wrong_next("was changed: the line is neither an entry nor a checkpoint")),
        }
    }

    fn wrong_next(&self, problem: &str) -> (Option<i64>, String) {
        let next = self.tip.sequence + 1;
        (Some(next), format!("entry {next} {problem}"))
    }

    fn take_entry(&mut self, text: &str, line: Value) -> Checked {
        #[derive(Deserialize)]
        struct Line {
            entry: Value,
            hash: Digest,
        }
        let next = self.tip.sequence + 1;
        let Ok(Line { entry, hash }) = serde_json::from_value(line) else {
            return Err(self.wrong_next("was changed: it has not the form of an entry"));
        };
        supported(entry["v"].as_u64().unwrap_or(0)).map_err(|problem| (Some(next), format!("entry {next}: {problem}")))?;
        let Some(sequence) = entry["sequence"].as_i64() else {
            return Err(self.wrong_next("was changed: it has no number"));
        };
        let Ok(canonical) = canonical(&entry) else { return Err(self.wrong_next("was changed: it has no canonical form")) };
        let fits = link(&self.tip.hash, &canonical) == hash;
        if sequence > self.head.said.to.sequence && !fits {
            return Err(self.wrong_next("was changed: its number is beyond the end of the export"));
        }
        if sequence != next {
            return Err(out_of_order(next, sequence));
        }
        if (EntryLine { canonical: &canonical, hash: &hash }).text() != text {
            return Err(self.wrong_next("was changed: it is not written in the canonical form"));
        }
        if !fits {
            return Err(self.wrong_next("was changed, or the hash beside it: they do not belong together"));
        }
        if serde_json::from_value::<Entry>(entry).map(|entry| entry.team).ok() != Some(self.head.said.team) {
            return Err(self.wrong_next("is none of this team's log"));
        }
        self.tip = Tip { sequence, hash };
        self.entries += 1;
        self.check_end()
    }

    fn take_checkpoint(&mut self, text: &str, line: Value) -> Checked {
        let at = self.tip.sequence;
        let wrong = |problem: &str| (Some(at), format!("the checkpoint after entry {at} {problem}"));
        supported(line["v"].as_u64().unwrap_or(0)).map_err(|problem| wrong(&problem))?;
        let Some(checkpoint) = signed::<Checkpoint>(text, line) else {
            return Err(wrong("was changed: its signature is not good"));
        };
        let Checkpoint { team, tip, .. } = &checkpoint.said;
        if *team != self.head.said.team {
            return Err(wrong("is none of this team's log"));
        }
        if tip.sequence > at {
            let next = at + 1;
            return Err((
                Some(next),
                format!("entry {next} is missing: a checkpoint follows that was signed after entry {}", tip.sequence),
            ));
        }
        if tip.sequence < at {
            return Err(wrong(&format!("belongs after entry {}: it was moved", tip.sequence)));
        }
        if tip.hash != self.tip.hash {
            return Err(self.forged("the checkpoint"));
        }
        self.vouched = at;
        self.checkpoints += 1;
        self.keys.insert(checkpoint.key.to_string());
        Ok(())
    }

    /// The chain hangs together and is not the one that was signed.
    fn forged(&self, what: &str) -> (Option<i64>, String) {
        let (first, last) = (self.vouched + 1, self.tip.sequence);
        let problem = format!(
            "{what} signed another entry {last}: one of the entries {first} to {last} was changed and all after it hashed anew"
        );
        (Some(first.min(last)), problem)
    }

    /// Checks that the received entries match the first line's announcement and the earlier export.
    fn check_end(&self) -> Checked {
        let to = &self.head.said.to;
        if self.earlier.as_ref().is_some_and(|earlier| earlier.sequence == self.tip.sequence && earlier.hash != self.tip.hash) {
            let sequence = self.tip.sequence;
            let problem = format!("entry {sequence} is not as in the earlier export: it, or one before it, was changed since");
            return Err((Some(sequence), problem));
        }
        match self.tip.sequence.cmp(&to.sequence) {
            std::cmp::Ordering::Greater => {
                let problem =
                    format!("entry {} is more than the first line says: it ends with {}", self.tip.sequence, to.sequence);
                Err((Some(self.tip.sequence), problem))
            }
            std::cmp::Ordering::Equal if self.tip.hash != to.hash => Err(self.forged("the first line")),
            _ => Ok(()),
        }
    }
}
