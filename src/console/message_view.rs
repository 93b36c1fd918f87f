//! The parts of a message's page: its deliveries with every attempt, and its bodies.

use std::collections::BTreeSet;

use super::errors::Trouble;
use super::shown::Light;
use super::visit::Visit;
use super::words;
use crate::domain::{DataClass, DeliveryState};
use crate::envelope::{Body, read as read_envelope};
use crate::store::{AttemptRow, DeliveryRow, MessageRow};
use crate::xml::{Limits, Node, read as read_xml};

/// A delivery with its history.
pub(super) struct Passed {
    pub(super) id: String,
    pub(super) recipient: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) code: String,
    pub(super) attempts: u32,
    pub(super) next: String,
    pub(super) sent: String,
    pub(super) settled: String,
    /// What is known of the recipient's answer.
    pub(super) answer: String,
    /// Whether a person has to decide.
    pub(super) is_dead: bool,
    pub(super) tries: Vec<Tried>,
}

/// One line of a delivery's history: an attempt, or what a person decided.
pub(super) struct Tried {
    pub(super) at: String,
    pub(super) at_iso: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) node: String,
}

impl Tried {
    pub(super) fn of(light: &Light<'_>, row: &AttemptRow) -> Self {
        let t = light.t;
        Self {
            at: words::instant(t, row.at, light.zone),
            at_iso: row.at.in_zone(light.zone),
            state: row.state.as_str(),
            state_text: t.word("delivery", row.state.as_str()),
            reason: row.reason.map_or_else(String::new, |reason| t.word("reason", reason.as_str())),
            detail: row.detail.clone().unwrap_or_default(),
            node: row.node.clone().unwrap_or_default(),
        }
    }
}

impl Light<'_> {
    /// A delivery; `answered`: whether its recipient's answer is kept, and whether the gateway signed it in its place.
    pub(super) fn passed(&self, row: &DeliveryRow, (answered, behalf): (bool, bool)) -> Passed {
        let t = self.t;
        let instant =
            |at: Option<crate::domain::Timestamp>| at.map_or_else(String::new, |at| words::instant(t, at, self.zone));
        let answer = match (answered, behalf) {
            (false, _) => String::new(),
            (true, false) => t.t("answer-kept"),
            (true, true) => t.t("answer-on-behalf"),
        };
        let is_dead = matches!(row.state, DeliveryState::Parked | DeliveryState::Refused | DeliveryState::Expired);
        Passed {
            id: row.id.to_string(),
            recipient: self.name(&row.recipient),
            state: row.state.as_str(),
            state_text: t.word("delivery", row.state.as_str()),
            reason: row.reason.map_or_else(String::new, |reason| t.word("reason", reason.as_str())),
            detail: row.detail.clone().unwrap_or_default(),
            code: row.fault_code.clone().unwrap_or_default(),
            attempts: row.attempts,
            next: instant(row.next_at.filter(|_| row.state == DeliveryState::Queued)),
            sent: instant(row.sent_at),
            settled: instant(row.settled_at),
            answer,
            is_dead,
            tries: Vec::new(),
        }
    }
}

/// The bodies of a message and the classes of personal data in them.
pub(super) struct Bodies {
    pub(super) classes: BTreeSet<DataClass>,
    /// In the sender's own form, where that is not the canonical one.
    pub(super) own: String,
    pub(super) canonical: String,
    /// What went out, or would go out: to whom, and the body.
    pub(super) outgoing: Vec<(String, String)>,
}

/// What a stored message says, and the classes of personal data in it.
struct Said {
    own: String,
    /// The common form, where it was translated into it.
    canonical: Option<String>,
    classes: BTreeSet<DataClass>,
}

/// Reads a stored message. The classes are those of the common form; what cannot be read is treated as holding all that its type may.
async fn said(visit: &Visit, row: &MessageRow) -> Result<Said, Trouble> {
    let snapshot = visit.gateway.snapshot();
    let content = visit.gateway.store().content(row.record_id).await?.ok_or(Trouble::NotFound)?;
    let classed = |node: Node<'_>| snapshot.catalogue.data_classes(&row.message_type, node);
    let (own, mut classes) = body_of(&content.bytes, classed);
    let canonical = content.canonical.map(|bytes| {
        let document = read_xml(&bytes, &Limits::stored()).ok();
        classes = document.as_ref().map(|document| classed(document.root()));
        document.map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), |document| pretty(document.root()))
    });
    let all = || snapshot.catalogue.message(&row.message_type.name).map(|info| info.data_classes.clone());
    Ok(Said { own, canonical, classes: classes.or_else(all).unwrap_or_default() })
}

/// The classes of personal data in a message.
pub(super) async fn classes(visit: &Visit, row: &MessageRow) -> Result<BTreeSet<DataClass>, Trouble> {
    Ok(said(visit, row).await?.classes)
}

/// Reads the bodies. Nothing of them goes into a log.
pub(super) async fn bodies(visit: &Visit, row: &MessageRow) -> Result<Bodies, Trouble> {
    let (store, snapshot) = (visit.gateway.store(), visit.gateway.snapshot());
    let Said { own, canonical, classes } = said(visit, row).await?;
    let (own, canonical) = match canonical {
        Some(canonical) => (own, canonical),
        None => (String::new(), own),
    };
    let mut outgoing = Vec::new();
    for delivery in store.deliveries_of(row.record_id).await? {
        if let Some(made) = store.outgoing(delivery.id).await? {
            let name = snapshot.participant(&delivery.recipient).map(|p| p.name.clone());
            let name = name.unwrap_or_else(|| delivery.recipient.to_string());
            outgoing.push((name, body_of(&made.signed, |_| BTreeSet::new()).0));
        }
    }
    Ok(Bodies { classes, own, canonical, outgoing })
}

/// The body of an envelope as text for people, with what `classed` says of it where it is XML.
fn body_of(bytes: &[u8], classed: impl Fn(Node<'_>) -> BTreeSet<DataClass>) -> (String, Option<BTreeSet<DataClass>>) {
    let Ok(document) = read_xml(bytes, &Limits::stored()) else { return (String::new(), None) };
    let Ok(envelope) = read_envelope(&document) else { return (String::new(), None) };
    match envelope.claimed_body() {
        Body::Xml(node) => (pretty(*node), Some(classed(*node))),
        Body::Payload { bytes, .. } => (String::from_utf8_lossy(bytes).into_owned(), None),
    }
}

/// An element for people's eyes: indented, without namespaces.
fn pretty(node: Node<'_>) -> String {
    let mut out = String::new();
    indent(node, 0, &mut out);
    out
}

fn indent(node: Node<'_>, depth: usize, out: &mut String) {
    let (pad, name) = ("  ".repeat(depth), node.tag_name().name());
    out.push_str(&pad);
    out.push('<');
    out.push_str(name);
    for attribute in node.attributes() {
        out.push_str(&format!(" {}=\"{}\"", attribute.name(), attribute.value()));
    }
    let text = node.text().map(str::trim).unwrap_or_default();
    if node.children().any(|child| child.is_element()) {
        out.push_str(">\n");
        node.children().filter(Node::is_element).for_each(|child| indent(child, depth + 1, out));
        out.push_str(&format!("{pad}</{name}>\n"));
    } else if text.is_empty() {
        out.push_str("/>\n");
    } else {
        out.push_str(&format!(">{text}</{name}>\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_indented_for_people() {
        let document = read_xml(b"<a xmlns='urn:x'><b c='1'>d</b><e/></a>", &Limits::stored()).unwrap();
        assert_eq!(pretty(document.root()), "<a>\n  <b c=\"1\">d</b>\n  <e/>\n</a>\n");
    }
}
