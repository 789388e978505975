//! `mikrocloud.toml`: what is accepted prints and parses back the same, and its commands are words that no shell would take apart.
#![no_main]

use domain::manifest::{Commands, Manifest, split_command};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match Manifest::parse(text) {
    Ok(manifest) => {
        let printed = toml::to_string(&manifest).expect("what was accepted can be printed");
        assert_eq!(Manifest::parse(&printed).as_ref(), Ok(&manifest), "{printed}");
        for command in manifest.build.command.iter().flat_map(Commands::iter) {
            let words = split_command(command).expect("commands were checked");
            assert!(!words.is_empty());
            assert_eq!(shell_words::split(&shell_words::join(&words)).as_ref(), Ok(&words));
        }
    }
    Err(error) => {
        let lines = text.lines().count().max(1) + 1;
        assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error} of {lines} lines");
        assert!(!error.message.is_empty());
    }
});
