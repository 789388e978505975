//! Access tokens: one that is changed in any way, or that is not ours, lets nobody in.
#![no_main]

use std::cell::OnceCell;

use fuzz::Installation;
use libfuzzer_sys::fuzz_target;
use services::ServiceError;
use tokio::runtime::{Builder, Runtime};

thread_local! { static STARTED: OnceCell<(Runtime, Installation, String)> = const { OnceCell::new() }; }

fn start() -> (Runtime, Installation, String) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (installation, token) = runtime.block_on(async {
        let installation = Installation::start().await;
        let token = installation.access_token().await.expose().to_owned();
        assert!(installation.services.authenticate(&token, None).await.is_ok());
        (installation, token)
    });
    (runtime, installation, token)
}

/// Returns the token to try: the text itself, or a good token after some changes, each a place and a byte.
fn tried(data: &[u8], token: &str) -> Option<String> {
    let (form, rest) = data.split_first()?;
    if form % 4 == 0 {
        return String::from_utf8(rest.to_vec()).ok();
    }
    let mut bytes = token.as_bytes().to_vec();
    for change in rest.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        match form % 4 {
            1 => *bytes.get_mut(place % token.len())? ^= change[2] & 0x7f,
            2 => bytes.insert(place % (bytes.len() + 1), change[2] & 0x7f),
            _ if bytes.is_empty() => return None,
            _ => drop(bytes.remove(place % bytes.len())),
        }
    }
    String::from_utf8(bytes).ok()
}

fuzz_target!(|data: &[u8]| {
    STARTED.with(|started| {
        let (runtime, installation, token) = started.get_or_init(start);
        let Some(tried) = tried(data, token).filter(|tried| tried != token) else { return };
        match runtime.block_on(installation.services.authenticate(&tried, None)) {
            Ok(actor) => panic!("{tried} lets {} in", actor.user_id),
            Err(error) => assert!(matches!(error, ServiceError::Unauthenticated(_)), "{error}"),
        }
    });
});
