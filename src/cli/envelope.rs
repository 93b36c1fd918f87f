//! `mezhved envelope`: sign, verify and show one envelope in a file.

use std::fmt;
use std::io::{BufRead as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::crypto::{Certificate, FileSigner, Sha256};
use crate::domain::{
    Attachment, CaseId, ConversationId, Header, MessageId, MessageType, ParticipantId, Priority, Timestamp,
};
use crate::envelope::{self, Body, BodyDraft, Draft};
use crate::gateway::Clock;
use crate::xml::{self, Document, Limits};

use super::Failure;

/// How much of a file is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Подписать, проверить или показать конверт. / Sign, verify or show an envelope.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: EnvelopeCommand,
}

#[derive(Debug, Subcommand)]
enum EnvelopeCommand {
    /// Составить и подписать конверт. / Compose and sign an envelope.
    #[command(
        after_help = "Пример / Example:\n  mezhved envelope sign --key health.key.pem --cert health.cert.pem \\\n    \
        --type document-response --from health --to register --body answer.xml --out envelope.xml"
    )]
    Sign(Box<SignArgs>),
    /// Проверить подпись; печатает, что подписано, в JSON. / Verify the signature; prints what was signed as JSON.
    ///
    /// Код возврата 0, если подпись верна; 1 и код отказа, если нет.
    /// Exit status 0 when the signature holds; 1 and the fault's code when it does not.
    Verify(VerifyArgs),
    /// Показать конверт, НЕ проверяя подписи, в JSON. / Show an envelope WITHOUT verifying it, as JSON.
    Show(ShowArgs),
}

/// What `envelope sign` needs.
#[derive(Debug, clap::Args)]
struct SignArgs {
    /// Закрытый ключ, PEM без пароля. / The private key, PEM without a passphrase.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Сертификат ключа, PEM. / The key's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Вид сообщения, с версией или без: document-request или document-request/1. / The message type, with its version or without.
    #[arg(long = "type", value_name = "TYPE", value_parser = message_type)]
    message_type: MessageType,
    /// Отправитель. / The sender.
    #[arg(long, value_name = "PARTICIPANT", value_parser = ParticipantId::parse)]
    from: ParticipantId,
    /// Получатель. / The recipient.
    #[arg(long, value_name = "PARTICIPANT", value_parser = ParticipantId::parse)]
    to: ParticipantId,
    /// Тело: один элемент XML, или с --media-type любые байты. / The body: one XML element, or with --media-type any bytes.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// Вид содержания не в XML, например application/json. / The media type of a body that is not XML, such as application/json.
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// Файл, который сообщение называет и не несёт в себе; можно несколько. Например application/pdf:act.pdf. / A file that the message lists
    /// and does not carry; may be given several times. Such as application/pdf:act.pdf.
    #[arg(long, value_name = "TYPE:FILE", value_parser = typed_file)]
    attach: Vec<TypedFile>,
    /// Куда записать; без него на стандартный вывод. / Where to write; standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Идентификатор сообщения; без него новый. / The message id; a new one without it.
    #[arg(long, value_name = "UUID", value_parser = message_id)]
    id: Option<MessageId>,
    /// Переписка; без неё новая. / The conversation; a new one without it.
    #[arg(long, value_name = "UUID", value_parser = ConversationId::parse)]
    conversation: Option<ConversationId>,
    /// Сообщение, на которое это отвечает. / The message that this one answers.
    #[arg(long, value_name = "UUID", value_parser = message_id)]
    in_reply_to: Option<MessageId>,
    /// Дело. / The case.
    #[arg(long, value_name = "UUID", value_parser = CaseId::parse)]
    case: Option<CaseId>,
    /// Срочность: normal, urgent или emergency. / Urgency.
    #[arg(long, default_value = "normal", value_parser = priority)]
    priority: Priority,
    /// Учебное сообщение. / A message of a rehearsal.
    #[arg(long)]
    test: bool,
}

/// What `envelope verify` needs.
#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// Сертификат подписавшего, PEM; можно несколько. / The signer's certificate, PEM; may be given several times.
    #[arg(long, value_name = "FILE", required = true)]
    cert: Vec<PathBuf>,
    /// На какой момент проверять; без него на сейчас. / The instant to verify at; now without it.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
    /// Конверт. / The envelope.
    file: PathBuf,
}

/// What `envelope show` needs.
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Конверт. / The envelope.
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    run_at(&args.command, Clock::default().now(), &mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the command at `now`; what it prints goes to `out`.
fn run_at(command: &EnvelopeCommand, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        EnvelopeCommand::Sign(args) => sign(args, now, out),
        EnvelopeCommand::Verify(args) => verify(args, now, out),
        EnvelopeCommand::Show(args) => show(args, out),
    }
}

fn sign(args: &SignArgs, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    let signer = FileSigner::from_pem(&read_file(&args.key)?, &read_file(&args.cert)?)?;
    let bytes = read_file(&args.body)?;
    let body = match &args.media_type {
        None => BodyDraft::Xml(bytes),
        Some(media_type) => BodyDraft::Payload { media_type: media_type.clone(), bytes },
    };
    let header = Header {
        message_id: args.id.unwrap_or_else(|| MessageId::from_uuid(new_uuid(now))),
        conversation_id: args.conversation.unwrap_or_else(|| ConversationId::from_uuid(new_uuid(now))),
        in_reply_to: args.in_reply_to,
        case_id: args.case,
        message_type: args.message_type.clone(),
        sender: args.from.clone(),
        recipient: args.to.clone(),
        created: now,
        expires: None,
        priority: args.priority,
        test: args.test,
        via: None,
        derived_from: None,
        attachments: args.attach.iter().map(attachment).collect::<Result<_, _>>()?,
    };
    let signed = envelope::sign(&Draft { header, body }, &signer)
        .map_err(|e| Failure::of(&args.body.display().to_string(), &e))?;
    match &args.out {
        Some(path) => std::fs::write(path, signed).map_err(|e| named(path, e)),
        None => Ok(out.write_all(&signed)?),
    }
}

fn verify(args: &VerifyArgs, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    let certificates = args.cert.iter().map(|path| read_certificate(path)).collect::<Result<Vec<_>, _>>()?;
    let bytes = read_file(&args.file)?;
    let document = xml::read(&bytes, &Limits::default())?;
    let verified = envelope::verify(envelope::read(&document)?, &certificates, args.at.unwrap_or(now))?;
    let mut told = tell(verified.header(), verified.body(), &document);
    if let Value::Object(fields) = &mut told {
        fields.insert("contentDigest".to_owned(), json!(verified.content_digest()));
        fields.insert("signedBy".to_owned(), json!(verified.signed_by()));
    }
    print(&told, out)
}

fn show(args: &ShowArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let bytes = read_file(&args.file)?;
    let document = xml::read(&bytes, &Limits::default())?;
    let unverified = envelope::read(&document)?;
    let mut told = tell(unverified.claimed_header(), unverified.claimed_body(), &document);
    if let Value::Object(fields) = &mut told {
        fields.insert("verified".to_owned(), json!(false));
    }
    print(&told, out)
}

/// The header and what the body is; never the body's words.
fn tell(header: &Header, body: &Body<'_>, document: &Document<'_>) -> Value {
    let body = match body {
        Body::Xml(node) => json!({
            "namespace": node.tag_name().namespace(), "element": node.tag_name().name(), "line": document.line(*node),
        }),
        Body::Payload { media_type, bytes } => json!({ "mediaType": media_type, "sizeBytes": bytes.len() }),
    };
    let via = header.via.as_ref();
    let via = via.map(|v| json!({ "gateway": v.gateway, "acceptedAt": v.accepted_at, "digest": v.digest }));
    let attachments: Vec<Value> = header
        .attachments
        .iter()
        .map(|a| json!({ "digest": a.digest, "sizeBytes": a.size_bytes, "mediaType": a.media_type, "inline": a.inline.is_some() }))
        .collect();
    json!({
        "messageId": header.message_id,
        "conversationId": header.conversation_id,
        "inReplyTo": header.in_reply_to,
        "caseId": header.case_id,
        "type": header.message_type.name,
        "version": header.message_type.version,
        "sender": header.sender,
        "recipient": header.recipient,
        "created": header.created,
        "expires": header.expires,
        "priority": header.priority,
        "test": header.test,
        "via": via,
        "derivedFrom": header.derived_from,
        "attachments": attachments,
        "body": body,
    })
}

/// A file with its media type.
#[derive(Debug, Clone)]
struct TypedFile {
    media_type: String,
    path: PathBuf,
}

fn typed_file(text: &str) -> Result<TypedFile, String> {
    let (media_type, path) = text.split_once(':').ok_or("TYPE:FILE is needed, such as application/pdf:act.pdf")?;
    Ok(TypedFile { media_type: media_type.to_owned(), path: path.into() })
}

/// Lists a file by its digest; it is read in parts, however large it is.
fn attachment(file: &TypedFile) -> Result<Attachment, Failure> {
    let failed = |e: std::io::Error| named(&file.path, e);
    let mut reader = std::io::BufReader::with_capacity(READ_BYTES, std::fs::File::open(&file.path).map_err(failed)?);
    let (mut hash, mut size_bytes) = (Sha256::new(), 0_u64);
    loop {
        let part = reader.fill_buf().map_err(failed)?;
        let read = part.len();
        if read == 0 {
            break;
        }
        hash.update(part);
        size_bytes = size_bytes.saturating_add(read as u64);
        reader.consume(read);
    }
    let name = file.path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
    let media_type = file.media_type.clone();
    Ok(Attachment { digest: hash.finish(), size_bytes, media_type, name, inline: None, signs: None })
}

fn print(value: &Value, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

/// A UUID of version 7 for the given instant.
fn new_uuid(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.micros().div_euclid(1_000_000)).unwrap_or_default();
    let nanos = u32::try_from(now.micros().rem_euclid(1_000_000)).unwrap_or_default() * 1000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

pub(super) fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    Certificate::from_pem(&read_file(path)?).map_err(|e| named(path, e))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| named(path, e))
}

pub(super) fn named(path: &Path, problem: impl fmt::Display) -> Failure {
    Failure::new(format!("{}: {problem}", path.display()))
}

fn message_type(text: &str) -> Result<MessageType, String> {
    let (name, version) = text.split_once('/').unwrap_or((text, "1"));
    let version = version.parse().map_err(|_| format!("`{version}` is no version: a whole number from 1 is needed"))?;
    MessageType::new(name, version).map_err(|e| e.to_string())
}

fn message_id(text: &str) -> Result<MessageId, String> {
    let id = MessageId::parse(text).map_err(|e| e.to_string())?;
    if id.is_time_ordered() { Ok(id) } else { Err("a UUID of version 7 is needed".to_owned()) }
}

fn priority(text: &str) -> Result<Priority, String> {
    Priority::parse(text).ok_or_else(|| "normal, urgent or emergency is needed".to_owned())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    xml::instant(text).ok_or_else(|| "an instant with its zone is needed, such as 2026-05-06T10:00:00+05:00".to_owned())
}
