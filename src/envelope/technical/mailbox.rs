//! The mailbox: pull, batch, ack.

use crate::domain::{DeliveryId, Fault, Technical, Timestamp};
use crate::xml::{Fields, Writer, at, base64_bytes, instant, only_attributes};

use super::{A_UUID, AN_INSTANT, CODE, TechnicalBody};

/// How many messages one pull, batch or ack may name.
pub const ITEMS_MAX: u32 = 100;

const BASE64: &str = "base64 is needed";

/// Asks for what waits in the mailbox. The pull's id is the envelope's MessageId.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxPull {
    /// How many messages at most, 1 to 100.
    pub messages_max: u32,
}

impl TechnicalBody for MailboxPull {
    const KIND: Technical = Technical::MailboxPull;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("messagesMax", &self.messages_max.to_string());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let number =
            |t: &str| t.parse().ok().filter(|n| (1..=ITEMS_MAX).contains(n) && t.bytes().all(|b| b.is_ascii_digit()));
        Ok(Self { messages_max: f.parsed("messagesMax", "a whole number from 1 to 100 is needed", number)? })
    }
}

/// One message of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// The delivery, to be named in the ack.
    pub delivery_id: DeliveryId,
    /// The signed envelope, exact bytes.
    pub envelope: Vec<u8>,
}

/// The answer to a pull: an XML body of its own, not a `Payload`, so that its schema can be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxBatch {
    /// Until when nobody else gets these messages.
    pub lease_until: Timestamp,
    /// The messages; none when the mailbox is empty.
    pub items: Vec<BatchItem>,
}

impl TechnicalBody for MailboxBatch {
    const KIND: Technical = Technical::MailboxBatch;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("leaseUntil", &self.lease_until.to_string());
        for item in &self.items {
            write_item(w, item.delivery_id, "envelope", &item.envelope);
        }
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let lease_until = f.parsed("leaseUntil", AN_INSTANT, instant)?;
        let items = read_items(f, "envelope")?;
        let items = items.into_iter().map(|(delivery_id, envelope)| BatchItem { delivery_id, envelope }).collect();
        Ok(Self { lease_until, items })
    }
}

/// One answer of an ack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckItem {
    /// The delivery of the batch.
    pub delivery_id: DeliveryId,
    /// The participant's signed envelope with a receipt or a fault, exact bytes.
    pub answer: Vec<u8>,
}

/// Answers for what was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxAck {
    /// The answers, at least one.
    pub items: Vec<AckItem>,
}

impl TechnicalBody for MailboxAck {
    const KIND: Technical = Technical::MailboxAck;

    fn write_fields(&self, w: &mut Writer) {
        for item in &self.items {
            write_item(w, item.delivery_id, "answer", &item.answer);
        }
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let items = read_items(f, "answer")?;
        if items.is_empty() {
            return Err(f.wrong("MailboxAck", "at least one item is needed"));
        }
        Ok(Self { items: items.into_iter().map(|(delivery_id, answer)| AckItem { delivery_id, answer }).collect() })
    }
}

fn write_item(w: &mut Writer, delivery_id: DeliveryId, name: &str, bytes: &[u8]) {
    w.start("item", &[]);
    w.leaf("deliveryId", &delivery_id.to_string());
    w.base64(name, &[], bytes);
    w.end();
}

fn read_items(f: &mut Fields<'_>, name: &str) -> Result<Vec<(DeliveryId, Vec<u8>)>, Fault> {
    let mut items = Vec::new();
    while let Some(node) = f.optional("item") {
        if u32::try_from(items.len()).is_ok_and(|n| n >= ITEMS_MAX) {
            return Err(at(node, CODE, format_args!("more than {ITEMS_MAX} items")));
        }
        only_attributes(node, &[], CODE)?;
        let mut item = Fields::of(node, CODE)?;
        let delivery_id = item.parsed("deliveryId", A_UUID, |t| DeliveryId::parse(t).ok())?;
        let bytes = item.parsed(name, BASE64, base64_bytes)?;
        item.end()?;
        if bytes.is_empty() {
            return Err(item_empty(node, name));
        }
        items.push((delivery_id, bytes));
    }
    Ok(items)
}

fn item_empty(node: crate::xml::Node<'_>, name: &str) -> Fault {
    at(node, CODE, format_args!("element {name}: it is empty"))
}
