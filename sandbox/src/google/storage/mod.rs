//! Cloud Storage: buckets and objects, by the JSON API.

mod buckets;
mod crc32c;
mod objects;
mod upload;

pub(crate) use upload::SESSION;

use super::{Context, Outcome};
use crate::world::{Object, State};

/// Kind of a bucket.
const BUCKET: &str = "storage.buckets";
/// Kind of an object.
pub(crate) const OBJECT: &str = "storage.objects";

/// Answers a call to `storage.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["storage", "v1", "b"] => buckets::collection(context),
        ["storage", "v1", "b", bucket] => buckets::one(context, bucket),
        ["storage", "v1", "b", bucket, "iam"] => buckets::policy(context, bucket),
        ["storage", "v1", "b", bucket, "iam", "testPermissions"] => buckets::test_permissions(context, bucket),
        ["storage", "v1", "b", bucket, "o"] => objects::collection(context, bucket),
        ["storage", "v1", "b", bucket, "o", name] => objects::one(context, bucket, name),
        ["storage", "v1", "b", from, "o", name, "copyTo" | "rewriteTo", "b", to, "o", copy] => {
            objects::copy(context, (from, name), (to, copy), parts[6] == "rewriteTo")
        }
        ["upload", "storage", "v1", "b", bucket, "o"] => upload::answer(context, bucket),
        ["download", "storage", "v1", "b", bucket, "o", name] => objects::download(context, bucket, name),
        _ => Err(context.unknown_method()),
    }
}

/// Key of a bucket.
pub(crate) fn bucket_key(bucket: &str) -> String {
    format!("storage/b/{bucket}")
}

/// Key of an object; its name may have slashes.
fn object_key(bucket: &str, name: &str) -> String {
    format!("storage/b/{bucket}/o/{name}")
}

/// Objects of a bucket whose names begin with a prefix, with their names.
pub(crate) fn objects_below<'a>(state: &'a State, bucket: &str, prefix: &str) -> Vec<(&'a str, &'a Object)> {
    let start = object_key(bucket, "");
    let path = format!("{start}{prefix}");
    let found: Vec<_> = state.google.below(&path).map(|(key, object)| (key.as_str(), object)).collect();
    found.into_iter().map(|(key, object)| (&key[start.len()..], object)).collect()
}

/// Files below a prefix of a bucket, by their paths there, with the digests of their contents.
pub(crate) fn site_files(state: &State, bucket: &str, prefix: &str) -> Vec<(String, String)> {
    let objects = objects_below(state, bucket, prefix).into_iter();
    objects.map(|(name, object)| (name[prefix.len()..].to_owned(), object.secret("blob").to_owned())).collect()
}
