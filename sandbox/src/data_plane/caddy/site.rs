//! A site with its files and its configuration.

use std::collections::{BTreeMap, HashMap};

use http::{HeaderMap, Method};

use super::matcher::Matcher;
use super::parse::{Directive, parse};
use super::serve::Request;
use crate::http::Answer;
use crate::world::Blobs;

/// A request of a visitor.
#[derive(Debug, Clone)]
pub(in crate::data_plane) struct Visitor {
    pub method: Method,
    /// The path, decoded.
    pub path: String,
    /// The query as sent, without its question mark.
    pub query: String,
    pub headers: HeaderMap,
}

/// A site with its files and its configuration.
#[derive(Debug)]
pub(in crate::data_plane) struct CaddySite {
    /// Digests of contents by path, without a slash at the beginning.
    pub(super) files: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
    pub(super) on_error: Vec<Step>,
}

/// Something that is done with a request, if it fits.
#[derive(Debug)]
pub(super) struct Step {
    pub matcher: Option<Matcher>,
    pub action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    /// Ends with this status.
    Error(u16),
    /// Sets, adds to (`+`) or removes (`-`) headers of the answer.
    Header(Vec<(String, String)>),
    Redirect(String, u16),
    Rewrite(String),
    TryFiles(Vec<String>),
    /// Gives the file of the path, with another status than 200.
    FileServer(Option<u16>),
    /// Steps that end the request.
    Handle(Vec<Step>),
}

impl CaddySite {
    /// Reads the configuration of a site; the error is for people.
    pub fn read(configuration: &str, files: &[(String, String)]) -> Result<Self, String> {
        let parsed = parse(configuration)?;
        let site =
            parsed.iter().find(|directive| directive.name.starts_with(':')).ok_or("the Caddyfile has no site such as `:8080`")?;
        let (mut steps, mut on_error) = (Vec::new(), Vec::new());
        for directive in &site.block {
            match directive.name.as_str() {
                "root" | "encode" => {}
                "route" => steps.extend(read_steps(&directive.block)?),
                "handle_errors" => on_error.extend(read_steps(&directive.block)?),
                other => return Err(format!("the directive {other} of the Caddyfile is not simulated outside of `route`")),
            }
        }
        let files = files.iter().filter(|(name, _)| name != super::FILE).cloned().collect();
        Ok(Self { files, steps, on_error })
    }

    /// Answers a visitor.
    pub fn answer(&self, blobs: &Blobs, visitor: &Visitor) -> Answer {
        Request::new(self, visitor).answer(blobs)
    }
}

fn read_steps(block: &[Directive]) -> Result<Vec<Step>, String> {
    let mut matchers = HashMap::new();
    let mut steps = Vec::new();
    for directive in block {
        if directive.name.starts_with('@') {
            matchers.insert(directive.name.as_str(), Matcher::read(directive)?);
            continue;
        }
        let (matcher, arguments) = match directive.arguments.split_first() {
            Some((first, rest)) if first == "*" => (None, rest),
            Some((first, rest)) if first.starts_with('@') => {
                let known =
                    matchers.get(first.as_str()).ok_or_else(|| format!("the matcher {first} of the Caddyfile does not exist"))?;
                (Some(known.clone()), rest)
            }
            _ => (None, directive.arguments.as_slice()),
        };
        steps.push(Step { matcher, action: read_action(directive, arguments)? });
    }
    Ok(steps)
}

fn read_action(directive: &Directive, arguments: &[String]) -> Result<Action, String> {
    let number = |text: &String| text.parse().map_err(|_| format!("{text} is no status"));
    match (directive.name.as_str(), arguments) {
        ("error", [status]) => Ok(Action::Error(number(status)?)),
        ("header", []) => {
            let lines = directive.block.iter().map(|line| (line.name.clone(), line.arguments.join(" ")));
            Ok(Action::Header(lines.collect()))
        }
        ("header", [name, rest @ ..]) => Ok(Action::Header(vec![(name.clone(), rest.join(" "))])),
        ("redir", [target]) => Ok(Action::Redirect(target.clone(), 302)),
        ("redir", [target, status]) => Ok(Action::Redirect(target.clone(), number(status)?)),
        ("rewrite", [target]) => Ok(Action::Rewrite(target.clone())),
        ("try_files", candidates) => Ok(Action::TryFiles(candidates.to_vec())),
        ("file_server", []) => {
            let status = directive.block.iter().find(|line| line.name == "status").and_then(|line| line.arguments.first());
            Ok(Action::FileServer(status.map(number).transpose()?))
        }
        ("handle" | "route", []) => Ok(Action::Handle(read_steps(&directive.block)?)),
        (other, _) => Err(format!("the directive {other} of the Caddyfile is not simulated")),
    }
}
