use proptest::prelude::*;

use super::*;
use crate::id::{EnvironmentId, GrantId, ProjectId};

fn actor(rights: Rights, scopes: Option<Permissions>) -> Actor {
    let credential = Credential::Session(SessionId::new());
    Actor {
        user_id: UserId::new(),
        team_id: TeamId::new(),
        rights: Arc::new(rights),
        scopes,
        credential,
        expires_at: None,
        origin: None,
    }
}

fn grant(role: Role, target: Target) -> Grant {
    Grant { id: GrantId::new(), role: RoleRef::BuiltIn(role), permissions: role.permissions(), target }
}

fn nobody() -> Rights {
    Rights { permissions: Permissions::NONE, ..Rights::of(Role::Viewer) }
}

fn with(rights: Rights, grants: Vec<Grant>) -> Rights {
    Rights { grants, ..rights }
}

fn bound(rights: Rights, by: Rights) -> Rights {
    Rights { bound: Some(Box::new(Bound { user_id: UserId::new(), rights: by })), ..rights }
}

fn names(permissions: Permissions) -> String {
    if permissions.is_empty() { "-".to_owned() } else { permissions.names().join(" ") }
}

#[test]
fn the_table_of_roles() {
    let row = |role: Role| format!("{}: {}", role.name(), names(actor(Rights::of(role), None).permissions(Target::Team)));
    let table: Vec<String> = Role::ALL.into_iter().map(row).collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    owner: project-read project-write project-delete deployment-write variable-read variable-write member-read member-write api-key-write job-write deployment-approve audit-read cloud-read cloud-write
    admin: project-read project-write project-delete deployment-write variable-read variable-write member-read member-write api-key-write job-write deployment-approve audit-read cloud-read cloud-write
    developer: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
    viewer: project-read member-read
    ");
}

#[test]
fn the_table_of_decisions() {
    let (shop, blog) = (ProjectId::new(), ProjectId::new());
    let (production, preview) = (EnvironmentId::new(), EnvironmentId::new());
    let on_shop = grant(Role::Developer, Target::Project(shop));
    let on_preview = grant(Role::Developer, Target::Environment(shop, preview));
    let reading = Permissions::of(&[Permission::ProjectRead]);
    let deploying = Permissions::of(&[Permission::DeploymentWrite]);
    let actors = [
        ("nobody", actor(nobody(), None)),
        ("viewer", actor(Rights::of(Role::Viewer), None)),
        ("viewer, developer on shop", actor(with(Rights::of(Role::Viewer), vec![on_shop]), None)),
        ("viewer, developer on shop's preview", actor(with(Rights::of(Role::Viewer), vec![on_preview]), None)),
        ("nobody, developer on shop's preview", actor(with(nobody(), vec![on_preview]), None)),
        ("developer, key to read", actor(Rights::of(Role::Developer), Some(reading))),
        ("viewer, key to deploy", actor(Rights::of(Role::Viewer), Some(deploying))),
        ("admin account of a viewer", actor(bound(Rights::of(Role::Admin), Rights::of(Role::Viewer)), None)),
        ("admin account of a preview developer", actor(bound(Rights::of(Role::Admin), with(nobody(), vec![on_preview])), None)),
        ("owner, key without scopes", actor(Rights::of(Role::Owner), Some(Permissions::NONE))),
    ];
    let targets = [
        ("team", Target::Team),
        ("blog", Target::Project(blog)),
        ("shop", Target::Project(shop)),
        ("shop/production", Target::Environment(shop, production)),
        ("shop/preview", Target::Environment(shop, preview)),
    ];
    let mut table = Vec::new();
    for (who, actor) in &actors {
        table.push((*who).to_owned());
        table.extend(targets.map(|(what, target)| format!("  {what}: {}", names(actor.permissions(target)))));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    nobody
      team: -
      blog: -
      shop: -
      shop/production: -
      shop/preview: -
    viewer
      team: project-read member-read
      blog: project-read member-read
      shop: project-read member-read
      shop/production: project-read member-read
      shop/preview: project-read member-read
    viewer, developer on shop
      team: project-read member-read
      blog: project-read member-read
      shop: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
      shop/production: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
      shop/preview: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
    viewer, developer on shop's preview
      team: project-read member-read
      blog: project-read member-read
      shop: project-read member-read
      shop/production: project-read member-read
      shop/preview: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
    nobody, developer on shop's preview
      team: -
      blog: -
      shop: -
      shop/production: -
      shop/preview: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
    developer, key to read
      team: project-read
      blog: project-read
      shop: project-read
      shop/production: project-read
      shop/preview: project-read
    viewer, key to deploy
      team: -
      blog: -
      shop: -
      shop/production: -
      shop/preview: -
    admin account of a viewer
      team: project-read member-read
      blog: project-read member-read
      shop: project-read member-read
      shop/production: project-read member-read
      shop/preview: project-read member-read
    admin account of a preview developer
      team: -
      blog: -
      shop: -
      shop/production: -
      shop/preview: project-read project-write deployment-write variable-read variable-write member-read api-key-write cloud-read
    owner, key without scopes
      team: -
      blog: -
      shop: -
      shop/production: -
      shop/preview: -
    ");
}

#[test]
fn names_and_permissions_match_both_ways() {
    for permission in Permission::ALL {
        assert_eq!(Permission::from_name(permission.name()), Some(permission));
        assert_eq!(serde_json::to_value(Permissions::of(&[permission])).unwrap(), serde_json::json!([permission.name()]));
    }
}

#[test]
fn a_name_of_a_later_release_allows_nothing() {
    let read: Permissions = serde_json::from_str(r#"["project-read", "planet-destroy"]"#).unwrap();
    assert_eq!(read, Permissions::of(&[Permission::ProjectRead]));
    assert!(serde_json::from_str::<Permissions>(r#"{"project-read": true}"#).is_err());
}

fn permissions() -> impl Strategy<Value = Permissions> {
    any::<u32>().prop_map(|bits| {
        Permission::ALL.into_iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0).map(|(_, one)| one).collect()
    })
}

/// Targets among three projects with three environments each, so that they meet.
fn target() -> impl Strategy<Value = Target> {
    let id = |number: u128| uuid::Uuid::from_u128(number + 1);
    (0..3_u128, 0..3_u128, 0..3_u8).prop_map(move |(project, environment, kind)| match kind {
        0 => Target::Team,
        1 => Target::Project(id(project).into()),
        _ => Target::Environment(id(project).into(), id(100 + project * 3 + environment).into()),
    })
}

fn rights() -> impl Strategy<Value = Rights> {
    let granted =
        (permissions(), target()).prop_map(|(permissions, target)| Grant { permissions, ..grant(Role::Viewer, target) });
    (permissions(), proptest::collection::vec(granted, 0..4)).prop_map(|(permissions, grants)| Rights {
        permissions,
        grants,
        ..Rights::of(Role::Viewer)
    })
}

proptest! {
    #[test]
    fn a_grant_changes_nothing_outside_its_target(rights in rights(), more in permissions(), on in target(), asked in target()) {
        let before = actor(rights.clone(), None).permissions(asked);
        let mut wider = rights;
        wider.grants.push(Grant { permissions: more, ..grant(Role::Viewer, on) });
        let after = actor(wider, None).permissions(asked);
        prop_assert_eq!(after, if on.covers(asked) { before | more } else { before });
    }

    #[test]
    fn scopes_only_narrow(rights in rights(), scopes in permissions(), asked in target()) {
        let whole = actor(rights.clone(), None).permissions(asked);
        prop_assert_eq!(actor(rights, Some(scopes)).permissions(asked), whole & scopes);
    }

    #[test]
    fn a_service_account_never_exceeds_who_made_it(own in rights(), by in rights(), asked in target()) {
        let (account, maker) = (actor(own.clone(), None).permissions(asked), actor(by.clone(), None).permissions(asked));
        prop_assert_eq!(actor(bound(own, by), None).permissions(asked), account & maker);
    }

    #[test]
    fn what_may_be_done_to_a_whole_may_be_done_to_its_parts(rights in rights(), whole in target(), part in target()) {
        prop_assume!(whole.covers(part));
        let actor = actor(rights, None);
        prop_assert!(actor.permissions(whole).without(actor.permissions(part)).is_empty());
    }

    #[test]
    fn who_may_do_nothing_somewhere_may_nowhere(
        own in rights(),
        by in proptest::option::of(rights()),
        permission in 0..Permission::ALL.len(),
        asked in target(),
    ) {
        let rights = match by {
            Some(by) => bound(own, by),
            None => own,
        };
        let (actor, permission) = (actor(rights, None), Permission::ALL[permission]);
        prop_assert!(actor.may_somewhere(permission) || !actor.may(permission, asked));
    }
}
