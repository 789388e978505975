//! The functions of one deployment, in front of their site.

use std::sync::Arc;
use std::time::Duration;

use domain::workload::FunctionSet;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio_util::task::TaskTracker;

use super::function::FunctionRuntime;
use crate::edge::body::EdgeBody;
use crate::edge::page::Page;
use crate::edge::proxy::Outgoing;
use crate::edge::shared::Place;
use crate::edge::site::StaticRuntime;

/// Functions as a workload.
pub(crate) struct FunctionGroup {
    place: Arc<Place>,
    functions: Vec<Arc<FunctionRuntime>>,
    site: Option<StaticRuntime>,
    tasks: TaskTracker,
}

impl FunctionGroup {
    /// The functions of this place.
    pub fn new(place: Arc<Place>, spec: &FunctionSet) -> Self {
        let tasks = TaskTracker::new();
        let mut functions: Vec<_> = spec
            .functions
            .iter()
            .map(|function| FunctionRuntime::new(Arc::clone(&place), function.clone(), spec, tasks.clone()))
            .collect();
        // The longest route is the most exact one.
        functions.sort_by_key(|function| std::cmp::Reverse(function.function.route.len()));
        let site = spec.site.as_ref().map(|site| StaticRuntime::new(Arc::clone(&place), &site.root, hidden(spec, &site.root)));
        Self { place, functions, site, tasks }
    }

    /// The function for this path.
    fn find(&self, path: &str) -> Option<&Arc<FunctionRuntime>> {
        self.functions.iter().find(|function| function.answers(path, self.site.is_some()))
    }

    /// Answers a request that is for a function.
    pub async fn call(&self, path: &str, outgoing: Outgoing) -> Response<EdgeBody> {
        match self.find(path) {
            Some(function) => function.call(outgoing).await,
            None => self.file(&outgoing.method, &outgoing.uri, &outgoing.headers).await,
        }
    }

    /// Answers a request that no function answers.
    pub async fn file(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response<EdgeBody> {
        let Some(site) = &self.site else {
            return Page::new(StatusCode::NOT_FOUND, "no function answers this path").response(headers);
        };
        match site.site_or_page().await {
            Ok(site) => site.respond(method, uri, headers).await,
            Err(page) => page.response(headers),
        }
    }

    /// Starts every function once and opens the site, and observes how that went.
    pub async fn check(&self) {
        if let Some(site) = &self.site
            && let Err(error) = site.prepare().await
        {
            return if error.is_retryable {
                self.place.status.pending(error.message);
            } else {
                self.place.status.failed(error.code, error.message);
            };
        }
        for function in &self.functions {
            if let Err(failure) = function.check().await {
                // What it printed is there for whoever hears of the failure.
                self.place.logs.flush(Duration::from_secs(1)).await;
                return if failure.is_retryable {
                    self.place.status.pending(failure.message);
                } else {
                    self.place.status.failed(failure.code, failure.message);
                };
            }
        }
        self.place.ready();
    }

    /// The site behind the functions.
    pub fn site(&self) -> Option<&StaticRuntime> {
        self.site.as_ref()
    }

    /// Waits until no process is left. It must have been told to retire.
    pub async fn gone(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.place.logs.flush(Duration::from_secs(2)).await;
    }
}

/// Source files of functions that would otherwise be served with the site: each file, and the directory by which it was found.
fn hidden(spec: &FunctionSet, root: &str) -> Vec<String> {
    let root = root.trim_matches('/');
    let within = |file: &str| match root {
        "" => Some(file.to_owned()),
        root => file.strip_prefix(root)?.strip_prefix('/').map(str::to_owned),
    };
    let files = spec.functions.iter().filter_map(|function| within(&function.file));
    let mut hidden: Vec<String> =
        files.map(|file| if file.starts_with("functions/") { "functions".to_owned() } else { file }).collect();
    hidden.sort();
    hidden.dedup();
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::workload::{Function, Runtime};

    #[test]
    fn sources_of_functions_are_not_part_of_the_site() {
        let function = |file: &str| Function { route: "/x".into(), file: file.into(), runtime: Runtime::Node };
        let functions = vec![function("functions/a.js"), function("functions/b.js"), function("api.py"), function("dist/c.js")];
        let spec = FunctionSet { functions, site: None, env: Vec::new(), memory_mib: 1, timeout_seconds: 1, concurrency: 1 };
        assert_eq!(hidden(&spec, ""), ["api.py", "dist/c.js", "functions"]);
        assert_eq!(hidden(&spec, "dist"), ["c.js"]);
        assert_eq!(hidden(&spec, "dis"), Vec::<String>::new());
    }
}
