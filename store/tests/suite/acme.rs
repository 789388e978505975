//! Certificates from an authority.

use chrono::{DateTime, SubsecRound, TimeDelta};
use domain::alert::Alert;
use domain::custom_domain::CustomDomain;
use domain::id::{AlertId, TeamId};
use domain::time::{Timestamp, now};
use store::{AcmeCertificate, AcmeName, AcmeOrderEnd, Store};
use uuid::Uuid;

use crate::fixture::{self, Tenant, write};

fn end(failures: i64, next: Timestamp) -> AcmeOrderEnd {
    AcmeOrderEnd { failures, problem: (failures > 0).then(|| format!("failed {failures} times")), next }
}

fn domain(tenant: &Tenant, name: &str, verified_at: Option<Timestamp>) -> CustomDomain {
    CustomDomain { verified_at, ..fixture::domain(&tenant.environment, name) }
}

/// Adds domains of a tenant's, which are served.
async fn serve(store: &Store, tenant: &Tenant, names: &[&str]) -> Vec<CustomDomain> {
    let domains: Vec<_> = names.iter().map(|name| domain(tenant, name, Some(now()))).collect();
    write(store, async |tx| {
        for domain in &domains {
            tx.domain_insert(domain).await?;
        }
        Ok(())
    })
    .await;
    domains
}

/// Raises an alert on a domain's certificate.
async fn raise(store: &Store, team_id: Option<TeamId>, subject: &str) {
    let (kind, subject, message) = ("certificate_renewal".to_owned(), subject.to_owned(), "no certificate".to_owned());
    let alert = Alert { id: AlertId::new(), team_id, kind, subject, message, raised_at: now(), resolved_at: None };
    write(store, async |tx| {
        assert!(tx.alert_raise(&alert).await?);
        Ok(())
    })
    .await;
}

/// Returns the subjects of a team's unresolved alerts.
async fn lasting(store: &Store, team: TeamId) -> Vec<String> {
    let alerts = store.alert_list(team, true, None, 10).await.unwrap().items;
    let mut lasting: Vec<_> = alerts.into_iter().filter(|alert| alert.resolved_at.is_none()).map(|alert| alert.subject).collect();
    lasting.sort();
    lasting
}

fn name(domains: &str) -> AcmeName {
    AcmeName { directory: "https://authority.example.org/directory".to_owned(), domains: domains.to_owned() }
}

fn certificate(chain: &str) -> AcmeCertificate {
    AcmeCertificate {
        chain: chain.to_owned(),
        sealed: vec![1, 2, 3],
        not_before: now() - TimeDelta::days(1),
        not_after: now() + TimeDelta::days(89),
        stored_at: now(),
    }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn an_acme_certificate_is_that_of_its_names_and_authority(store: Store) {
        let (mine, wider) = (name("a.example.org"), name("a.example.org,b.example.org"));
        assert_eq!(store.acme_certificate_get(&mine).await.unwrap(), None);
        let (first, second) = (certificate("first"), certificate("second"));
        write(&store, async |tx| tx.acme_certificate_put(&mine, &first).await).await;
        assert_eq!(store.acme_certificate_get(&mine).await.unwrap().unwrap().chain, "first");
        write(&store, async |tx| tx.acme_certificate_put(&mine, &second).await).await;
        let renewed = store.acme_certificate_get(&mine).await.unwrap().unwrap();
        assert_eq!((renewed.chain.as_str(), renewed.sealed), ("second", vec![1, 2, 3]));
        assert_eq!(store.acme_certificate_get(&wider).await.unwrap(), None);
        let elsewhere = AcmeName { directory: "https://other.example.org/directory".to_owned(), ..mine };
        assert_eq!(store.acme_certificate_get(&elsewhere).await.unwrap(), None);
    }

    async fn an_acme_account_takes_the_place_of_the_one_before(store: Store) {
        let directory = name("").directory;
        assert_eq!(store.acme_account_get(&directory).await.unwrap(), None);
        for account in [b"first", b"other"] {
            write(&store, async |tx| tx.acme_account_put(&directory, account).await).await;
            assert_eq!(store.acme_account_get(&directory).await.unwrap().as_deref(), Some(&account[..]));
        }
    }

    async fn one_process_has_an_acme_order_at_a_time(store: Store) {
        let (mine, one, other) = (name("a.example.org"), Uuid::new_v4(), Uuid::new_v4());
        let (past, later) = (now() - TimeDelta::seconds(1), now() + TimeDelta::minutes(5));
        write(&store, async |tx| {
            assert_eq!(tx.acme_order_claim(&mine, one, later).await?, Some(0));
            assert_eq!(tx.acme_order_claim(&mine, other, later).await?, None, "it has its lease");
            assert_eq!(tx.acme_order_claim(&name("b.example.org"), other, later).await?, Some(0), "another certificate");
            assert!(!tx.acme_order_end(&mine, other, &end(9, past)).await?, "it is not its order");
            assert!(tx.acme_order_end(&mine, one, &end(1, later)).await?);
            assert_eq!(tx.acme_order_claim(&mine, one, later).await?, None, "too early after a failure");
            assert!(tx.acme_order_end(&mine, one, &end(2, past)).await?);
            assert_eq!(tx.acme_order_claim(&mine, other, later).await?, Some(2));
            assert!(!tx.acme_order_end(&mine, one, &end(0, past)).await?, "another took over");
            tx.acme_order_release(&mine, one).await?;
            assert_eq!(tx.acme_order_claim(&mine, one, later).await?, None, "it was not its to give up");
            tx.acme_order_release(&mine, other).await?;
            assert_eq!(tx.acme_order_claim(&mine, one, later).await?, Some(2), "given up");
            Ok(())
        })
        .await;
    }

    async fn an_acme_challenge_is_shown_until_it_is_over(store: Store) {
        let digest = async || store.acme_challenge_get("a.example.org").await.unwrap();
        assert_eq!(digest().await, None);
        let later = now() + TimeDelta::minutes(5);
        write(&store, async |tx| tx.acme_challenge_put("a.example.org", b"old", later).await).await;
        write(&store, async |tx| tx.acme_challenge_put("a.example.org", b"new", later).await).await;
        assert_eq!(digest().await.as_deref(), Some(&b"new"[..]));
        write(&store, async |tx| tx.acme_challenge_delete("a.example.org").await).await;
        assert_eq!(digest().await, None);
        write(&store, async |tx| tx.acme_challenge_put("a.example.org", b"new", now()).await).await;
        assert_eq!(digest().await, None, "it is over");
    }

    async fn acme_certificates_of_domains_are_listed_while_those_are_served(store: Store) {
        let (tenant, neighbour) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let [b, a, ..] = &serve(&store, &tenant, &["b.example.org", "a.example.org"]).await[..] else { panic!("two") };
        serve(&store, &neighbour, &["c.example.org"]).await;
        write(&store, async |tx| tx.domain_insert(&domain(&tenant, "d.example.org", None)).await).await;
        let AcmeName { directory, .. } = name("");
        let listed = store.acme_domain_list(&directory).await.unwrap();
        assert_eq!(listed.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["a.example.org", "b.example.org", "c.example.org"]);
        assert!(listed.iter().all(|row| (row.failures, row.stored_at, row.leased_until) == (0, None, None)));

        let (stored, runner) = (certificate("chain"), Uuid::new_v4());
        let next = (now() + TimeDelta::minutes(2)).trunc_subsecs(3);
        write(&store, async |tx| {
            let a = name(a.name.as_str());
            tx.acme_certificate_put(&a, &stored).await?;
            assert_eq!(tx.acme_order_claim(&a, runner, next).await?, Some(0));
            assert!(tx.acme_order_end(&a, runner, &end(2, next)).await?);
            // Of another authority.
            let elsewhere = AcmeName { directory: "https://other.example.org/directory".to_owned(), ..name(b.name.as_str()) };
            tx.acme_certificate_put(&elsewhere, &stored).await
        })
        .await;
        let of_project = store.acme_domain_list_of(tenant.id(), tenant.project.id, &directory).await.unwrap();
        assert_eq!(of_project, store.acme_domain_list(&directory).await.unwrap()[..2]);
        let first = &of_project[0];
        assert_eq!((first.failures, first.problem.as_deref()), (2, Some("failed 2 times")));
        assert_eq!((first.leased_until, first.not_after.is_some(), first.stored_at.is_some()), (Some(next), true, true));
        assert_eq!(of_project[1].not_after, None);
        assert_eq!(store.acme_domain_list_of(neighbour.id(), tenant.project.id, &directory).await.unwrap(), []);

        assert!(write(&store, async |tx| tx.domain_delete(tenant.id(), a.id).await).await);
        assert_eq!(store.acme_domain_list_of(tenant.id(), tenant.project.id, &directory).await.unwrap(), of_project[1..]);
    }

    async fn alerts_on_the_certificates_of_domains_end_with_those(store: Store) {
        let (tenant, neighbour) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let kind = "certificate_renewal";
        let domains = serve(&store, &tenant, &["a.example.org", "b.example.org"]).await;
        for (team, subject) in [(Some(tenant.id()), "a.example.org"), (Some(tenant.id()), "b.example.org"), (None, "api")] {
            raise(&store, team, subject).await;
        }
        assert!(!store.alert_outlives_domain(kind).await.unwrap());
        write(&store, async |tx| {
            tx.alert_resolve_without_domain(kind).await?;
            tx.domain_delete(tenant.id(), domains[0].id).await
        })
        .await;
        assert_eq!(lasting(&store, tenant.id()).await, ["a.example.org", "api", "b.example.org"]);
        // It is another team's from now on.
        serve(&store, &neighbour, &["a.example.org"]).await;
        assert!(store.alert_outlives_domain(kind).await.unwrap());
        assert!(!store.alert_outlives_domain("queue_age").await.unwrap());
        write(&store, async |tx| tx.alert_resolve_without_domain(kind).await).await;
        assert!(!store.alert_outlives_domain(kind).await.unwrap());
        assert_eq!(lasting(&store, tenant.id()).await, ["api", "b.example.org"]);
        write(&store, async |tx| tx.alert_resolve_of_teams(kind).await).await;
        assert_eq!(lasting(&store, tenant.id()).await, ["api"]);
    }

    async fn acme_rows_that_are_over_and_that_nobody_tries_to_renew_are_purged(store: Store) {
        let (at, runner) = (now(), Uuid::new_v4());
        let (over, valid) = (at - TimeDelta::hours(1), at + TimeDelta::days(1));
        let (long_ago, lately) = (at - TimeDelta::days(2), at - TimeDelta::minutes(30));
        write(&store, async |tx| {
            for (domains, not_after, tried) in [
                ("over.example.org", Some(over), long_ago),
                ("tried.example.org", Some(over), lately),
                ("valid.example.org", Some(valid), long_ago),
                ("failed.example.org", None, long_ago),
                ("failing.example.org", None, lately),
            ] {
                let name = name(domains);
                if let Some(not_after) = not_after {
                    tx.acme_certificate_put(&name, &AcmeCertificate { not_after, ..certificate("chain") }).await?;
                }
                assert_eq!(tx.acme_order_claim(&name, runner, DateTime::UNIX_EPOCH).await?, Some(0));
                assert!(tx.acme_order_end(&name, runner, &end(1, tried)).await?);
            }
            tx.acme_challenge_put("over.example.org", b"digest", over).await?;
            tx.acme_purge(at).await
        })
        .await;
        let mut kept = Vec::new();
        for domains in ["over.example.org", "tried.example.org", "valid.example.org"] {
            kept.push(store.acme_certificate_get(&name(domains)).await.unwrap().is_some());
        }
        assert_eq!(kept, [false, true, true]);
        let mut failures = Vec::new();
        write(&store, async |tx| {
            for first in ["over", "tried", "valid", "failed", "failing"] {
                failures.extend(tx.acme_order_claim(&name(&format!("{first}.example.org")), runner, valid).await?);
            }
            Ok(())
        })
        .await;
        assert_eq!(failures, [0, 1, 1, 0, 1], "what begins from nothing was purged");
    }
}
