mod of_domains;

use chrono::TimeDelta;
use instant_acme::{Error, Problem};

use super::order::{OrderError, validity};
use super::renewal::pause;
use super::*;

#[test]
fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_over() {
    assert!(is_due(None, now()));
    let life = TimeDelta::days(90);
    for (days, due) in [(0, false), (59, false), (60, true), (89, true), (100, true)] {
        let not_before = now() - TimeDelta::days(days);
        assert_eq!(is_due(Some((not_before, not_before + life)), now()), due, "{days}");
    }
}

#[test]
fn pauses_double_up_to_an_hour() {
    let minutes: Vec<_> = [1, 2, 3, 6, 7, 8, 1000].into_iter().map(|failures| pause(failures).num_minutes()).collect();
    assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60]);
}

#[test]
fn the_order_of_names_makes_no_other_certificate() {
    let settings = |domains: &[&str]| AcmeSettings {
        domains: domains.iter().map(|&name| name.to_owned()).collect(),
        email: None,
        directory: Url::parse(LETS_ENCRYPT).unwrap(),
        roots: None,
    };
    let name = Wanted::own(&settings(&["b.example.org", "a.example.org", "b.example.org"])).name;
    assert_eq!(name.domains, "a.example.org,b.example.org");
    assert_eq!(name, Wanted::own(&settings(&["a.example.org", "b.example.org"])).name);
}

#[test]
fn the_challenge_certificate_holds_what_the_authority_asked_for() {
    let made = challenge_certificate("a.example.org", &[7; 32]).unwrap();
    // RFC 8737, 3: the extension 1.3.6.1.5.5.7.1.31, critical, around an octet string of 32 bytes.
    let extension = [&[6, 8, 0x2b, 6, 1, 5, 5, 7, 1, 31, 1, 1, 0xff, 4, 34, 4, 32][..], &[7; 32]].concat();
    assert!(made.certificate.windows(extension.len()).any(|part| part == extension));
}

#[test]
fn a_chain_says_how_long_it_lives() {
    let mut params = CertificateParams::new(["a.example.org".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 11, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 30);
    let chain = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let (from, until) = validity(&chain).unwrap();
    assert_eq!((from.to_rfc3339().as_str(), (until - from).num_days()), ("2026-11-01T00:00:00+00:00", 90));
    assert!(validity("nothing").is_err());
}

#[test]
fn roots_that_are_none_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert!(matches!(client::http(Some(b"nothing")), Err(AcmeError::NoRoots)));
}

#[test]
fn who_owns_a_domain_is_told_what_to_do_and_nothing_of_the_inside() {
    let problem = |detail: &str| Problem { detail: Some(detail.to_owned()), ..serde_json::from_str("{}").unwrap() };
    let told = |error: OrderError| error.told();
    let refused = told(OrderError::Authority(Error::Api(problem("CAA forbids it"))));
    assert!(refused.contains("CAA forbids it") && refused.contains("port 443"), "{refused}");
    let odd = told(OrderError::Refused("it met \u{1b}[31m\r\nthere ".to_owned() + &"x".repeat(5000)));
    assert!(odd.contains("it met [31mthere xxx") && odd.chars().count() == 1000, "{odd}");
    let inner = told(OrderError::Service(ServiceError::internal("the password of the database is wrong")));
    assert!(!inner.contains("password"), "{inner}");
    let unreachable = told(OrderError::Authority(Error::Str("10.0.0.7 refuses")));
    assert!(!unreachable.contains("10.0.0.7"), "{unreachable}");
}
