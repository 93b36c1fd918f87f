//! Typed bodies of the technical messages. Their schemas are in `schemas/technical/<name>/1/`; what is written here keeps them, and
//! reading is as strict.

mod acts;
mod answers;
mod mailbox;
mod ping;
mod reminders;
mod tickets;

pub use acts::OutsideAct;
pub use answers::{FaultReport, Notice, NoticeState, Receipt, RefusedDigest};
pub use mailbox::{AckItem, BatchItem, ITEMS_MAX, MailboxAck, MailboxBatch, MailboxPull};
pub use ping::Ping;
pub use reminders::{DeadlineReminder, ReminderStage};
pub use tickets::{Resource, Ticket, TicketMethod, TicketRequest};

use crate::domain::{Digest, Fault, FaultCode, MessageId, ParticipantId, Technical};
use crate::xml::{Fields, Node, WriteError, Writer, at, only_attributes};

/// A body that the gateway reads and writes itself.
pub trait TechnicalBody: Sized {
    /// Which technical message it is the body of.
    const KIND: Technical;

    /// The body as one XML element.
    ///
    /// # Errors
    /// When a text holds a character that XML cannot carry.
    fn to_xml(&self) -> Result<Vec<u8>, WriteError> {
        let message_type = Self::KIND.message_type();
        let mut w = Writer::new();
        w.start(&message_type.root(), &[("xmlns", &message_type.namespace())]);
        self.write_fields(&mut w);
        w.end();
        w.finish()
    }

    /// Reads the body's element.
    ///
    /// # Errors
    /// [`FaultCode::SchemaInvalid`] with the line and element.
    fn from_node(node: Node<'_>) -> Result<Self, Fault> {
        let message_type = Self::KIND.message_type();
        let (tag, root) = (node.tag_name(), message_type.root());
        if tag.name() != root || tag.namespace() != Some(message_type.namespace().as_str()) {
            return Err(at(node, CODE, format_args!("{root} of {} is expected", message_type.namespace())));
        }
        only_attributes(node, &[], CODE)?;
        let mut fields = Fields::of(node, CODE)?;
        let body = Self::read_fields(&mut fields)?;
        fields.end()?;
        Ok(body)
    }

    /// Writes the elements inside of the root.
    fn write_fields(&self, w: &mut Writer);

    /// Reads the elements inside of the root.
    ///
    /// # Errors
    /// [`FaultCode::SchemaInvalid`] with the line and element.
    fn read_fields(fields: &mut Fields<'_>) -> Result<Self, Fault>;
}

const CODE: FaultCode = FaultCode::SchemaInvalid;
const A_UUID: &str = "a UUID of 36 characters in lower case is needed";
const AN_ID: &str = "a participant id is needed: lower-case Latin letters, digits and hyphens";
const AN_INSTANT: &str = "an instant with its zone is needed, such as 2026-05-06T10:00:00+05:00";
const A_DIGEST: &str = "base64 of the 32 bytes of a SHA-256 is needed";
const A_CODE: &str = "a code is needed: 1 to 60 lower-case Latin letters, digits and hyphens";

fn message_id(text: &str) -> Option<MessageId> {
    MessageId::parse(text).ok()
}

fn participant(text: &str) -> Option<ParticipantId> {
    ParticipantId::parse(text).ok()
}

fn digest(text: &str) -> Option<Digest> {
    Digest::parse_base64(text).ok()
}

/// Codes of faults and reasons, ours and partners'.
fn code(text: &str) -> Option<String> {
    let right = (1..=60).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    right.then(|| text.to_owned())
}
