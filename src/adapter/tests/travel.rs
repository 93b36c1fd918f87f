//! What an adapter writes travels in a signed envelope.

use super::*;
use crate::crypto::{self, Certificate, FileSigner, KeyKind};
use crate::domain::{ConversationId, MessageId, ParticipantId, Priority, Timestamp};
use crate::envelope::{self, Draft};
use crate::xml;

fn header_of(message_type: &MessageType) -> Header {
    Header {
        message_id: MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap(),
        conversation_id: ConversationId::parse("01931f6e-7a00-7000-8000-0000000000c1").unwrap(),
        in_reply_to: None,
        case_id: None,
        message_type: message_type.clone(),
        sender: ParticipantId::parse("uszn").unwrap(),
        recipient: ParticipantId::parse("agency").unwrap(),
        created: Timestamp::parse("2026-05-06T05:00:00Z").unwrap(),
        expires: None,
        priority: Priority::Normal,
        test: false,
        via: None,
        derived_from: None,
        attachments: Vec::new(),
    }
}

#[test]
fn every_golden_sample_travels_in_a_signed_envelope_and_comes_back() {
    let files = bundle::embedded();
    let (set, catalogue) = (AdapterSet::from_files(&files).unwrap(), catalogue(&files));
    let now = Timestamp::parse("2026-05-06T05:00:00Z").unwrap();
    let key = crypto::generate::key_and_certificate(KeyKind::P256, "uszn", 30, now).unwrap();
    let signer = FileSigner::from_pem(&key.key_pem, &key.certificate_pem).unwrap();
    let certificate = Certificate::from_pem(&key.certificate_pem).unwrap();
    let mut travelled = 0;
    for adapter in set.iter() {
        let prefix = format!("adapters/{}/samples/", adapter.name());
        for (path, canonical) in files.iter().filter(|(p, _)| p.starts_with(&prefix) && p.ends_with(".canonical.xml")) {
            let message_type = MessageType::new(path[prefix.len()..].split('/').next().unwrap(), 1).unwrap();
            let (there, back) = (Direction::ToPartner, Direction::ToCanonical);
            if !adapter.carries(&message_type, there) || !adapter.carries(&message_type, back) {
                continue;
            }
            let header = header_of(&message_type);
            let view = HeaderView::from(&header);
            let there = adapter.to_partner(&message_type, canonical, &view).unwrap();
            let bytes = envelope::sign(&Draft { header, body: there.into() }, &signer).unwrap();
            let document = xml::read(&bytes, &xml::Limits::default()).unwrap();
            let read = envelope::read(&document).unwrap();
            let verified = envelope::verify(read, std::slice::from_ref(&certificate), now).unwrap();
            let body = PartnerBody::from(verified.body());
            let back = adapter.to_canonical(&message_type, body.as_ref(), &view, &catalogue).unwrap();
            // Where the partner's form carries less, the sample says what comes back.
            let expected = files.get(&path.replace(".canonical.xml", ".back.xml")).unwrap_or(canonical);
            assert_eq!(golden::xml_lines(&back), golden::xml_lines(expected), "{path}");
            travelled += 1;
        }
    }
    assert!(travelled >= 5 * 6, "{travelled}");
}
