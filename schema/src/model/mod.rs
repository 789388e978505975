//! The types of the API.

pub mod access;
pub mod account;
pub mod approval;
pub mod audit;
pub mod deployment;
pub mod domain;
pub mod environment;
pub mod event;
pub mod git;
pub mod job;
pub mod notification;
pub mod project;
pub mod schedule;
pub mod team;
