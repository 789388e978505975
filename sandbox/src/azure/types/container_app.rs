//! Container apps and their revisions, as types of the resource manager.

use crate::azure::container_apps as apps;
use crate::azure::kind::{Change, Kind};

/// Container apps: `Microsoft.App/containerApps`.
pub(in crate::azure) const CONTAINER_APP: Kind = Kind {
    name: "Microsoft.App/containerApps",
    create: Change::asynchronous(201),
    update: Change::asynchronous(200),
    patch: Change::location(202, false),
    delete: Change::location(202, false),
    busy: "InProgress",
    locked: "ContainerAppOperationInProgress",
    check: apps::check,
    outputs: apps::outputs,
    after: apps::make_revision,
    settle: apps::settle,
    action: apps::action,
    ..Kind::PLAIN
};

/// Revisions of container apps, which their app makes.
pub(in crate::azure) const REVISION: Kind = Kind {
    name: apps::REVISION,
    located: false,
    read_only: true,
    settle: apps::settle_revision,
    action: apps::revision_action,
    ..Kind::PLAIN
};
