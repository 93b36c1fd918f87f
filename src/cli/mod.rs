//! Under construction.
pub mod adapter;
pub mod schema;
