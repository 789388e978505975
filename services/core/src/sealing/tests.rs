//! Tests that sealed values open only in their own place and with a permitted key.

use proptest::prelude::*;

use super::*;

#[test]
fn a_sealed_value_opens_only_unchanged_in_its_row_and_with_its_key() {
    let key: Key = Zeroizing::new([7; 32]);
    let sealed = seal(&key, b"hunter2", b"var_1").unwrap();
    assert_eq!(open(&key, &sealed, b"var_1").unwrap().as_slice(), b"hunter2");
    assert!(open(&key, &sealed, b"var_2").is_err());
    assert!(open(&Zeroizing::new([8; 32]), &sealed, b"var_1").is_err());
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(open(&key, &changed, b"var_1").is_err(), "byte {place}");
    }
}

#[test]
fn a_master_key_is_read_from_hexadecimal_digits_only() {
    let key = MasterKey::generate();
    let again = MasterKey::from_hex(key.to_hex().expose()).unwrap();
    assert_eq!(Sealer::new(key).fingerprint(), Sealer::new(again).fingerprint());
    for text in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
        assert!(MasterKey::from_hex(text).is_none());
    }
}

#[test]
fn digests_of_secrets_tell_them_apart_in_one_team_only() {
    let (sealer, team) = (Sealer::new(MasterKey::generate()), TeamId::new());
    let digest = sealer.audit_digest(team, &"1234".into());
    assert_eq!(digest, sealer.audit_digest(team, &"1234".into()));
    assert_ne!(digest, sealer.audit_digest(team, &"1235".into()));
    assert_ne!(digest, sealer.audit_digest(TeamId::new(), &"1234".into()));
    assert_ne!(digest, Sealer::new(MasterKey::generate()).audit_digest(team, &"1234".into()));
    assert!(digest.strip_prefix("hmac-sha256:").is_some_and(|digits| digits.len() == 64));
}

proptest! {
    #[test]
    fn no_bytes_make_opening_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(open(&Zeroizing::new([7; 32]), &bytes, b"x").is_err());
    }
}
