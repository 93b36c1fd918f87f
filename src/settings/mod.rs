//! Floor 3: settings of one node and the text form of what administrators configure.
//!
//! [`Settings`] is one typed tree from compiled-in defaults, a file and the environment; [`participants`] reads the
//! participants' folder. What must be the same on every node (participants, regulations, calendars, schemas, adapters)
//! travels as [`crate::bundle::Files`] and lives in the database as numbered revisions; [`folder`] reads it from disk.

mod attachments;
mod check;
mod console;
pub mod folder;
mod notify;
pub mod participants;
mod plain;
mod traces;
mod tree;

pub use attachments::S3;
use attachments::is_media_type;
pub use check::{Problem, SettingsError};
pub use console::Console;
pub use notify::{Group, Notify, Secret, Smtp, SmtpTls, Webhook};
pub use plain::{PlainSettings, SecretProblem};
pub use traces::Traces;
pub use tree::{
    Agencies, Attachments, Broker, Database, Delivery, Gateway, Limits, Log, LogFormat, Mailbox, Policy, Push, Settings,
};
