//! Host names: what is accepted is one that the DNS carries, has one form, and stands for the same host in a browser.
#![no_main]

use domain::host_name::HostName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name = match text.parse::<HostName>() {
        Ok(name) => name,
        Err(error) => {
            assert!(error.to_string().chars().count() < 200, "{error}");
            return;
        }
    };
    assert!(name.as_str().len() <= 253 && name.as_str().is_ascii() && !name.as_str().contains([' ', '/', ':', '@', '*', '_']));
    assert_eq!(name.as_str().parse::<HostName>().as_ref(), Ok(&name));
    let url = url::Url::parse(&format!("https://{name}/")).expect("a host name makes an address");
    assert_eq!(url.host_str(), Some(name.as_str()));
    if let Some(shown) = name.in_unicode() {
        assert_eq!(shown.parse::<HostName>(), Ok(name));
    }
});
