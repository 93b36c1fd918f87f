//! Refused after a verified signature: a signed fault for the sender, with its message, its digest and the place.

use mezhved::domain::{Attachment, ConversationId, Digest, MessageType, ObligationId, RuleId};
use mezhved::envelope::technical::{
    DeadlineReminder, FaultReport, MailboxBatch, Notice, NoticeState, RefusedDigest, ReminderStage, Ticket,
};
use mezhved::envelope::technical::{Resource, TicketMethod, TicketRequest};
use mezhved::envelope::{BodyDraft, Draft};
use uuid::Uuid;

use super::{Case, good, only_refusals, patient_world, refused};
use crate::support::eventually;
use crate::world::{Opened, SOON, World, bodies, new_id, now, participant};

const DAY: i64 = 86_400;

/// One message that its sender must change, and what the fault's detail must name.
struct Signed {
    case: Case,
    draft: Draft,
    names: &'static [&'static str],
}

fn signed(
    world: &World,
    name: &'static str,
    (status, code): (u16, &'static str),
    names: &'static [&'static str],
    draft: Draft,
) -> Signed {
    let signer = world.agency(draft.header.sender.as_str());
    Signed { case: Case::new(name, signer.sign(&draft), status, code), draft, names }
}

/// A good message with one change.
fn changed(world: &World, change: impl FnOnce(&mut Draft)) -> Draft {
    let mut draft = good(world);
    change(&mut draft);
    draft
}

fn with_body(world: &World, body: String) -> Draft {
    changed(world, |d| d.body = BodyDraft::Xml(body.into_bytes()))
}

fn check(world: &World, table: &[Signed]) {
    for Signed { case, draft, names } in table {
        let answer = refused(world, case);
        let opened = answer.opened();
        let name = case.name;
        assert_eq!(opened.header.recipient, draft.header.sender, "{name}");
        assert_eq!(opened.header.in_reply_to, Some(draft.header.message_id), "{name}");
        assert_eq!(opened.header.conversation_id, draft.header.conversation_id, "{name}");
        let said: FaultReport = opened.technical();
        assert_eq!(said.message_id, Some(draft.header.message_id), "{name}");
        let own = Opened::read(&case.bytes, world.agency(draft.header.sender.as_str()).certificate()).unwrap();
        assert_eq!(said.digest, Some(RefusedDigest::Content(own.digest)), "{name}");
        let detail = said.detail.unwrap_or_default();
        for place in *names {
            assert!(detail.contains(place), "{name}: no `{place}` in: {detail}");
        }
        for personal in bodies::PERSONAL {
            assert!(!detail.contains(personal), "{name}: a value of the body in: {detail}");
        }
    }
    only_refusals(world, table.len());
    // The fault of a verified sender is stored with the refusal.
    let told = i64::try_from(table.len()).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM refusals WHERE answer IS NOT NULL AND message_id IS NOT NULL"), told);
}

#[test]
fn routes_that_are_not_allowed() {
    let world = patient_world().start();
    let to = |recipient: &str| changed(&world, |d| d.header.recipient = participant(recipient));
    let kind = |name: &str, version: u32| {
        changed(&world, |d| d.header.message_type = MessageType::new(name, version).unwrap())
    };
    let between =
        world.agency("guardianship").draft("health", "document-request", bodies::request("medical-conclusion"));
    let w = &world;
    check(
        &world,
        &[
            signed(
                w,
                "a route that is not allowed",
                (403, "route-forbidden"),
                &["progress-report", "`register`", "`guardianship`"],
                kind("progress-report", 1),
            ),
            signed(
                w,
                "a request between agencies",
                (403, "route-forbidden"),
                &["document-request", "`guardianship`"],
                between,
            ),
            signed(w, "an unknown recipient", (403, "recipient-unknown"), &["Header/Recipient"], to("nobody")),
            signed(
                w,
                "a request to the gateway itself",
                (403, "route-forbidden"),
                &["does not part a `document-request`", "name its recipient"],
                to("mezhved"),
            ),
            signed(w, "an unknown type", (422, "type-unknown"), &["no-such-type/1"], kind("no-such-type", 1)),
            signed(
                w,
                "an unknown version",
                (422, "type-unknown"),
                &["document-request/2"],
                kind("document-request", 2),
            ),
        ],
    );
}

#[test]
fn technical_messages_that_only_the_gateway_sends() {
    let world = patient_world().start();
    let register = world.agency("register");
    let notice = Notice {
        message_id: new_id(),
        recipient: participant("health"),
        state: NoticeState::Delivered,
        reason: None,
        at: now(),
    };
    let reminder = DeadlineReminder {
        obligation: ObligationId::from_uuid(new_id().uuid()),
        rule: RuleId::parse("document-answer").unwrap(),
        regulation: "yugra".to_owned(),
        stage: ReminderStage::Overdue,
        case: None,
        conversation: None,
        request: None,
        period: None,
        creditor: None,
        message: "document-response".to_owned(),
        due: now(),
        term: "5 рабочих дней".to_owned(),
        source: "Порядок, п. 1".to_owned(),
        step: None,
    };
    let batch = MailboxBatch { lease_until: now(), items: Vec::new() };
    let ticket = Ticket { token: "abc".to_owned(), expires_at: now() };
    let mut astray =
        register.technical(&TicketRequest { method: TicketMethod::Get, resource: Resource::Message(new_id()) });
    astray.header.recipient = participant("health");
    let w = &world;
    check(
        &world,
        &[
            signed(
                w,
                "a notice",
                (403, "route-forbidden"),
                &["only the gateway sends", "notice"],
                register.technical(&notice),
            ),
            signed(
                w,
                "a reminder",
                (403, "route-forbidden"),
                &["only the gateway sends", "deadline-reminder"],
                register.technical(&reminder),
            ),
            signed(
                w,
                "a ticket",
                (403, "route-forbidden"),
                &["only the gateway sends", "ticket"],
                register.technical(&ticket),
            ),
            signed(
                w,
                "a batch",
                (403, "route-forbidden"),
                &["only the gateway sends", "mailbox-batch"],
                register.technical(&batch),
            ),
            signed(
                w,
                "a ticket request to another participant",
                (403, "route-forbidden"),
                &["Header/Recipient"],
                astray,
            ),
        ],
    );
}

#[test]
fn bodies_against_their_schemas() {
    let world = patient_world().start();
    let body =
        |from: &str, to: &str| with_body(&world, bodies::replaced(&bodies::request("guardianship-act"), from, to));
    let (health, w) = (world.agency("health"), &world);
    let canonical = health.draft("register", "document-request", bodies::request("guardianship-act"));
    let payload = changed(&world, |d| {
        d.body = BodyDraft::Payload { media_type: "application/json".to_owned(), bytes: b"{}".to_vec() };
    });
    // The envelope stands on the first line, and so does the body's root.
    check(
        &world,
        &[
            signed(
                w,
                "a missing element",
                (422, "schema-invalid"),
                &["line 6", "serviceName"],
                body("<gist>Прошу представить справку о судимости.</gist>", ""),
            ),
            signed(
                w,
                "an unknown element",
                (422, "schema-invalid"),
                &["line 5", "colour"],
                body("<gist>", "<colour>red</colour><gist>"),
            ),
            signed(
                w,
                "a code outside of its list",
                (422, "schema-invalid"),
                &["kind"],
                body(">guardianship-act<", ">no-such-kind<"),
            ),
            signed(
                w,
                "a wrong date",
                (422, "schema-invalid"),
                &["line 15", "birthDate"],
                body("1948-01-09", "1948-13-09"),
            ),
            signed(
                w,
                "a body of another type",
                (422, "schema-invalid"),
                &["DocumentRequest"],
                with_body(&world, bodies::response("guardianship-act")),
            ),
            signed(
                w,
                "an empty body of the right name",
                (422, "schema-invalid"),
                &["DocumentRequest"],
                with_body(&world, "<DocumentRequest xmlns=\"urn:mezhved:social:document-request:1\"/>".to_owned()),
            ),
            signed(w, "a payload where XML is spoken", (422, "schema-invalid"), &["Body"], payload),
            signed(
                w,
                "check digits of a number",
                (422, "content-invalid"),
                &["line 16", "snils"],
                body("999-000-202 22", "999-000-202 23"),
            ),
            signed(w, "another form than the agency's own", (422, "schema-invalid"), &["Bundle"], canonical),
        ],
    );
}

#[test]
fn clocks_references_and_files() {
    let world = patient_world().start();
    let at = |seconds: i64| changed(&world, |d| d.header.created = now().plus_seconds(seconds));
    let w = &world;
    let absent = Attachment {
        digest: Digest::from_bytes([7; 32]),
        size_bytes: 5,
        media_type: "application/x-msdownload".to_owned(),
        name: "Справка.exe".to_owned(),
        inline: None,
        signs: None,
    };
    check(
        &world,
        &[
            signed(
                w,
                "a clock ten minutes ahead",
                (422, "created-in-future"),
                &["Header/Created", "300 seconds"],
                at(600),
            ),
            signed(w, "made 31 days ago", (422, "created-too-old"), &["Header/Created", "30 days"], at(-31 * DAY)),
            signed(
                w,
                "Expires has passed",
                (422, "expired"),
                &["Header/Expires"],
                changed(w, |d| d.header.expires = Some(now().plus_seconds(-1))),
            ),
            signed(
                w,
                "an answer to nothing",
                (422, "reference-unknown"),
                &["Header/InReplyTo"],
                changed(w, |d| d.header.in_reply_to = Some(new_id())),
            ),
            signed(
                w,
                "a file of a forbidden kind",
                (422, "attachment-invalid"),
                &["Header/Attachments", "number 1", "MediaType", "`register`", "application/pdf"],
                changed(w, |d| d.header.attachments = vec![absent]),
            ),
        ],
    );
    // Within the limits both ends are taken.
    for seconds in [240, -29 * DAY] {
        world.post(world.agency("register").sign(&at(seconds))).receipt();
    }
}

#[test]
fn an_answer_to_a_message_between_others_is_an_answer_to_nothing() {
    let world = patient_world().start();
    let (register, health) = (world.agency("register"), world.agency("health"));
    let request = good(&world);
    world.post(register.sign(&request)).receipt();
    eventually("the request", SOON, || world.partner("guardianship").message(request.header.message_id));
    let mut answer = health.answer(&request.header, "document-response", bodies::health_response("medical-conclusion"));
    answer.header.conversation_id = ConversationId::from_uuid(Uuid::now_v7());
    let refused = world.post(health.sign(&answer));
    assert_eq!((refused.status, refused.fault().code.as_str()), (422, "reference-unknown"));
}
