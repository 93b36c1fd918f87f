//! XML: the bounded reader, the exclusive canonical form, and the one writer.
//!
//! Here live the rules that every document from outside must keep before anything else looks at it. Signatures are in
//! [`crate::envelope`], schemas in [`crate::schema`]. Nothing here does I/O, and no work here grows the stack with the input.

mod canonical;
mod fields;
mod read;
mod scan;
mod write;

pub use canonical::{Sink, canonical, canonical_bytes};
pub use fields::{Fields, at, attribute, base64_bytes, instant, is_ncname, only_attributes, text};
pub use read::{Document, Limits, read};
pub use write::{WriteError, Writer};

/// A node of a [`Document`].
pub type Node<'a> = roxmltree::Node<'a, 'a>;
