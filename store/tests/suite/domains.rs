//! Domains of teams' own.

use chrono::TimeDelta;
use domain::custom_domain::CustomDomain;
use domain::time::now;
use store::{Store, StoreError};

use crate::fixture::{self, Tenant, refused, write};

/// The same domain, shown to be the team's.
fn verified(domain: &CustomDomain) -> CustomDomain {
    CustomDomain { verified_at: Some(now()), problem: None, next_check_at: None, ..domain.clone() }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_domain_is_read_back_as_written_and_a_team_has_each_name_once(store: Store) {
        let Tenant { team, project, environment, .. } = Tenant::new(&store).await;
        let (shop, blog) = (fixture::domain(&environment, "shop.example"), fixture::domain(&environment, "blog.example"));
        write(&store, async |tx| {
            tx.domain_insert(&shop).await?;
            tx.domain_insert(&blog).await
        })
        .await;
        assert_eq!(store.domain_get(team.id, shop.id).await.unwrap().as_ref(), Some(&shop));
        assert_eq!(store.domain_list(team.id, project.id).await.unwrap(), [blog, shop.clone()]);
        assert_eq!(write(&store, async |tx| tx.domain_count(team.id, project.id).await).await, 2);
        let twice = fixture::domain(&environment, "shop.example");
        let error = refused(&store, async |tx| tx.domain_insert(&twice).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        assert!(write(&store, async |tx| tx.domain_delete(team.id, shop.id).await).await);
        assert!(!write(&store, async |tx| tx.domain_delete(team.id, shop.id).await).await);
        write(&store, async |tx| tx.domain_insert(&twice).await).await;
    }

    async fn one_team_at_a_time_is_served_under_a_name(store: Store) {
        let (one, two) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let (mine, theirs) = (fixture::domain(&one.environment, "shop.example"), fixture::domain(&two.environment, "shop.example"));
        write(&store, async |tx| {
            tx.domain_insert(&mine).await?;
            tx.domain_insert(&theirs).await?;
            assert_eq!(tx.domain_find_served(&mine.name).await?, None);
            assert!(tx.domain_checked(&verified(&mine)).await?);
            Ok(())
        })
        .await;
        let served = write(&store, async |tx| tx.domain_find_served(&mine.name).await).await;
        assert_eq!(served.map(|domain| domain.id), Some(mine.id));
        let error = refused(&store, async |tx| tx.domain_checked(&verified(&theirs)).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        write(&store, async |tx| {
            tx.domain_checked(&mine).await?;
            tx.domain_checked(&verified(&theirs)).await
        })
        .await;
        let served = write(&store, async |tx| tx.domain_find_served(&mine.name).await).await;
        assert_eq!(served.map(|domain| domain.id), Some(theirs.id));
        assert_eq!(store.domain_names_served().await.unwrap(), ["shop.example"]);
        assert_eq!(store.domain_get(two.id(), theirs.id).await.unwrap().unwrap().problem, None);
    }

    async fn a_domain_shows_what_its_environment_shows_from_its_proof_on(store: Store) {
        let Tenant { team, project, environment, deployment } = Tenant::new(&store).await;
        let staging = fixture::environment(&project, "staging");
        let shop = fixture::domain(&environment, "shop.example");
        write(&store, async |tx| {
            tx.environment_insert(&staging).await?;
            tx.domain_insert(&shop).await?;
            tx.local_route_put("shop", (team.id, project.id, environment.id), deployment.id).await
        })
        .await;
        let routes = async || {
            let mut routes = store.local_route_list().await.unwrap();
            routes.sort();
            routes
        };
        let label = ("shop".to_owned(), deployment.id);
        assert_eq!(routes().await, std::slice::from_ref(&label));
        write(&store, async |tx| tx.domain_checked(&verified(&shop)).await).await;
        assert_eq!(routes().await, [label.clone(), ("shop.example".to_owned(), deployment.id)]);
        assert!(write(&store, async |tx| tx.domain_show(team.id, shop.id, staging.id).await).await);
        assert_eq!(routes().await, [label], "nothing is deployed there");
        write(&store, async |tx| tx.environment_delete(team.id, staging.id).await).await;
        assert_eq!(store.domain_list(team.id, project.id).await.unwrap(), []);
    }

    async fn domains_are_due_at_their_time(store: Store) {
        let Tenant { team, environment, .. } = Tenant::new(&store).await;
        let at = now();
        let due = |name: &str, next_check_at| CustomDomain { next_check_at, ..fixture::domain(&environment, name) };
        let never = due("never.example", None);
        let (late, early) = (due("late.example", Some(at + TimeDelta::hours(1))), due("early.example", Some(at - TimeDelta::hours(1))));
        write(&store, async |tx| {
            for domain in [&never, &late, &early] {
                tx.domain_insert(domain).await?;
            }
            Ok(())
        })
        .await;
        assert_eq!(store.domain_list_due(at).await.unwrap(), std::slice::from_ref(&early));
        let all = store.domain_list_due(at + TimeDelta::hours(2)).await.unwrap();
        assert_eq!(all, [early.clone(), late]);
        assert!(write(&store, async |tx| tx.domain_check_at(team.id, early.id, None).await).await);
        assert_eq!(store.domain_list_due(at).await.unwrap(), []);
    }
}
