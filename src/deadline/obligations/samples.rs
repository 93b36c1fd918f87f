//! The Yugra rules read the published samples of the canonical messages.

use roxmltree::Document;

use super::fixtures::{CASE, calendars, participants, yugra};
use super::*;
use crate::domain::{MessageId, MessageType, Priority};

const REQUEST: &str = "01931f6e-7a00-7000-8000-000000000001";

/// Judges a sample of the published schemas and counts what it opens and settles.
fn judge_sample(message: &str, sample: &str, from: &str, to: &str, reply: bool) -> (Vec<String>, Vec<String>) {
    let files = crate::bundle::embedded();
    let text = String::from_utf8(files[&format!("schemas/social/{message}/1/samples/{sample}.xml")].clone()).unwrap();
    let document = Document::parse(&text).unwrap();
    let people = participants();
    let who = |id: &str| people.iter().find(|p| p.id.as_str() == id).unwrap();
    let header = Header {
        message_id: MessageId::parse(REQUEST).unwrap(),
        conversation_id: ConversationId::parse(CASE).unwrap(),
        in_reply_to: reply.then(|| MessageId::parse(REQUEST).unwrap()),
        case_id: Some(CaseId::parse(CASE).unwrap()),
        message_type: MessageType::new(message, 1).unwrap(),
        sender: ParticipantId::parse(from).unwrap(),
        recipient: ParticipantId::parse(to).unwrap(),
        created: Timestamp::parse("2026-06-02T12:00:00+05:00").unwrap(),
        expires: None,
        priority: Priority::Normal,
        test: false,
        via: None,
        derived_from: None,
        attachments: Vec::new(),
    };
    let effects = on_message(
        &yugra(""),
        &calendars(),
        &MessageEvent {
            header: &header,
            sender: who(from),
            recipient: who(to),
            body: document.root_element(),
            accepted_at: header.created,
            case: None,
            directory: &people.as_slice(),
        },
    );
    let effects = effects.unwrap_or_else(|fault| panic!("{message}/{sample}: {fault}"));
    let last = |subject: &str| subject.rsplit_once(' ').map_or("", |(_, key)| key).to_owned();
    (
        effects.open.iter().map(|o| last(&o.subject)).collect(),
        effects.settle.iter().map(|s| s.subject.clone()).collect(),
    )
}

#[test]
fn the_rules_read_the_published_samples() {
    let (opened, _) = judge_sample("application", "family", "register", "register", false);
    assert_eq!(opened, ["health", "education", "police", "guardianship", "employment"]);
    let (opened, settled) = judge_sample("document-request", "health-rich", "register", "health", false);
    assert_eq!(opened, ["medical-conclusion", "child-health-record", "no-contraindications"]);
    assert_eq!(settled, [format!("{CASE} health")]);
    let (_, settled) = judge_sample("document-response", "health-rich", "health", "register", true);
    let kinds = ["medical-conclusion", "no-contraindications", "child-health-record", "disability-certificate"];
    assert_eq!(settled, kinds.map(|kind| format!("register/{REQUEST} {kind}")));
    let (_, settled) = judge_sample("progress-report", "employment-rich", "employment", "register", false);
    assert_eq!(settled, ["e", "f"].map(|last| format!("01931f6e-7a00-7000-8000-00000000ca5{last} employment")));
}
