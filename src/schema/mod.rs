//! What a message must look like, and whether it does.
//!
//! Here live the catalogue of message schemas ([`Catalogue`]), the code lists beside them ([`codes`]), the same validators for
//! partners' own schemas ([`XmlSchema`], [`JsonSchema`]) and the rules that a schema cannot say (check digits, order of dates).
//! Input is a [`Files`](crate::bundle::Files) map and bytes; nothing here touches the file system, the network or a clock.
//!
//! Not here: signatures, envelopes and their limits (size, depth, node count are guarded before a body arrives here, and
//! libxml2's own limits stand behind them), and whether a code's role exists in a regulation.
//!
//! A [`Violation`] names the line, the element and the rule, and never a value: what it says may go to logs and to the sender.

mod catalogue;
pub mod codes;
mod content;
mod data_classes;
mod element;
mod enumerations;
mod json_schema;
mod messages;
mod pool;
mod resolver;
mod snils;
mod violation;
mod wording;
mod xml_schema;

pub use catalogue::{Catalogue, CatalogueError};
pub use data_classes::{ClassedField, Held};
pub use element::element_bytes;
pub use enumerations::OwnList;
pub use json_schema::JsonSchema;
pub use messages::MessageInfo;
pub use snils::snils_is_valid;
pub use violation::{ViolatedRule, Violation};
pub use xml_schema::XmlSchema;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sets;
