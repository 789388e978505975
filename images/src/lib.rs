#![doc = include_str!("../README.md")]

pub mod assemble;
pub mod base;
pub mod docker_archive;
pub mod layer;
pub mod push;

mod command;
mod digest;
mod evidence;
mod image;
mod manifest;
mod registry;

pub use digest::BlobDigest;
pub use image::{APPLICATION_LAYER, Blob, BlobSource, Image};
pub use manifest::{Architecture, Descriptor, MANIFEST, Manifest};
pub use registry::{Login, NoLogin, Password, Registry};
