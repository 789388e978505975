//! `mikrocloud keys rotate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use services::key_rotation::{Progress, Rotated, RotationError, SETTLING, SHORTEST_SETTLING, rotate};
use store::SchemaState;

use crate::backup::{open, unusable};
use crate::cluster::follow_clock;
use crate::failure::Failure;
use crate::installation::InstallationChoice;
use crate::master_key::{held_master_key, replace_master_key};

/// Number of connections of a run: one writes, others look keys up.
const CONNECTIONS: u32 = 4;

/// `mikrocloud keys rotate`
#[derive(Debug, Args)]
pub struct RotateOptions {
    #[arg(
        long,
        help = "Write the new key to this file instead of the one that holds the old key; needed where MIKROCLOUD_MASTER_KEY holds it",
        value_name = "FILE"
    )]
    pub(crate) new_key_file: Option<PathBuf>,
    /// Time allowed for requests that began before every process knew of the new key, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = SETTLING.as_secs(),
        value_parser = clap::value_parser!(u64).range(SHORTEST_SETTLING.as_secs()..=3600)
    )]
    pub(crate) settle_seconds: u64,
    #[command(flatten)]
    pub(crate) installation: InstallationChoice,
}

/// Gives the installation another master key while it runs.
pub async fn rotate_keys(options: RotateOptions, as_json: bool) -> Result<(), Failure> {
    let (key, held) = held_master_key(&options.installation)?;
    let Some(file) = options.new_key_file.or_else(|| held.clone()) else {
        let message = "the master key is in MIKROCLOUD_MASTER_KEY, which no command can change: \
                       say with --new-key-file FILE where the new key is to be written";
        return Err(Failure::failed("MASTER_KEY", message));
    };
    let store = open(&options.installation, CONNECTIONS).await?;
    if store.schema_state().await.map_err(|error| unusable(&error))? != SchemaState::Current {
        let message =
            "the database's schema is not this program's: bring all processes to this version first, then change the key";
        return Err(Failure::failed("SCHEMA", message));
    }
    follow_clock(&store).await.map_err(|error| unusable(&error))?;
    let line = Line::new();
    let keep = |new: &_| replace_master_key(&file, &key, new);
    let settling = Duration::from_secs(options.settle_seconds);
    let done = rotate(&store, key.clone(), settling, keep, |progress| line.show(progress)).await;
    store.close().await;
    drop(line);
    let rotated = done.map_err(|error| failure(&error))?;
    show(&rotated, &file, held.as_ref() == Some(&file), as_json);
    Ok(())
}

fn failure(error: &RotationError) -> Failure {
    let code = match error {
        RotationError::Setup(_) => "MASTER_KEY",
        RotationError::Absent => "NOT_SET_UP",
        RotationError::UnderWay | RotationError::TakenOver => "ROTATION_UNDER_WAY",
        RotationError::NotKept(_) => "KEY_FILE",
        RotationError::Store(_) | RotationError::Service(_) => "DATABASE",
    };
    Failure::failed(code, jobs::handler::chain(error))
}

fn show(rotated: &Rotated, file: &std::path::Path, in_place: bool, as_json: bool) {
    let Rotated { old_fingerprint, new_fingerprint, resumed, sealed, broken } = rotated;
    if as_json {
        let file = file.display().to_string();
        let document = json!({
            "oldFingerprint": old_fingerprint, "newFingerprint": new_fingerprint, "resumed": resumed,
            "sealed": sealed, "broken": broken, "keyFile": file,
        });
        println!("{document}");
        return;
    }
    println!("The master key is {new_fingerprint} now, in the place of {old_fingerprint}; {sealed} values were sealed anew.");
    if *broken > 0 {
        println!("{broken} values open with no key, and did not before; the log of this command names them.");
    }
    if in_place {
        println!("It is in {}. Processes that run go on.", file.display());
    } else {
        println!(
            "It is in {0}. Processes that run go on; before one is started again, set MIKROCLOUD_MASTER_KEY to what {0} holds, or \
             MIKROCLOUD_MASTER_KEY_FILE to {0}.",
            file.display()
        );
    }
    println!("Back up anew: earlier backups open with the old key only.");
}

/// A line on a terminal that says what is being done.
struct Line(ProgressBar);

impl Line {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    fn show(&self, progress: Progress) {
        match progress {
            Progress::Waiting => self.0.set_message("Waiting for a run that was stopped a moment ago"),
            Progress::Sealing { done, of } => {
                self.0.set_message("Sealing anew");
                self.0.set_length(of as u64);
                self.0.set_position(done as u64);
            }
            Progress::Settling { seconds } => {
                self.0.set_message(format!("Waiting {seconds} s for what was under way"));
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
