//! The integration tests: the built binary and the library against real servers, in one binary that links once.
//!
//! `make test` runs them; alone: `scripts/services run -- cargo test --test it`. Each test takes port 0 and a database
//! or virtual host of its own from [`support`], so that all may run at once.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a panic is how a test says no, and a table of cases is as long as it is"
)]

mod attachments;
mod bench;
mod cases;
mod commands;
mod console;
mod coverage;
mod crash;
mod deadlines;
mod demo;
mod docker;
mod exchange;
mod explain;
mod harness;
mod hostile;
mod metrics;
mod notify;
mod operations;
mod page;
mod plain;
mod readme;
mod reads;
mod refusals;
mod rehearsal;
mod reports;
mod services;
mod signature;
mod simulate;
mod support;
mod traces;
mod transport;
mod world;
