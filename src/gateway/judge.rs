//! The one decision about a message: bytes, a snapshot of the configuration and `now` go in, a judgement or a refusal comes out.
//!
//! No I/O but through [`Lookup`], which the caller answers from the store.

mod behalf;
mod consent;
mod parts;
mod route;

use crate::adapter::{HeaderView, PartnerBodyRef};
use crate::crypto::sha256;
use crate::deadline::obligations::{Cancel, CaseView, Effects, MessageEvent, access, on_message};
use crate::domain::{
    CaseId, Digest, Fault, FaultCode, Header, MessageId, MessageType, Participant, ParticipantId, Technical, Timestamp,
};
use crate::envelope::technical::{
    FaultReport, MailboxAck, MailboxPull, OutsideAct, Receipt, TechnicalBody as _, TicketRequest,
};
use crate::envelope::{self, Body, Envelope, Verified};
use crate::search::{Finds, finds};
use crate::settings::Attachments;
use crate::xml::{self, Limits, Node};

pub(super) use behalf::judge_on_behalf;

use super::ahead::forwarded;
use super::fan_out::{Amended, Part};
use super::listed::check_attachments;
use super::snapshot::Snapshot;
use super::versions;
use consent::check_consent;
use parts::{Parted, parts};
use route::{check_fan_out, check_recipient, check_sender, check_what_goes};

/// What a judgement stands on, besides the bytes.
pub struct Bench<'a> {
    /// The configuration in force.
    pub snapshot: &'a Snapshot,
    /// The gateway's own id.
    pub gateway: &'a ParticipantId,
    /// Reader limits.
    pub limits: &'a Limits,
    /// Which attachments are taken.
    pub attachments: &'a Attachments,
    /// Seconds that `Created` may lie ahead.
    pub created_future_seconds_max: u32,
    /// Days that `Created` may lie behind.
    pub created_age_days_max: u32,
    /// The machine's time.
    pub now: Timestamp,
    /// The time by which deadlines run.
    pub business_now: Timestamp,
    /// The owner of the queue that the bytes came on, if they came on one.
    pub queue: Option<&'a ParticipantId>,
}

/// What the judgement asks of the store, for messages that name something earlier.
pub trait Lookup {
    /// The case with this id, and the id of the regulation that it runs under.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn case(&self, id: CaseId) -> Result<Option<(CaseView, String)>, Fault>;
    /// Open cases of a curator by level, but for `except`.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn curator_load(&self, curator: &str, except: CaseId) -> Result<Vec<(String, u32)>, Fault>;
    /// Whether `sender` sent the message with this id to `recipient`.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn was_sent(&self, sender: &ParticipantId, id: MessageId, recipient: &ParticipantId) -> Result<bool, Fault>;
    /// Whether the latest message of this type in the case for `recipient` is with it or on its way: nothing has stopped it.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn has_latest(&self, case: CaseId, type_name: &str, recipient: &ParticipantId) -> Result<bool, Fault>;
    /// The size of the file with this digest that `sender` has uploaded, if it has.
    ///
    /// # Errors
    /// `not-now` when the store cannot answer.
    fn uploaded(&self, sender: &ParticipantId, digest: Digest) -> Result<Option<u64>, Fault>;
}

/// A verified envelope that may be acted on.
#[derive(Debug)]
pub enum Judgement {
    /// A message for a participant.
    Message(Box<Accepted>),
    /// A message for the gateway itself.
    Technical(Box<TechnicalMessage>),
}

/// A message for a participant, with all that follows from it.
#[derive(Debug)]
pub struct Accepted {
    /// The signed header.
    pub header: Header,
    /// Its identity.
    pub digest: Digest,
    /// SHA-256 of the certificate that verified it.
    pub signed_by: Digest,
    /// The canonical body, when the sender's own form had to be translated.
    pub canonical: Option<Vec<u8>>,
    /// The canonical body, when it goes to its recipient as the sender wrote it.
    pub forwarded: Option<Vec<u8>>,
    /// What it opens and settles.
    pub effects: Effects,
    /// Its parts for those whom it names, when it was sent to the gateway to be parted. Then it has no effects of its own, unless nobody
    /// gets a part.
    pub parts: Vec<Part>,
    /// Whom it concerns, when it was parted and amends what is in force.
    pub amended: Option<Amended>,
    /// What it is found by.
    pub finds: Finds,
}

/// A message for the gateway itself.
#[derive(Debug)]
pub struct TechnicalMessage {
    /// The signed header.
    pub header: Header,
    /// Its identity.
    pub digest: Digest,
    /// What it says.
    pub body: TechnicalContent,
}

/// The bodies that participants may send to the gateway.
#[derive(Debug)]
pub enum TechnicalContent {
    /// A delivered message was accepted.
    Receipt(Receipt),
    /// A delivered message was refused.
    Fault(FaultReport),
    /// A ticket is asked for.
    TicketRequest(TicketRequest),
    /// The mailbox is asked for.
    Pull(MailboxPull),
    /// What was pulled is answered.
    Ack(MailboxAck),
    /// An obligation of the sender was met outside.
    OutsideAct(OutsideAct),
}

/// A refusal, with what is known of whom it concerns.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub fault: Fault,
    /// SHA-256 of the bytes as received.
    pub bytes_digest: Digest,
    /// Set once the signature was verified: only then the sender is told the detail.
    pub verified: Option<VerifiedSender>,
}

/// Who is refused, by a verified signature.
#[derive(Debug, Clone)]
pub struct VerifiedSender {
    /// The signed header.
    pub header: Header,
    /// The content digest.
    pub digest: Digest,
}

/// Judges one document.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(bytes: &[u8], bench: &Bench<'_>, lookup: &dyn Lookup) -> Result<Judgement, Box<Refusal>> {
    judged(bytes, bench, lookup, |unverified| verify(unverified, bench))
}

fn judged(
    bytes: &[u8],
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
    verify: impl for<'a> FnOnce(envelope::Unverified<'a>) -> Result<Verified<Envelope<'a>>, Fault>,
) -> Result<Judgement, Box<Refusal>> {
    let refuse = |fault| Box::new(Refusal { fault, bytes_digest: sha256(bytes), verified: None });
    let document = xml::read(bytes, bench.limits).map_err(refuse)?;
    let unverified = envelope::read(&document).map_err(refuse)?;
    let verified = verify(unverified).map_err(refuse)?;
    let known = VerifiedSender { header: verified.header().clone(), digest: verified.content_digest() };
    decide(&document, &verified, bench, lookup)
        .map_err(|fault| Box::new(Refusal { fault, bytes_digest: sha256(bytes), verified: Some(known) }))
}

fn verify<'a>(unverified: envelope::Unverified<'a>, bench: &Bench<'_>) -> Result<Verified<Envelope<'a>>, Fault> {
    if unverified.claimed_header().via.is_some() {
        return Err(Fault::new(FaultCode::HeaderInvalid, "Header/Via: only a gateway writes Via"));
    }
    if unverified.claimed_header().derived_from.is_some() {
        return Err(Fault::new(FaultCode::HeaderInvalid, "Header/DerivedFrom: only a gateway writes DerivedFrom"));
    }
    let sender = unverified.claimed_sender();
    let Some(known) = bench.snapshot.known(sender) else {
        return Err(Fault::new(FaultCode::SenderUnknown, "Header/Sender: no participant has this id"));
    };
    envelope::verify(unverified, &known.certificates, bench.now)
}

fn decide(
    document: &xml::Document<'_>,
    envelope: &Verified<Envelope<'_>>,
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<Judgement, Fault> {
    let header = envelope.header();
    if bench.queue.is_some_and(|owner| *owner != header.sender) {
        return Err(Fault::new(FaultCode::QueueMismatch, "the verified Sender does not own the queue"));
    }
    check_times(header, bench)?;
    if !header.message_id.is_time_ordered() {
        return Err(Fault::new(FaultCode::HeaderInvalid, "Header/MessageId: a UUID of version 7 is needed"));
    }
    if let Some(technical) = header.message_type.technical() {
        return technical_message(technical, envelope, bench).map(|t| Judgement::Technical(Box::new(t)));
    }
    let case = known_case(header, bench, lookup)?;
    let sender = check_sender(header, bench)?;
    let fan_out = (header.recipient == *bench.gateway).then(|| check_fan_out(header, sender, bench)).transpose()?;
    let recipient = match fan_out {
        Some(_) => None,
        None => Some(check_recipient(header, sender, case.as_ref(), bench)?),
    };
    let parties: Vec<&Participant> = std::iter::once(sender).chain(recipient).collect();
    check_attachments(header, &parties, bench, lookup)?;
    let canonical = canonical_body(document, envelope, sender, bench)?;
    check_reply(header, lookup)?;
    let follows = |body: Node<'_>| match (recipient, fan_out) {
        (Some(recipient), _) => {
            let parties = Parties { sender, recipient, case: case.as_ref() };
            let (effects, _) = follow(body, header, &parties, bench, lookup)?;
            Ok(Parted { effects, ..Parted::default() })
        }
        (None, own) => {
            let parts = own.map(|own| parts(own, body, header, (sender, case.as_ref()), bench, lookup)).transpose()?;
            Ok(parts.unwrap_or_default())
        }
    };
    let (Parted { effects, parts, amended }, finds) = match &canonical {
        CanonicalBody::AsSent(node) => (follows(*node)?, finds(*node)),
        CanonicalBody::Translated(bytes) => {
            let translated = xml::read(bytes, bench.limits)
                .map_err(|f| Fault::new(FaultCode::TranslationFailed, format!("the canonical form: {}", f.detail)))?;
            (follows(translated.root())?, finds(translated.root()))
        }
    };
    let forwarded = match (&canonical, recipient) {
        (CanonicalBody::AsSent(node), Some(recipient)) => forwarded(*node, header, (sender, recipient), bench),
        (CanonicalBody::AsSent(_) | CanonicalBody::Translated(_), _) => None,
    };
    Ok(Judgement::Message(Box::new(Accepted {
        forwarded,
        header: header.clone(),
        digest: envelope.content_digest(),
        signed_by: envelope.signed_by(),
        canonical: match canonical {
            CanonicalBody::AsSent(_) => None,
            CanonicalBody::Translated(bytes) => Some(bytes),
        },
        effects,
        parts,
        amended,
        finds,
    })))
}

/// What a message to one recipient leads to, and the recipient's own part where it does not get the whole body.
fn follow(
    body: Node<'_>,
    header: &Header,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<(Effects, Option<Vec<u8>>), Fault> {
    let own = check_what_goes(body, header, parties, bench)?;
    versions::check(body, own.as_ref(), header, parties.recipient, bench.snapshot)?;
    let mut effects = effects(body, header, parties, bench)?;
    check_withdrawn(&effects, parties, lookup)?;
    check_load(&mut effects, parties, bench, lookup)?;
    effects.access = access(header, body);
    effects.on_consent = match &own {
        Some(left) => check_consent(xml::read(left, bench.limits)?.root(), header, parties, bench)?,
        None => check_consent(body, header, parties, bench)?,
    };
    Ok((effects, own))
}

fn check_times(header: &Header, bench: &Bench<'_>) -> Result<(), Fault> {
    let ahead = header.created.since(bench.now);
    if ahead > i64::from(bench.created_future_seconds_max) * 1_000_000 {
        let limit = bench.created_future_seconds_max;
        let detail = format!("Header/Created: at most {limit} seconds ahead of the gateway's clock; check your clock");
        return Err(Fault::new(FaultCode::CreatedInFuture, detail));
    }
    if -ahead > i64::from(bench.created_age_days_max) * 86_400_000_000 {
        let limit = bench.created_age_days_max;
        let detail = format!("Header/Created: at most {limit} days ago; make the message anew");
        return Err(Fault::new(FaultCode::CreatedTooOld, detail));
    }
    if header.expires.is_some_and(|expires| expires <= bench.now) {
        return Err(Fault::new(FaultCode::Expired, "Header/Expires lies in the past"));
    }
    Ok(())
}

fn technical_message(
    technical: Technical,
    envelope: &Verified<Envelope<'_>>,
    bench: &Bench<'_>,
) -> Result<TechnicalMessage, Fault> {
    let header = envelope.header();
    if header.recipient != *bench.gateway {
        let detail = format!("Header/Recipient: a `{}` goes to `{}` only", technical.name(), bench.gateway);
        return Err(Fault::new(FaultCode::RouteForbidden, detail));
    }
    let Body::Xml(node) = envelope.body() else {
        return Err(Fault::new(FaultCode::SchemaInvalid, "Body: an XML element is needed, not a Payload"));
    };
    let body = match technical {
        Technical::Receipt => TechnicalContent::Receipt(Receipt::from_node(*node)?),
        Technical::Fault => TechnicalContent::Fault(FaultReport::from_node(*node)?),
        Technical::TicketRequest => TechnicalContent::TicketRequest(TicketRequest::from_node(*node)?),
        Technical::MailboxPull => TechnicalContent::Pull(MailboxPull::from_node(*node)?),
        Technical::MailboxAck => TechnicalContent::Ack(MailboxAck::from_node(*node)?),
        Technical::OutsideAct => TechnicalContent::OutsideAct(OutsideAct::from_node(*node)?),
        Technical::Notice
        | Technical::DeadlineReminder
        | Technical::Ticket
        | Technical::MailboxBatch
        | Technical::Ping => {
            let detail = format!("Header/Type: only the gateway sends a `{}`", technical.name());
            return Err(Fault::new(FaultCode::RouteForbidden, detail));
        }
    };
    Ok(TechnicalMessage { header: header.clone(), digest: envelope.content_digest(), body })
}

/// The case that the header names, if the gateway knows it. A case of another regulation is as good as unknown to the sender, who may
/// neither read nor change it by its id.
fn known_case(header: &Header, bench: &Bench<'_>, lookup: &dyn Lookup) -> Result<Option<CaseView>, Fault> {
    let Some(id) = header.case_id else { return Ok(None) };
    let Some((case, regulation)) = lookup.case(id)? else { return Ok(None) };
    if bench.snapshot.participant(&header.sender).is_some_and(|p| p.regulation == regulation) {
        return Ok(Some(case));
    }
    Err(Fault::new(FaultCode::ReferenceUnknown, "Header/CaseId: use an id of your own case, or a new one"))
}

enum CanonicalBody<'a> {
    AsSent(Node<'a>),
    Translated(Vec<u8>),
}

fn canonical_body<'a>(
    document: &xml::Document<'_>,
    envelope: &Verified<Envelope<'a>>,
    sender: &Participant,
    bench: &Bench<'_>,
) -> Result<CanonicalBody<'a>, Fault> {
    let header = envelope.header();
    let adapter = match &sender.adapter {
        Some(name) => Some(bench.snapshot.adapter(name)?),
        None => None,
    };
    match (adapter.filter(|a| !a.is_canonical()), envelope.body()) {
        (Some(adapter), body) => {
            let bytes;
            let form = match body {
                Body::Xml(node) => {
                    bytes = xml::canonical_bytes(*node, None);
                    PartnerBodyRef::Xml(&bytes)
                }
                Body::Payload { media_type, bytes } => PartnerBodyRef::Payload { media_type, bytes },
            };
            adapter
                .to_canonical(&header.message_type, form, &HeaderView::from(header), &bench.snapshot.catalogue)
                .map(CanonicalBody::Translated)
                .map_err(|e| Fault::new(e.kind.fault_code(), e.to_string()))
        }
        (None, Body::Payload { .. }) => {
            Err(Fault::new(FaultCode::SchemaInvalid, "Body: one XML element is needed, not a Payload"))
        }
        (None, Body::Xml(node)) => {
            validate(document, *node, &header.message_type, bench)?;
            Ok(CanonicalBody::AsSent(*node))
        }
    }
}

fn validate(
    document: &xml::Document<'_>,
    node: Node<'_>,
    message_type: &MessageType,
    bench: &Bench<'_>,
) -> Result<(), Fault> {
    let (namespace, root) = (message_type.namespace(), message_type.root());
    let first = document.line(node);
    if node.tag_name().namespace() != Some(&namespace) || node.tag_name().name() != root {
        let detail = format!("line {first}: Body must hold {{{namespace}}}{root}, as Type and Version say");
        return Err(Fault::new(FaultCode::SchemaInvalid, detail));
    }
    let violations = match bench.snapshot.catalogue.validate_node(message_type, node) {
        Ok(()) => return Ok(()),
        Err(violations) => violations,
    };
    let code = match violations.first() {
        Some(violation) => violation.rule.fault_code(),
        None => FaultCode::SchemaInvalid,
    };
    let shown = violations.iter().take(VIOLATIONS_SHOWN_MAX);
    let lines: Vec<String> = shown
        .map(|v| {
            let line = v.line.unwrap_or(first);
            format!("line {line}, {}: {}", v.element, v.message)
        })
        .collect();
    Err(Fault::new(code, lines.join("; ")))
}

/// How many violations of a schema one fault names.
const VIOLATIONS_SHOWN_MAX: usize = 5;

fn check_reply(header: &Header, lookup: &dyn Lookup) -> Result<(), Fault> {
    let Some(asked) = header.in_reply_to else { return Ok(()) };
    if lookup.was_sent(&header.recipient, asked, &header.sender)? {
        return Ok(());
    }
    let detail = "Header/InReplyTo: the recipient never sent you a message with this id through this gateway";
    Err(Fault::new(FaultCode::ReferenceUnknown, detail))
}

/// Whom a message is between, and about which case.
struct Parties<'a> {
    sender: &'a Participant,
    recipient: &'a Participant,
    case: Option<&'a CaseView>,
}

/// What is withdrawn must have been sent, to the same participant.
fn check_withdrawn(effects: &Effects, parties: &Parties<'_>, lookup: &dyn Lookup) -> Result<(), Fault> {
    for cancel in &effects.cancel {
        if let Cancel::OpenedBy { sender, message, .. } = cancel
            && !lookup.was_sent(sender, *message, &parties.recipient.id)?
        {
            let detail = "Body: you never sent the recipient a message with the id that is withdrawn";
            return Err(Fault::new(FaultCode::ReferenceUnknown, detail));
        }
    }
    Ok(())
}

/// A curator with too many families is a warning, when this message gives one or changes the level.
fn check_load(
    effects: &mut Effects,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<(), Fault> {
    let Some(case) = &effects.case else { return Ok(()) };
    let (Some(curator), Some(level)) = (&case.facts.curator, &case.facts.level) else { return Ok(()) };
    let before = parties.case.map(|c| (&c.facts.curator, &c.facts.level));
    if case.facts.is_closed() || before == Some((&case.facts.curator, &case.facts.level)) {
        return Ok(());
    }
    let regulation = bench.snapshot.regulation(&case.regulation)?;
    for load in regulation.loads.iter().filter(|load| load.off.is_none()) {
        let mut families = lookup.curator_load(curator, case.id)?;
        match families.iter_mut().find(|(known, _)| known == level) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => families.push((level.clone(), 1)),
        }
        effects.flags.extend(load.exceeded(curator, &families));
    }
    Ok(())
}

fn effects(body: Node<'_>, header: &Header, parties: &Parties<'_>, bench: &Bench<'_>) -> Result<Effects, Fault> {
    if header.test {
        return Ok(Effects::default());
    }
    let event = MessageEvent {
        header,
        sender: parties.sender,
        recipient: parties.recipient,
        body,
        accepted_at: bench.business_now,
        case: parties.case,
        directory: bench.snapshot,
    };
    on_message(bench.snapshot.regulation(&parties.sender.regulation)?, &bench.snapshot.calendars, &event)
}
