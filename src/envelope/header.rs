//! The header: from XML to [`Header`] and back.

use crate::domain::{
    Attachment, CaseId, ConversationId, Digest, Fault, FaultCode, Header, MessageId, MessageType, ParticipantId,
    Priority, Via,
};
use crate::xml::{Fields, Node, Writer, at, attribute, base64_bytes, instant, only_attributes, text};

/// How many attachments one header may list.
pub const ATTACHMENTS_MAX: usize = 100;

/// The longest media type, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 127;

/// The longest name of an attachment, in characters.
const ATTACHMENT_NAME_CHARS_MAX: usize = 255;

/// The name of the only digest algorithm of attachments.
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

const CODE: FaultCode = FaultCode::HeaderInvalid;
const A_UUID: &str = "a UUID of 36 characters in lower case is needed";
const A_UUID7: &str = "a UUID of version 7, 36 characters in lower case, is needed";
const AN_ID: &str = "a participant id is 1 to 40 lower-case Latin letters, digits and hyphens, beginning with a letter";
const AN_INSTANT: &str = "an instant with its zone is needed, such as 2026-05-06T10:00:00+05:00";
const A_DIGEST: &str = "base64 of the 32 bytes of a SHA-256 is needed";

/// Reads the header strictly: every field in its place and of its form, nothing unknown.
pub(super) fn read(node: Node<'_>) -> Result<Header, Fault> {
    only_attributes(node, &[], CODE)?;
    let mut f = Fields::of(node, CODE)?;
    let uuid7 = |t: &str| MessageId::parse(t).ok().filter(|id| id.is_time_ordered());
    let message_id = f.parsed("MessageId", A_UUID7, uuid7)?;
    let conversation_id = f.parsed("ConversationId", A_UUID, |t| ConversationId::parse(t).ok())?;
    let in_reply_to = f.optional_parsed("InReplyTo", A_UUID7, uuid7)?;
    let case_id = f.optional_parsed("CaseId", A_UUID, |t| CaseId::parse(t).ok())?;
    let name = f.parsed("Type", "a type is lower-case Latin letters, digits and hyphens", |t| {
        MessageType::new(t, 1).ok().map(|t| t.name)
    })?;
    let version = f.parsed("Version", "a whole number from 1 is needed", |t| {
        number(t).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
    })?;
    let participant = |t: &str| ParticipantId::parse(t).ok();
    let header = Header {
        message_id,
        conversation_id,
        in_reply_to,
        case_id,
        message_type: MessageType { name, version },
        sender: f.parsed("Sender", AN_ID, participant)?,
        recipient: f.parsed("Recipient", AN_ID, participant)?,
        created: f.parsed("Created", AN_INSTANT, instant)?,
        expires: f.optional_parsed("Expires", AN_INSTANT, instant)?,
        priority: f.parsed("Priority", "normal, urgent or emergency is needed", Priority::parse)?,
        test: f.optional_parsed("Test", "true or false is needed", boolean)?.unwrap_or(false),
        via: f.optional("Via").map(read_via).transpose()?,
        derived_from: f.optional_parsed("DerivedFrom", A_UUID7, uuid7)?,
        attachments: f.optional("Attachments").map(read_attachments).transpose()?.unwrap_or_default(),
    };
    f.end()?;
    Ok(header)
}

fn read_via(node: Node<'_>) -> Result<Via, Fault> {
    only_attributes(node, &[], CODE)?;
    let mut f = Fields::of(node, CODE)?;
    let via = Via {
        gateway: f.parsed("Gateway", AN_ID, |t| ParticipantId::parse(t).ok())?,
        accepted_at: f.parsed("AcceptedAt", AN_INSTANT, instant)?,
        digest: read_digest(f.required("Digest")?)?,
    };
    f.end()?;
    Ok(via)
}

fn read_digest(node: Node<'_>) -> Result<Digest, Fault> {
    only_attributes(node, &["Algorithm"], CODE)?;
    if attribute(node, "Algorithm") != Some(SHA256) {
        return Err(at(node, CODE, format_args!("element {}: Algorithm must be {SHA256}", node.tag_name().name())));
    }
    Digest::parse_base64(text(node, CODE)?)
        .map_err(|_| at(node, CODE, format_args!("element {}: {A_DIGEST}", node.tag_name().name())))
}

fn read_attachments(node: Node<'_>) -> Result<Vec<Attachment>, Fault> {
    only_attributes(node, &[], CODE)?;
    let mut f = Fields::of(node, CODE)?;
    let mut list = vec![read_attachment(f.required("Attachment")?)?];
    while let Some(next) = f.optional("Attachment") {
        if list.len() == ATTACHMENTS_MAX {
            return Err(at(next, CODE, format_args!("more than {ATTACHMENTS_MAX} attachments are listed")));
        }
        list.push(read_attachment(next)?);
    }
    f.end()?;
    let stray = list.iter().any(|a| a.signs.is_some_and(|d| d == a.digest || list.iter().all(|b| b.digest != d)));
    if stray { Err(at(node, CODE, "element Signs: must name another attachment of the list")) } else { Ok(list) }
}

fn read_attachment(node: Node<'_>) -> Result<Attachment, Fault> {
    only_attributes(node, &[], CODE)?;
    let mut f = Fields::of(node, CODE)?;
    let attachment = Attachment {
        digest: read_digest(f.required("Digest")?)?,
        size_bytes: f.parsed("SizeBytes", "a whole number of bytes is needed", number)?,
        media_type: f.parsed("MediaType", "a media type is needed, such as application/pdf", media_type)?,
        name: f.parsed(
            "Name",
            "1 to 255 characters without path separators and control characters are needed",
            file_name,
        )?,
        signs: f.optional("Signs").map(read_digest).transpose()?,
        inline: f.optional_parsed("Content", "base64 is needed", base64_bytes)?,
    };
    f.end()?;
    Ok(attachment)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Takes a media type with or without parameters (RFC 9110, 8.3.1, without quoted values).
pub(super) fn media_type(text: &str) -> Option<String> {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let mut parts = text.split(';');
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let parameters = parts.all(|p| p.trim_matches(' ').split_once('=').is_some_and(|(k, v)| token(k) && token(v)));
    let right = text.len() <= MEDIA_TYPE_BYTES_MAX && token(kind) && token(subtype) && parameters;
    right.then(|| text.to_owned())
}

fn file_name(text: &str) -> Option<String> {
    let len = text.chars().count();
    let right = (1..=ATTACHMENT_NAME_CHARS_MAX).contains(&len)
        && !text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
    right.then(|| text.to_owned())
}

/// Writes the header as [`read`] reads it. Instants go to the millisecond.
pub(super) fn write(w: &mut Writer, header: &Header) {
    w.start("e:Header", &[]);
    w.leaf("e:MessageId", &header.message_id.to_string());
    w.leaf("e:ConversationId", &header.conversation_id.to_string());
    w.optional("e:InReplyTo", header.in_reply_to.map(|id| id.to_string()).as_deref());
    w.optional("e:CaseId", header.case_id.map(|id| id.to_string()).as_deref());
    w.leaf("e:Type", &header.message_type.name);
    w.leaf("e:Version", &header.message_type.version.to_string());
    w.leaf("e:Sender", header.sender.as_str());
    w.leaf("e:Recipient", header.recipient.as_str());
    w.leaf("e:Created", &header.created.to_string());
    w.optional("e:Expires", header.expires.map(|t| t.to_string()).as_deref());
    w.leaf("e:Priority", header.priority.as_str());
    w.optional("e:Test", header.test.then_some("true"));
    if let Some(via) = &header.via {
        w.start("e:Via", &[]);
        w.leaf("e:Gateway", via.gateway.as_str());
        w.leaf("e:AcceptedAt", &via.accepted_at.to_string());
        w.base64("e:Digest", &[("Algorithm", SHA256)], via.digest.bytes());
        w.end();
    }
    w.optional("e:DerivedFrom", header.derived_from.map(|id| id.to_string()).as_deref());
    if !header.attachments.is_empty() {
        w.start("e:Attachments", &[]);
        header.attachments.iter().for_each(|a| write_attachment(w, a));
        w.end();
    }
    w.end();
}

fn write_attachment(w: &mut Writer, attachment: &Attachment) {
    w.start("e:Attachment", &[]);
    w.base64("e:Digest", &[("Algorithm", SHA256)], attachment.digest.bytes());
    w.leaf("e:SizeBytes", &attachment.size_bytes.to_string());
    w.leaf("e:MediaType", &attachment.media_type);
    w.leaf("e:Name", &attachment.name);
    if let Some(signs) = attachment.signs {
        w.base64("e:Signs", &[("Algorithm", SHA256)], signs.bytes());
    }
    if let Some(inline) = &attachment.inline {
        w.base64("e:Content", &[], inline);
    }
    w.end();
}
