//! Links that let somebody in as a member, on both databases.

use domain::access::{Actor, Origin, Permission, Permissions, Role, RoleRef};
use domain::id::{RoleId, UserId};
use domain::project::Project;
use domain::secret::Secret;
use services::{Added, NewGrantInput, Result, ServiceError};
use store::Store;

use crate::house::{TestHouse, open};

const VIEWER: RoleRef = RoleRef::BuiltIn(Role::Viewer);

/// An installation with a project, and with Hana, who says who is in the team and sees its projects.
struct Office {
    house: TestHouse,
    hana: Actor,
    shop: Project,
}

async fn office(store: Store) -> Office {
    let house = TestHouse::new(store).await;
    let names = ["project-read", "member-read", "member-write"].map(str::to_owned);
    let role: RoleId = house.services.roles().create(&house.owner, "hr", &names).await.unwrap().id;
    let hana = house.member("hana", RoleRef::Custom(role)).await;
    let shop = house.project(&house.owner, "shop").await;
    Office { house, hana, shop }
}

impl Office {
    /// Adds somebody who has no account as viewer; who they are, and the token of their link.
    async fn add(&self, by: &Actor, email: &str) -> Result<(UserId, String)> {
        match self.house.services.members().add(by, email, "", VIEWER).await? {
            Added::Member(member, Some(link)) => Ok((member.user.id, link.expose().to_owned())),
            _ => panic!("there is no mail, and they never signed in"),
        }
    }

    async fn grant(&self, user: UserId, role: Role) {
        let input = NewGrantInput { user, role: RoleRef::BuiltIn(role), project: self.shop.id, environment: None };
        self.house.services.roles().grant(&self.house.owner, input).await.unwrap();
    }

    async fn follow(&self, link: &str) -> Result<()> {
        let origin = Origin::new([203, 0, 113, 8].into(), None, None);
        let password = Secret::new("correct horse battery staple of 1951");
        self.house.services.sessions().sign_in_with_link(link, password, &origin).await.map(drop)
    }
}

fn code<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(ServiceError::Invalid { code, .. }) => code,
        Err(error) => error.code().name(),
    }
}

testkit::on_both_databases! {
    open;

    async fn nobody_gets_a_link_to_what_was_granted_beyond_their_own_rights(store: Store) {
        let office = office(store).await;
        let (nina, _) = office.add(&office.house.owner, "nina@example.org").await.unwrap();
        office.grant(nina, Role::Admin).await;
        assert_eq!(code(office.add(&office.hana, "nina@example.org").await), "TOO_WIDE");
        assert_eq!(code(office.house.services.members().remove(&office.hana, nina).await), "TOO_WIDE", "as for who is removed");
        let (_, link) = office.add(&office.house.owner, "nina@example.org").await.unwrap();
        office.follow(&link).await.unwrap();
    }

    async fn a_link_is_good_for_no_more_than_who_made_it_may_do(store: Store) {
        let office = office(store).await;
        let (nina, link) = office.add(&office.hana, "nina@example.org").await.unwrap();
        office.grant(nina, Role::Admin).await;
        let refused = office.follow(&link).await;
        assert!(matches!(&refused, Err(ServiceError::Unauthenticated(why)) if why.contains("add the address again")), "{refused:?}");
        let (_, of_owner) = office.add(&office.house.owner, "nina@example.org").await.unwrap();
        office.follow(&of_owner).await.unwrap();

        let (oleg, link) = office.add(&office.hana, "oleg@example.org").await.unwrap();
        let services = &office.house.services;
        services.members().set_role(&office.house.owner, oleg, RoleRef::BuiltIn(Role::Owner)).await.unwrap();
        assert_eq!(code(office.follow(&link).await), "UNAUTHENTICATED", "an owner's account");
        services.members().set_role(&office.house.owner, oleg, VIEWER).await.unwrap();
        office.follow(&link).await.unwrap();
    }

    async fn a_link_of_a_key_is_good_for_no_more_than_the_key(store: Store) {
        let office = office(store).await;
        let scopes = Some(Permissions::of(&[Permission::MemberRead, Permission::MemberWrite, Permission::ProjectRead]));
        let key = Actor { scopes, ..office.house.owner.clone() };
        let (nina, link) = office.add(&key, "nina@example.org").await.unwrap();
        let (_, other) = office.add(&key, "oleg@example.org").await.unwrap();
        office.grant(nina, Role::Developer).await;
        assert_eq!(code(office.follow(&link).await), "UNAUTHENTICATED");
        office.follow(&other).await.unwrap();
    }

    async fn a_link_ends_with_the_membership_of_who_made_it(store: Store) {
        let office = office(store).await;
        let (_, link) = office.add(&office.hana, "nina@example.org").await.unwrap();
        office.house.services.members().remove(&office.house.owner, office.hana.user_id).await.unwrap();
        assert_eq!(code(office.follow(&link).await), "UNAUTHENTICATED");
    }
}
