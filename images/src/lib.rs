#![doc = include_str!("../README.md")]

pub mod assemble;
pub mod docker_archive;
pub mod layer;
pub mod push;

mod base;
mod collection;
mod command;
mod digest;
mod evidence;
mod image;
mod manifest;
mod refusal;
mod registry;

pub use base::{Base, BaseName};
pub use collection::Collection;
pub use digest::BlobDigest;
pub use evidence::{Evidence, Runtime};
pub use image::{APPLICATION_LAYER, Blob, BlobSource, Image};
pub use manifest::{Architecture, Descriptor, MANIFEST, Manifest};
pub use registry::{Login, Registry};
