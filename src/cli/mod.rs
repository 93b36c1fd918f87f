//! The command line: one file a command.

pub mod deadline_compute;
pub mod schema;
