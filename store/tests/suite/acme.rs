//! Certificates from an authority.

use chrono::TimeDelta;
use domain::time::now;
use store::{AcmeCertificate, AcmeName, Store};
use uuid::Uuid;

use crate::fixture::write;

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
            assert!(!tx.acme_order_end(&mine, other, 9, past).await?, "it is not its order");
            assert!(tx.acme_order_end(&mine, one, 1, later).await?);
            assert_eq!(tx.acme_order_claim(&mine, one, later).await?, None, "too early after a failure");
            assert!(tx.acme_order_end(&mine, one, 2, past).await?);
            assert_eq!(tx.acme_order_claim(&mine, other, later).await?, Some(2));
            assert!(!tx.acme_order_end(&mine, one, 0, past).await?, "another took over");
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
}
