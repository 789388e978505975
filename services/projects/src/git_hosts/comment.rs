//! Comment at a pull request about its preview.

use domain::approval::{Approval, ApprovalState};
use domain::deployment::{Deployment, DeploymentStatus};
use domain::git_host::{GitHost, Preview};
use domain::id::PreviewId;
use domain::name::ProjectName;

/// Maximum length of a failure's text in a comment, in characters.
const SHOWN: usize = 500;

/// Content of the comment.
pub(super) struct Comment<'a> {
    pub host: GitHost,
    pub project: &'a ProjectName,
    pub preview: &'a Preview,
    pub deployment: Option<&'a Deployment>,
    pub approval: Option<&'a Approval>,
    pub url: &'a str,
}

/// Returns the invisible mark by which a comment is found again.
pub(super) fn mark(preview: PreviewId) -> String {
    format!("<!-- mikrocloud {preview} -->")
}

impl Comment<'_> {
    /// The comment in Markdown. All in it that others wrote is within code.
    pub fn markdown(&self) -> String {
        let (mark, noun) = (mark(self.preview.id), self.host.request_noun());
        if let Some(because) = &self.preview.closed_because {
            let verb = if self.preview.environment_id.is_some() { "is being removed" } else { "was removed" };
            let again = if because.contains("closed") { "" } else { " New commits bring it back." };
            return format!("{mark}\n**MikroCloud**: the preview of `{}` {verb}, because {because}.{again}\n", self.project);
        }
        let status = self.status();
        let short: String = self.preview.commit_sha.chars().take(12).collect();
        let until = self.preview.expires_at.format("%Y-%m-%d %H:%M UTC");
        let mut text = format!(
            "{mark}\n**MikroCloud** shows this {noun}.\n\n| Project | Status | Preview | Commit |\n| --- | --- | --- | --- |\n\
             | `{}` | {status} | {} | `{short}` |\n\n",
            self.project,
            if self.is_shown() { format!("<{}>", self.url) } else { "not yet".to_owned() },
        );
        if let Some(more) = self.more() {
            text.push_str(&more);
            text.push_str("\n\n");
        }
        text + &format!("It is removed when the {noun} is closed, and on {until} unless there are new commits.\n")
    }

    /// Returns true if the environment serves a deployment, be it of an earlier commit.
    fn is_shown(&self) -> bool {
        self.deployment.is_some_and(|deployment| deployment.status == DeploymentStatus::Live)
    }

    fn waits(&self) -> bool {
        self.approval.is_some_and(|approval| approval.state == ApprovalState::Pending)
    }

    fn status(&self) -> &'static str {
        match self.deployment.map(|deployment| deployment.status) {
            None | Some(DeploymentStatus::Queued) if self.waits() => "Waits for an approval",
            None | Some(DeploymentStatus::Queued) => "Queued",
            Some(DeploymentStatus::Building) => "Building",
            Some(DeploymentStatus::Releasing) => "Releasing",
            Some(DeploymentStatus::Live | DeploymentStatus::Superseded) => "Ready",
            Some(DeploymentStatus::Failed) => "Failed",
            Some(DeploymentStatus::Cancelled) => "Cancelled",
        }
    }

    fn more(&self) -> Option<String> {
        let deployment = self.deployment?;
        if self.waits() {
            return Some(format!(
                "Its commits come from another repository: somebody of the team has to look at them and run `mikrocloud approve {}`.",
                deployment.id
            ));
        }
        let failure = deployment.failure.as_ref()?;
        let message: String = failure.message.chars().take(SHOWN).map(|c| if c == '`' { '\'' } else { c }).collect();
        let message: Vec<_> = message.lines().map(|line| format!("    {line}")).collect();
        Some(message.join("\n"))
    }
}
