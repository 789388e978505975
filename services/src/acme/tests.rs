use chrono::TimeDelta;
use domain::time::now;

use super::order::validity;
use super::renewal::pause;
use super::*;

fn issued(lives: TimeDelta, age: TimeDelta) -> Issued {
    let not_before = now() - age;
    Issued { chain: String::new(), key: Zeroizing::default(), not_before, not_after: not_before + lives, stored_at: not_before }
}

#[test]
fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_over() {
    assert!(is_due(None, now()));
    let life = TimeDelta::days(90);
    for (days, due) in [(0, false), (59, false), (60, true), (89, true), (100, true)] {
        assert_eq!(is_due(Some(&issued(life, TimeDelta::days(days))), now()), due, "{days}");
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
    let name = name_of(&settings(&["b.example.org", "a.example.org", "b.example.org"]));
    assert_eq!(name.domains, "a.example.org,b.example.org");
    assert_eq!(name, name_of(&settings(&["a.example.org", "b.example.org"])));
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
