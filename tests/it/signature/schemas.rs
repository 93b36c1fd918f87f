//! What is written here fits the published schemas, and what the schemas' samples say is read here.

use mezhved::crypto::{KeyKind, sha256};
use mezhved::domain::{
    CaseId, ConversationId, DeliveryId, Digest, Fault, FaultCode, Line, MessageId, ObligationId, OutsideWay,
    ParticipantId, Remark, RuleId,
};
use mezhved::envelope::technical::{
    AckItem, BatchItem, DeadlineReminder, FaultReport, MailboxAck, MailboxBatch, MailboxPull, Notice, NoticeState,
    OutsideAct, Ping, Receipt, RefusedDigest, ReminderStage, Resource, TechnicalBody, Ticket, TicketMethod,
    TicketRequest,
};
use mezhved::envelope::{self, BodyDraft, Draft};
use mezhved::xml::{self, Limits};
use serde_json::{Value, json};

use super::kit::{base64, draft, full_header, header, key, now, oracle};

fn read<T: TechnicalBody>(bytes: &[u8]) -> Result<T, Fault> {
    T::from_node(xml::read(bytes, &Limits::default())?.root())
}

/// Writes, reads back, and makes a job for the schema.
fn round<T: TechnicalBody + PartialEq + std::fmt::Debug>(body: &T, jobs: &mut Vec<Value>) {
    let bytes = body.to_xml().unwrap();
    assert_eq!(read::<T>(&bytes).as_ref(), Ok(body));
    jobs.push(job(T::KIND.name(), &bytes));
}

fn job(name: &str, bytes: &[u8]) -> Value {
    json!({ "schema": format!("schemas/technical/{name}/1/{name}.xsd"), "xml": base64(bytes) })
}

#[test]
fn technical_bodies_are_read_back_and_fit_their_schemas() {
    let message_id = MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap();
    let delivery_id = DeliveryId::parse("01931f6e-7a00-7000-8000-000000000002").unwrap();
    let sender = ParticipantId::parse("health").unwrap();
    let digest = sha256(b"content");
    let mut jobs = Vec::new();
    for revision in [None, Some(1), Some(u64::MAX)] {
        round(&Receipt { message_id, sender: sender.clone(), digest, accepted_at: now(), revision }, &mut jobs);
    }
    let fault = Fault::new(FaultCode::SchemaInvalid, format!("line 3: \u{1} <a> & \"b\" {}", "ы".repeat(3000)));
    let digests =
        [None, Some(RefusedDigest::Content(digest)), Some(RefusedDigest::Bytes(Digest::from_bytes([255; 32])))];
    for digest in digests {
        for told in [true, false] {
            round(&FaultReport::of(&fault, Some(message_id), digest, told), &mut jobs);
            round(&FaultReport::of(&fault, None, digest, told), &mut jobs);
        }
    }
    for code in FaultCode::ALL {
        round(&FaultReport::of(&Fault::new(*code, ""), None, None, true), &mut jobs);
    }
    for (state, reason) in NoticeState::ALL.iter().zip([None, Some("schema-invalid"), Some("attempts-exhausted"), None])
    {
        let reason = reason.map(str::to_owned);
        round(&Notice { message_id, recipient: sender.clone(), state: *state, reason, at: now() }, &mut jobs);
    }
    round(&TicketRequest { method: TicketMethod::Get, resource: Resource::Message(message_id) }, &mut jobs);
    round(&TicketRequest { method: TicketMethod::Put, resource: Resource::Attachment(digest) }, &mut jobs);
    round(&Ticket { token: mezhved::crypto::generate::token().unwrap(), expires_at: now() }, &mut jobs);
    round(&MailboxPull { messages_max: 1 }, &mut jobs);
    round(&MailboxPull { messages_max: 100 }, &mut jobs);
    let item = BatchItem { delivery_id, envelope: vec![0, 1, 254, 255] };
    for count in [0, 1, 100] {
        round(&MailboxBatch { lease_until: now(), items: vec![item.clone(); count] }, &mut jobs);
    }
    round(&MailboxAck { items: vec![AckItem { delivery_id, answer: b"<a/>".to_vec() }; 2] }, &mut jobs);
    for way in OutsideWay::ALL {
        round(&outside_act(*way, "Приёмная № 2", None), &mut jobs);
        round(&outside_act(*way, &"ы".repeat(250), Some("Две\nстроки")), &mut jobs);
    }
    for (job, verdict) in jobs.iter().zip(oracle("xsd", &json!(jobs))) {
        assert_eq!(verdict, "", "{job}");
    }
}

/// With everything that may be left out when there is a note.
fn outside_act(way: OutsideWay, by: &str, note: Option<&str>) -> OutsideAct {
    OutsideAct {
        obligation: ObligationId::parse("01931f6e-7a00-7000-8000-0000000000ab").unwrap(),
        way,
        acted_at: now(),
        by: Line::parse(by).unwrap(),
        to: Line::parse("x").unwrap(),
        number: note.map(|_| Line::parse("01-17/4").unwrap()),
        note: note.map(|text| Remark::parse(text).unwrap()),
        scan: note.map(|_| sha256(b"scan")),
    }
}

#[test]
fn what_an_outside_act_may_not_say_is_refused_here_and_by_its_schema() {
    let good = String::from_utf8(outside_act(OutsideWay::Paper, "Приёмная", Some("Да")).to_xml().unwrap()).unwrap();
    let mut jobs = Vec::new();
    for (from, to) in [
        ("<way>paper<", "<way>fax<"),
        ("<by>Приёмная<", "<by><"),
        ("<by>Приёмная<", "<by> Приёмная<"),
        ("<by>Приёмная<", "<by>Приём\u{85}ная<"),
        ("<by>Приёмная<", "<by>Приём\nная<"),
        ("<note>Да<", "<note>Да\n<"),
        ("<note>Да<", "<note>Д\tа<"),
        ("<to>x</to>", ""),
        ("-0000000000ab<", "-0000000000AB<"),
        ("<number>", "<number a=\"\">"),
        ("<scan>", "<scan>A"),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        let text = good.replace(from, to);
        assert_eq!(read::<OutsideAct>(text.as_bytes()).unwrap_err().code, FaultCode::SchemaInvalid, "{text}");
        jobs.push(job("outside-act", text.as_bytes()));
    }
    for (job, verdict) in jobs.iter().zip(oracle("xsd", &json!(jobs))) {
        assert_ne!(verdict, "", "{job}");
    }
}

#[test]
fn reminders_are_read_back_and_fit_their_schema() {
    let full = DeadlineReminder {
        obligation: ObligationId::parse("01931f6e-7a00-7000-8000-00000000d00e").unwrap(),
        rule: RuleId::parse("document-answer").unwrap(),
        regulation: "yugra".to_owned(),
        stage: ReminderStage::Warning,
        case: Some(CaseId::parse("01931f6e-7a00-7000-8000-00000000ca5e").unwrap()),
        conversation: Some(ConversationId::parse("01931f6e-7a00-7000-8000-00000000c0de").unwrap()),
        request: Some(MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap()),
        period: Some("2026-05".to_owned()),
        creditor: Some(ParticipantId::parse("uszn").unwrap()),
        message: "document-response".to_owned(),
        due: now(),
        term: "5 рабочих дней".to_owned(),
        source: "Порядок, п. 1 <a> & \"b\"".to_owned(),
        step: Some(99),
    };
    let mut jobs = Vec::new();
    round(&full, &mut jobs);
    for stage in ReminderStage::ALL {
        let (case, conversation, request, creditor, step) = (None, None, None, None, None);
        for period in [None, Some("2026"), Some("2026-12"), Some("2026-Q4")] {
            let period = period.map(str::to_owned);
            let bare = DeadlineReminder { stage: *stage, case, conversation, request, period, step, ..full.clone() };
            round(&DeadlineReminder { creditor: creditor.clone(), ..bare }, &mut jobs);
        }
    }
    let long = DeadlineReminder { term: "д\n".repeat(3000), source: "ы\u{1}".repeat(3000), ..full.clone() };
    let bytes = long.to_xml().unwrap();
    let back = read::<DeadlineReminder>(&bytes).unwrap();
    assert_eq!((back.term.chars().count(), back.source.chars().count()), (250, 1000), "cut to the schema's limits");
    jobs.push(job("deadline-reminder", &bytes));
    let text = String::from_utf8(full.to_xml().unwrap()).unwrap();
    let wrong = [
        ("<period>2026-05<", "<period>2026-13<"),
        ("<period>2026-05<", "<period>2026-Q5<"),
        ("<step>99<", "<step>0<"),
        ("<step>99<", "<step>100<"),
        ("<stage>warning<", "<stage>soon<"),
        ("<rule>document-answer<", "<rule>Document<"),
        ("<message>document-response<", "<message><"),
        ("<term>5 рабочих дней<", "<term><"),
    ];
    for (from, to) in wrong {
        assert!(text.contains(from), "{from}");
        let broken = text.replace(from, to);
        assert!(read::<DeadlineReminder>(broken.as_bytes()).is_err(), "{to}");
        jobs.push(job("deadline-reminder", broken.as_bytes()));
    }
    let fitting = jobs.len() - wrong.len();
    for (index, (job, verdict)) in jobs.iter().zip(oracle("xsd", &json!(jobs))).enumerate() {
        assert_eq!(verdict == "", index < fitting, "{verdict} {job}");
    }
}

#[test]
fn envelopes_fit_their_schema_and_a_broken_one_does_not() {
    let signer = key(KeyKind::P256).signer;
    let payload = BodyDraft::Payload { media_type: "application/json; charset=utf-8".to_owned(), bytes: vec![] };
    let full = Draft { header: full_header(), ..draft() };
    let drafts = [draft(), full, Draft { header: header(), body: payload }];
    let signed: Vec<String> =
        drafts.iter().map(|d| String::from_utf8(envelope::sign(d, &signer).unwrap()).unwrap()).collect();
    let mut jobs: Vec<(String, bool)> = signed.iter().map(|text| (text.clone(), true)).collect();
    for (from, to) in [
        ("<e:Priority>normal<", "<e:Priority>high<"),
        ("<e:Version>1<", "<e:Version>0<"),
        ("05:00:00.000Z<", "05:00:00.000<"),
        ("01931f6e-7a00-7000-", "01931f6e-7a00-4000-"),
        ("<e:Type>document-request<", "<e:Type>Document<"),
        (" Id=", " id="),
        ("<e:Body>", "<e:Body><x xmlns=\"urn:x\"/>"),
    ] {
        assert!(signed[0].contains(from), "{from}");
        jobs.push((signed[0].replace(from, to), false));
    }
    let asked: Vec<Value> = jobs
        .iter()
        .map(|(text, _)| json!({ "schema": "schemas/envelope/1/envelope.xsd", "xml": base64(text.as_bytes()) }))
        .collect();
    for ((text, fits), verdict) in jobs.iter().zip(oracle("xsd", &json!(asked))) {
        assert_eq!(verdict == "", *fits, "{verdict}\n{text}");
    }
}

#[test]
fn the_published_samples_fit_their_schemas_and_are_read() {
    let mut jobs = Vec::new();
    for (path, bytes) in mezhved::bundle::embedded() {
        let Some(rest) = path.strip_prefix("schemas/technical/").filter(|p| p.ends_with(".xml")) else { continue };
        let name = rest.split('/').next().unwrap();
        jobs.push(job(name, &bytes));
        let verdict = match name {
            "receipt" => read::<Receipt>(&bytes).map(|_| ()),
            "fault" => read::<FaultReport>(&bytes).map(|_| ()),
            "notice" => read::<Notice>(&bytes).map(|_| ()),
            "deadline-reminder" => read::<DeadlineReminder>(&bytes).map(|_| ()),
            "ticket-request" => read::<TicketRequest>(&bytes).map(|_| ()),
            "ticket" => read::<Ticket>(&bytes).map(|_| ()),
            "mailbox-pull" => read::<MailboxPull>(&bytes).map(|_| ()),
            "mailbox-batch" => read::<MailboxBatch>(&bytes).map(|_| ()),
            "mailbox-ack" => read::<MailboxAck>(&bytes).map(|_| ()),
            "outside-act" => read::<OutsideAct>(&bytes).map(|_| ()),
            "ping" => read::<Ping>(&bytes).map(|_| ()),
            other => panic!("{other} is no technical message"),
        };
        assert_eq!(verdict, Ok(()), "{path}");
    }
    assert!(jobs.len() >= 9, "a sample of each");
    for (job, verdict) in jobs.iter().zip(oracle("xsd", &json!(jobs))) {
        assert_eq!(verdict, "", "{job}");
    }
}

#[test]
fn a_wrong_technical_body_is_refused_with_its_line() {
    let ns = |name: &str| format!("xmlns=\"urn:mezhved:technical:{name}:1\"");
    let pull = |inside: &str| format!("<MailboxPull {}>\n{inside}</MailboxPull>", ns("mailbox-pull"));
    for text in [
        pull(""),
        pull("<messagesMax>0</messagesMax>"),
        pull("<messagesMax>101</messagesMax>"),
        pull("<messagesMax>+1</messagesMax>"),
        pull("<messagesMax> 1</messagesMax>"),
        pull("<messagesMax a=\"\">1</messagesMax>"),
        pull("<messagesMax>1</messagesMax><x/>"),
        pull("<messagesMax xmlns=\"urn:x\">1</messagesMax>"),
        pull("x<messagesMax>1</messagesMax>"),
        format!("<MailboxPull {} a=\"\"><messagesMax>1</messagesMax></MailboxPull>", ns("mailbox-pull")),
        format!("<MailboxPull {}><messagesMax>1</messagesMax></MailboxPull>", ns("mailbox-ack")),
        format!("<MailboxAck {}><messagesMax>1</messagesMax></MailboxAck>", ns("mailbox-pull")),
    ] {
        let fault = read::<MailboxPull>(text.as_bytes()).expect_err(&text);
        assert_eq!(fault.code, FaultCode::SchemaInvalid, "{text}");
        assert!(fault.detail.starts_with("line "), "{fault}");
    }
    let ack = format!("<MailboxAck {}/>", ns("mailbox-ack"));
    assert_eq!(read::<MailboxAck>(ack.as_bytes()).unwrap_err().code, FaultCode::SchemaInvalid);
}
