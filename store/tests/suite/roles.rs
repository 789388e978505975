//! Roles that teams make, grants, and service accounts.

use std::time::Duration;

use domain::access::{Permission, Permissions, Rights, Role, RoleRef, Target};
use domain::id::{GrantId, UserId};
use domain::team::Membership;
use store::{NewGrant, Store, StoreError};

use crate::fixture::{self, Tenant, refused, write};

async fn member(store: &Store, tenant: &Tenant, role: RoleRef) -> UserId {
    let user = fixture::user();
    write(store, async |tx| {
        tx.user_insert(&user).await?;
        tx.membership_put(&Membership { team_id: tenant.id(), user_id: user.id, role }).await
    })
    .await;
    user.id
}

async fn grant(store: &Store, tenant: &Tenant, user_id: UserId, role: RoleRef, target: Target) -> NewGrant {
    let grant = NewGrant { id: GrantId::new(), user_id, role, target };
    assert!(write(store, async |tx| tx.grant_put(tenant.id(), &grant).await).await);
    grant
}

async fn rights(store: &Store, tenant: &Tenant, user: UserId) -> Rights {
    store.standing_get(tenant.id(), user).await.unwrap().unwrap().rights
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_role_is_read_back_as_written_and_changes_for_all_who_have_it(store: Store) {
        let tenant = Tenant::new(&store).await;
        let role = fixture::role(tenant.id());
        write(&store, async |tx| tx.role_insert(&role).await).await;
        assert_eq!(store.role_get(tenant.id(), role.id).await.unwrap().as_ref(), Some(&role));
        assert_eq!(store.role_list(tenant.id()).await.unwrap(), std::slice::from_ref(&role));
        let error = refused(&store, async |tx| tx.role_insert(&role).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let user = member(&store, &tenant, RoleRef::Custom(role.id)).await;
        let before = rights(&store, &tenant, user).await;
        assert_eq!((before.role, before.permissions), (RoleRef::Custom(role.id), role.permissions));
        let wider = Permissions::of(&[Permission::ProjectRead, Permission::DeploymentWrite]);
        assert!(write(&store, async |tx| tx.role_update(tenant.id(), role.id, "deployer", wider).await).await);
        assert_eq!(rights(&store, &tenant, user).await.permissions, wider);
        assert!(write(&store, async |tx| tx.role_is_used(tenant.id(), role.id).await).await);
        let error = refused(&store, async |tx| tx.role_delete(tenant.id(), role.id).await).await;
        assert!(matches!(error, StoreError::Database(_)), "members have it: {error:?}");
    }

    async fn a_grant_is_read_with_the_member_and_replaced_on_the_same_target(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (project, environment) = (Target::Project(tenant.project.id), Target::from(&tenant.environment));
        let (viewer, developer) = (RoleRef::BuiltIn(Role::Viewer), RoleRef::BuiltIn(Role::Developer));
        let user = member(&store, &tenant, viewer).await;
        assert_eq!(rights(&store, &tenant, user).await, Rights::of(Role::Viewer));
        for role in [viewer, developer] {
            grant(&store, &tenant, user, role, project).await;
            grant(&store, &tenant, user, role, environment).await;
        }
        let found = rights(&store, &tenant, user).await.grants;
        let found: Vec<_> = found.iter().map(|grant| (grant.role, grant.permissions, grant.target)).collect();
        let expected = |target| (developer, Role::Developer.permissions(), target);
        assert_eq!(found, [expected(project), expected(environment)]);
        assert_eq!(store.standing_list(user).await.unwrap().len(), 1, "a row for each grant is one membership");
        assert_eq!(store.member_list(tenant.id()).await.unwrap().len(), 1);
        let id = rights(&store, &tenant, user).await.grants[0].id;
        assert!(write(&store, async |tx| tx.grant_delete(tenant.id(), id).await).await);
        write(&store, async |tx| tx.project_delete(tenant.id(), tenant.project.id).await).await;
        assert_eq!(rights(&store, &tenant, user).await, Rights::of(Role::Viewer), "grants go with what they are on");
    }

    async fn nothing_is_granted_on_the_whole_team_or_on_what_is_anothers(store: Store) {
        let (tenant, other) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let user_id = member(&store, &tenant, RoleRef::BuiltIn(Role::Viewer)).await;
        for target in [
            Target::Team,
            Target::Project(other.project.id),
            Target::Environment(tenant.project.id, other.environment.id),
            Target::Environment(other.project.id, other.environment.id),
        ] {
            let grant = NewGrant { id: GrantId::new(), user_id, role: RoleRef::BuiltIn(Role::Admin), target };
            assert!(!write(&store, async |tx| tx.grant_put(tenant.id(), &grant).await).await, "{target:?}");
        }
        assert_eq!(rights(&store, &tenant, user_id).await.grants, []);
    }

    async fn one_after_the_other_changes_who_may_do_what(store: Store) {
        let tenant = Tenant::new(&store).await;
        let owner = RoleRef::BuiltIn(Role::Owner);
        let owners = [member(&store, &tenant, owner).await, member(&store, &tenant, owner).await];
        assert!(!write(&store, async |tx| tx.team_lock(fixture::team().id).await).await, "there is no such team");
        let mut first = store.begin().await.unwrap();
        assert!(first.team_lock(tenant.id()).await.unwrap());
        let mut second = std::pin::pin!(async {
            let mut tx = store.begin().await.unwrap();
            assert!(tx.team_lock(tenant.id()).await.unwrap());
            tx.owner_count(tenant.id()).await.unwrap()
        });
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut second).await.is_err(), "it waits for the first");
        assert!(first.membership_delete(tenant.id(), owners[0]).await.unwrap());
        first.commit().await.unwrap();
        assert_eq!(second.await, 1, "it sees what the first did");
    }

    async fn a_service_account_that_a_program_of_before_made_owner_is_none(store: Store) {
        let tenant = Tenant::new(&store).await;
        let team_id = tenant.id();
        let maker = member(&store, &tenant, RoleRef::BuiltIn(Role::Admin)).await;
        let account = fixture::user();
        let membership = Membership { team_id, user_id: account.id, role: RoleRef::BuiltIn(Role::Owner) };
        write(&store, async |tx| {
            tx.service_account_insert(&account, maker).await?;
            tx.membership_put(&membership).await
        })
        .await;
        assert_eq!(write(&store, async |tx| tx.owner_count(team_id).await).await, 0);
        assert_eq!(store.owner_get().await.unwrap(), None);
        let person = member(&store, &tenant, RoleRef::BuiltIn(Role::Owner)).await;
        assert_eq!(write(&store, async |tx| tx.owner_count(team_id).await).await, 1);
        assert_eq!(store.owner_get().await.unwrap(), Some(person));
    }

    async fn a_service_account_says_who_made_it(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (maker, account) = (member(&store, &tenant, RoleRef::BuiltIn(Role::Admin)).await, fixture::user());
        let membership = Membership { team_id: tenant.id(), user_id: account.id, role: RoleRef::BuiltIn(Role::Developer) };
        write(&store, async |tx| {
            tx.service_account_insert(&account, maker).await?;
            tx.membership_put(&membership).await
        })
        .await;
        let standing = store.standing_get(tenant.id(), account.id).await.unwrap().unwrap();
        assert_eq!((standing.created_by, standing.rights), (Some(maker), Rights::of(Role::Developer)));
        let made: Vec<_> = store.member_list(tenant.id()).await.unwrap().into_iter().map(|member| member.created_by).collect();
        assert_eq!(made, [None, Some(maker)]);
    }
}
