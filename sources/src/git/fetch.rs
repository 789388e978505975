//! From a reference to a commit whose objects are here.

use domain::source::Reference;

use super::SourceError;
use super::command::Git;
use super::error::shown;

/// Messages of Git about a name that is not on the server.
const NO_SUCH_REFERENCE: &[&str] = &["couldn't find remote ref", "not our ref", "invalid refspec"];

/// Messages of servers that provide commits only by a branch's or tag's name.
const NOT_BY_ID: &[&str] = &["does not allow request for unadvertised object", "unadvertised object"];

/// Depth to which a commit's history is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// With its files.
    Files,
    /// The commit alone, from servers that leave out what is not asked for; others send its files as well.
    Commit,
}

/// Makes an empty repository in the target and fetches the one commit that is asked for. Returns its id.
pub(super) async fn fetch(git: &Git, reference: Option<&Reference>, depth: Depth) -> Result<String, SourceError> {
    git.run(&["init", "--quiet"]).await?;
    git.run(&["remote", "add", "origin", git.repository.as_str()]).await?;
    let name = reference.map_or("HEAD", Reference::as_str);
    let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--depth", "1"];
    if depth == Depth::Commit {
        arguments.push("--filter=tree:0");
    }
    arguments.extend(["origin", name]);
    let output = git.try_run(&arguments).await?;
    if output.success {
        return commit(git, "FETCH_HEAD", name).await;
    }
    let says = |parts: &[&str]| parts.iter().any(|part| output.stderr.contains(part));
    let Some(reference) = reference else {
        let empty = says(NO_SUCH_REFERENCE);
        let name = shown(git.repository.as_str());
        return Err(if empty {
            SourceError::Empty(name)
        } else {
            SourceError::from_git(git.repository.as_str(), &output.stderr)
        });
    };
    if says(NOT_BY_ID) || (says(NO_SUCH_REFERENCE) && is_short_id(reference)) {
        return from_history(git, reference).await;
    }
    Err(if says(NO_SUCH_REFERENCE) {
        not_found(git, reference.as_str())
    } else {
        SourceError::from_git(git.repository.as_str(), &output.stderr)
    })
}

/// Fetches all branches and tags with their history and looks for the commit there: for servers that do not give out commits by
/// id, and for ids that are cut short.
async fn from_history(git: &Git, reference: &Reference) -> Result<String, SourceError> {
    let heads = "+refs/heads/*:refs/remotes/origin/*";
    git.run(&["fetch", "--quiet", "--no-tags", "origin", heads, "+refs/tags/*:refs/tags/*"]).await?;
    commit(git, reference.as_str(), reference.as_str()).await
}

async fn commit(git: &Git, revision: &str, name: &str) -> Result<String, SourceError> {
    let output = git.try_run(&["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")]).await?;
    if output.success {
        Ok(output.stdout.trim().to_owned())
    } else if output.stderr.contains("is ambiguous") {
        Err(SourceError::Ambiguous(name.to_owned()))
    } else {
        Err(not_found(git, name))
    }
}

fn not_found(git: &Git, reference: &str) -> SourceError {
    SourceError::ReferenceNotFound { repository: shown(git.repository.as_str()), reference: reference.to_owned() }
}

fn is_short_id(reference: &Reference) -> bool {
    let text = reference.as_str();
    (4..64).contains(&text.len()) && !reference.is_commit() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
