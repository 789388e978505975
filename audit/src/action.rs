/// Effect of an action on its target, in the terms by which other tools sort events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Something new is there.
    Create,
    /// Something was looked at.
    Read,
    /// Something is different.
    Update,
    /// Something is gone.
    Delete,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $activity:ident;)*) => {
        /// Actions that the log can contain.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in entries, such as `project.create`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the action's effect on its target.
            pub const fn activity(self) -> Activity {
                match self {
                    $(Self::$variant => Activity::$activity,)*
                }
            }
        }
    };
}

actions! {
    /// The master key of the installation was replaced by another.
    MasterKeyRotate = "master_key.rotate", Update;
    /// A team was made.
    TeamCreate = "team.create", Create;
    /// A team was given another name.
    TeamUpdate = "team.update", Update;
    /// A project was created.
    ProjectCreate = "project.create", Create;
    /// A project was changed.
    ProjectUpdate = "project.update", Update;
    /// The deletion of a project was begun.
    ProjectDelete = "project.delete", Delete;
    /// An environment is protected, or no longer.
    EnvironmentProtect = "environment.protect", Update;
    /// The deletion of an environment was begun.
    EnvironmentDelete = "environment.delete", Delete;
    /// A domain was added to an environment.
    DomainAdd = "domain.add", Create;
    /// A domain shows another environment.
    DomainUpdate = "domain.update", Update;
    /// The DNS showed that a domain is the team's: it is served.
    DomainVerify = "domain.verify", Update;
    /// Another team showed that a domain is theirs: it is served for them.
    DomainLose = "domain.lose", Update;
    /// A domain was removed.
    DomainRemove = "domain.remove", Delete;
    /// An account at a vendor of clouds was connected.
    CloudConnect = "cloud.connect", Create;
    /// A cloud account got another credential, region or place among the others.
    CloudUpdate = "cloud.update", Update;
    /// A look at a cloud account was asked for.
    CloudVerify = "cloud.verify", Update;
    /// A cloud account was disconnected.
    CloudDisconnect = "cloud.disconnect", Delete;
    /// A project's repository at a Git host was connected.
    GitConnect = "git.connect", Create;
    /// A connection to a Git host was changed.
    GitUpdate = "git.update", Update;
    /// A project's repository is no longer connected.
    GitDisconnect = "git.disconnect", Delete;
    /// An installation of the GitHub App was given to a team, or taken from it.
    GitAssign = "git.assign", Update;
    /// The preview of a pull request ends.
    PreviewClose = "preview.close", Delete;
    /// Environment variables were set.
    VariableSet = "variable.set", Update;
    /// An environment variable was unset.
    VariableUnset = "variable.unset", Delete;
    /// A directory was uploaded.
    UploadCreate = "upload.create", Create;
    /// A deployment was asked for.
    DeploymentTrigger = "deployment.trigger", Create;
    /// The promotion of a deployment was asked for.
    DeploymentPromote = "deployment.promote", Create;
    /// A rollback was asked for.
    DeploymentRollback = "deployment.rollback", Create;
    /// A deployment was cancelled.
    DeploymentCancel = "deployment.cancel", Update;
    /// A deployment was approved.
    DeploymentApprove = "deployment.approve", Update;
    /// A deployment was rejected.
    DeploymentReject = "deployment.reject", Update;
    /// A schedule was made.
    ScheduleCreate = "schedule.create", Create;
    /// A schedule was put in force or out of force.
    ScheduleEnable = "schedule.enable", Update;
    /// A schedule was deleted.
    ScheduleDelete = "schedule.delete", Delete;
    /// A notification channel was made.
    ChannelCreate = "notification-channel.create", Create;
    /// A notification channel was changed.
    ChannelUpdate = "notification-channel.update", Update;
    /// A notification channel was put in use or disabled.
    ChannelEnable = "notification-channel.enable", Update;
    /// A notification channel was given another secret.
    ChannelRotate = "notification-channel.rotate-secret", Update;
    /// Something was sent to a notification channel to try it.
    ChannelTest = "notification-channel.test", Update;
    /// Notifications were sent once more.
    ChannelReplay = "notification-channel.replay", Update;
    /// A notification channel was deleted.
    ChannelDelete = "notification-channel.delete", Delete;
    /// A dead job was given its attempts again.
    JobRetry = "job.retry", Update;
    /// A job was cancelled.
    JobDiscard = "job.discard", Update;
    /// It was changed how a queue is run.
    QueueUpdate = "queue.update", Update;
    /// An API key was made.
    ApiKeyCreate = "api-key.create", Create;
    /// An API key was revoked.
    ApiKeyRevoke = "api-key.revoke", Delete;
    /// Somebody was added to the team.
    MemberAdd = "member.add", Create;
    /// An invitation was taken back.
    InvitationRevoke = "invitation.revoke", Delete;
    /// Somebody joined the team.
    InvitationAccept = "invitation.accept", Update;
    /// Somebody does not want to join the team.
    InvitationDecline = "invitation.decline", Update;
    /// A service account was made.
    ServiceAccountCreate = "service-account.create", Create;
    /// A member was given another role.
    MemberSetRole = "member.set-role", Update;
    /// Somebody was taken out of the team.
    MemberRemove = "member.remove", Delete;
    /// A role was made.
    RoleCreate = "role.create", Create;
    /// A role was changed.
    RoleUpdate = "role.update", Update;
    /// A role was deleted.
    RoleDelete = "role.delete", Delete;
    /// A role was granted on a part of the team.
    GrantCreate = "grant.create", Create;
    /// A grant was taken back.
    GrantRevoke = "grant.revoke", Delete;
    /// Somebody signed in.
    SignIn = "sign-in.done", Create;
    /// Sign-in is refused for a while because of many failed attempts in a row.
    SignInThrottle = "sign-in.throttle", Create;
    /// Somebody signed out.
    SignOut = "session.sign-out", Delete;
    /// Somebody ended another of their sessions.
    SessionRevoke = "session.revoke", Delete;
    /// A refresh token was used twice; its session was ended.
    TokenReuse = "session.token-reuse", Delete;
    /// Somebody ended all their sessions and signed all their command lines out.
    SignOutEverywhere = "session.sign-out-everywhere", Delete;
    /// A command line was let in.
    DeviceApprove = "session.device-approve", Create;
    /// Somebody's password was set or changed.
    PasswordChange = "account.password-change", Update;
    /// A second factor is asked for from now on.
    SecondFactorEnable = "account.second-factor-enable", Update;
    /// A second factor is asked for no longer.
    SecondFactorDisable = "account.second-factor-disable", Update;
    /// The recovery codes were replaced.
    RecoveryCodesRenew = "account.recovery-codes-renew", Update;
    /// A recovery code was used.
    RecoveryCodeUse = "account.recovery-code-use", Update;
    /// An account of a provider can sign somebody in.
    IdentityLink = "account.identity-link", Create;
    /// An account of a provider can sign somebody in no longer.
    IdentityUnlink = "account.identity-unlink", Delete;
    /// The log was exported.
    AuditExport = "audit.export", Read;
    /// Entries that are older than is kept were deleted.
    AuditExpire = "audit.expire", Delete;
}

impl Action {
    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}
