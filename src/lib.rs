//! `mezhved`: an interagency message-exchange gateway for social support.
//!
//! The modules are floors of a house; each imports only from earlier ones. `docs/architecture.md` has the map and
//! `tests/architecture.rs` holds the order.

// Floor 1
pub mod domain;
// Floor 2: pure; bytes, data and `now` go in, values and faults come out
pub mod access;
pub mod adapter;
pub mod body;
pub mod bundle;
pub mod crypto;
pub mod deadline;
pub mod envelope;
pub mod report;
pub mod retry;
pub mod schema;
pub mod xml;
// Floor 3
pub mod settings;
// Floor 4
pub mod client;
pub mod store;
pub mod vault;
// Floor 5
pub mod transport;
// Floor 6
pub mod gateway;
// Floor 7
pub mod api;
pub mod console;
// Floor 8
pub mod app;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod simulate;
pub mod system;
