//! A system without envelopes: an HTTP endpoint that takes bodies in its own form and answers with its status, with the message that the
//! configuration expects in the very answer, and with what it posts by its token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::time::sleep;

use crate::crypto::{is_same, sha256};
use crate::domain::{
    CaseId, ConversationId, Header, MessageId, MessageType, ParticipantId, Plain, PlainMethod, Priority, Timestamp,
    media_type,
};
use crate::settings::Secret;

use super::identity::{Opened, OwnBody, Signed};
use super::{Behaviour, Event, Received, Sent, System};

/// The largest body taken.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most answers that are kept for a repeat.
const ANSWERS_MAX: usize = 10_000;
/// The type of the gateway's reminders.
const REMINDER: &str = "deadline-reminder";

/// How a system without envelopes is spoken to, and how it speaks.
pub(crate) struct Bare {
    plain: Plain,
    url: String,
    /// The whole value of `Authorization` that it expects.
    authorization: Option<Secret>,
    /// By which it posts; `None`: it does not.
    token: Option<Secret>,
    /// What goes with the response, by whom it answers; `None`: it is expected.
    answers: Mutex<BTreeMap<Asked, Option<Signed>>>,
    /// Held while an answer is made: two copies of a request get one.
    turn: Mutex<()>,
}

/// A message that came: who sent it, and its id.
type Asked = (ParticipantId, MessageId);

/// What is written back.
struct Reply {
    status: StatusCode,
    content_type: String,
    bytes: Vec<u8>,
}

impl Reply {
    fn status(status: StatusCode) -> Self {
        Self { status, content_type: "text/plain".to_owned(), bytes: Vec::new() }
    }
}

/// Why a request is not taken: the status, and what was expected.
type Unwanted = (StatusCode, String);

impl Bare {
    /// An endpoint at the participant's address. `authorization` is the whole value of the header that it expects, `token` the one by
    /// which it posts to the gateway.
    pub(crate) fn new(plain: Plain, url: String, authorization: Option<Secret>, token: Option<Secret>) -> Self {
        Self { plain, url, authorization, token, answers: Mutex::default(), turn: Mutex::default() }
    }

    /// The token by which it posts, if it does.
    pub(super) fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// What it can never do, for whoever started it.
    pub(super) fn lacks(&self) -> Option<String> {
        (self.token.is_none() && self.plain.responses.is_empty()).then(|| {
            "no --token-file and nothing in [plain.responses]: what comes is taken with 2xx and never answered"
                .to_owned()
        })
    }

    /// Whether the gateway tells it of what is overdue.
    pub(super) fn is_reminded(&self) -> bool {
        self.plain.paths.contains_key(REMINDER)
    }

    /// Where a message of its own goes: kept for the response that waits for it (`None`), or to be posted.
    pub(super) fn route(&self, signed: Signed) -> Result<Option<Signed>, String> {
        let header = &signed.header;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let place = header.in_reply_to.and_then(|id| answers.get_mut(&(header.recipient.clone(), id)));
        let is_wanted = self.plain.responses.values().any(|kind| *kind == header.message_type);
        if let Some(place @ None) = place
            && is_wanted
        {
            *place = Some(signed);
            return Ok(None);
        }
        drop(answers);
        if self.token.is_some() {
            return Ok(Some(signed));
        }
        let kind = &signed.header.message_type;
        Err(format!("{kind} is not sent: it does not go with a response, and posting it needs --token-file"))
    }

    /// Keeps a place for what goes with the response. Returns what stands there already.
    fn expect(&self, asked: &Asked) -> Option<Signed> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.entry(asked.clone()).or_default().clone();
        while answers.len() > ANSWERS_MAX {
            answers.pop_first();
        }
        known
    }

    /// What was kept for the response; nothing more is, when nothing was.
    fn kept(&self, asked: &Asked) -> Option<Signed> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = answers.get(asked).cloned().flatten();
        if kept.is_none() {
            answers.remove(asked);
        }
        kept
    }

    /// Whether a request is the gateway's and came where the configuration says; the header of its message.
    fn judge(&self, own: &ParticipantId, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Header, Unwanted> {
        if let Some(expected) = &self.authorization {
            let shown = headers.get(header::AUTHORIZATION).map(|value| sha256(value.as_bytes()));
            if !shown.is_some_and(|shown| is_same(&shown, &sha256(expected.reveal().as_bytes()))) {
                let told = "Authorization is not that of the secret in the configuration folder".to_owned();
                return Err((StatusCode::UNAUTHORIZED, told));
            }
        }
        let wanted = match self.plain.method {
            PlainMethod::Post => Method::POST,
            PlainMethod::Put => Method::PUT,
        };
        if *method != wanted {
            return Err((StatusCode::METHOD_NOT_ALLOWED, format!("{wanted} is expected, not {method}")));
        }
        let told = told(own, headers).map_err(|name| (StatusCode::BAD_REQUEST, format!("{name} cannot be read")))?;
        let address = url::Url::parse(&self.plain.address(&self.url, &told));
        let query = |url: &url::Url| url.query().map_or(String::new(), |query| format!("?{query}"));
        let expected = address.map(|url| format!("{}{}", url.path(), query(&url))).unwrap_or_default();
        let came = uri.path_and_query().map_or("", |path| path.as_str());
        if came != expected {
            let told = format!("{} is expected at {expected}, not at {came}", told.message_type);
            return Err((StatusCode::NOT_FOUND, told));
        }
        Ok(told)
    }
}

/// The header of a message, as the gateway tells it. An error names what cannot be read.
fn told(own: &ParticipantId, headers: &HeaderMap) -> Result<Header, &'static str> {
    let text = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
    let needed = |name: &'static str| text(name).ok_or(name);
    let kind = |text: &str| {
        let (name, version) = text.split_once('/')?;
        MessageType::new(name, version.parse().ok()?).ok()
    };
    let optional = |name: &'static str| text(name).map(|id| MessageId::parse(id).map_err(|_| name)).transpose();
    Ok(Header {
        message_id: MessageId::parse(needed("mezhved-message-id")?).map_err(|_| "mezhved-message-id")?,
        conversation_id: ConversationId::parse(needed("mezhved-conversation-id")?)
            .map_err(|_| "mezhved-conversation-id")?,
        in_reply_to: optional("mezhved-in-reply-to")?,
        case_id: text("mezhved-case-id").map(|id| CaseId::parse(id).map_err(|_| "mezhved-case-id")).transpose()?,
        message_type: kind(needed("mezhved-type")?).ok_or("mezhved-type")?,
        sender: ParticipantId::parse(needed("mezhved-sender")?).map_err(|_| "mezhved-sender")?,
        recipient: own.clone(),
        created: Timestamp::parse(needed("mezhved-created")?).ok_or("mezhved-created")?,
        expires: None,
        priority: text("mezhved-priority").and_then(Priority::parse).unwrap_or_default(),
        test: text("mezhved-test") == Some("true"),
        via: None,
        derived_from: optional("mezhved-derived-from")?,
        attachments: Vec::new(),
    })
}

/// The router of a system's own address.
pub(super) fn router(system: Arc<System>, bare: Arc<Bare>) -> Router {
    Router::new().fallback(take).with_state((system, bare))
}

async fn take(
    State((system, bare)): State<(Arc<System>, Arc<Bare>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(bytes) = to_bytes(body, BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    // A task of its own: the gateway may hang up, what was begun is finished.
    let taken = tokio::spawn(async move {
        system.before_taking().await?;
        let header = match bare.judge(&system.identity.profile.id, &method, &uri, &headers) {
            Ok(header) => header,
            Err((status, text)) => {
                system.trouble(format!("HTTP {}: {text}", status.as_u16()));
                return Ok(Reply { bytes: text.into_bytes(), ..Reply::status(status) });
            }
        };
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let opened = Opened { header, digest: sha256(&bytes), body: own_body(media_type, bytes.to_vec()) };
        let taken = tokio::task::spawn_blocking(move || system.took_bare(&bare, &opened, &bytes));
        taken.await.map_err(|e| e.to_string())?
    });
    match taken.await {
        Ok(Ok(reply)) => (reply.status, [(header::CONTENT_TYPE, reply.content_type)], reply.bytes).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn own_body(media_type: &str, bytes: Vec<u8>) -> OwnBody {
    if media_type::is_xml(&media_type::essence(media_type)) {
        return OwnBody::Xml(bytes);
    }
    OwnBody::Payload { media_type: media_type.to_owned(), bytes }
}

impl System {
    /// Records what came, does what is owed on it, and says what is written back.
    fn took_bare(self: &Arc<Self>, bare: &Bare, opened: &Opened, bytes: &[u8]) -> Result<Reply, String> {
        let behaviour = self.identity.profile.behaviour;
        if behaviour == Behaviour::Broken {
            return Ok(self.broken_reply(&opened.header));
        }
        let is_technical = opened.header.message_type.technical().is_some();
        if !is_technical && let Err(text) = self.canonical(opened) {
            self.trouble(format!("refused what came: {text}"));
            return Ok(Reply::status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        let (from, id, kind) =
            (opened.header.sender.clone(), opened.header.message_id, opened.header.message_type.name.clone());
        let received = Received { sender: from.clone(), id, kind: kind.clone(), digest: opened.digest.to_string() };
        let is_new = self.on_disk(|records| records.receive(&received, bytes))?;
        self.say(&Event::Received { id, kind: kind.clone(), from: from.clone(), again: !is_new });
        let asked = (from, id);
        if !bare.plain.responses.contains_key(&kind) || !behaviour.answers_at_once() {
            if is_new {
                self.follow(opened);
            }
            // "Accepted": there is no answer in the body, it comes later if at all.
            return Ok(Reply::status(StatusCode::ACCEPTED));
        }
        // A repeat gets what the first got; after a restart it is made anew, for the gateway takes the first only.
        let _turn = bare.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = bare.expect(&asked) {
            return Ok(self.reply(known));
        }
        self.follow(opened);
        let Some(answer) = bare.kept(&asked) else { return Ok(Reply::status(StatusCode::ACCEPTED)) };
        let header = &answer.header;
        let (id, kind, digest) = (header.message_id, header.message_type.name.clone(), answer.digest.to_string());
        let (to, in_reply_to) = (header.recipient.clone(), header.in_reply_to);
        let sent = Sent { id, to: to.clone(), kind: kind.clone(), digest, receipted: false };
        self.on_disk(|records| records.sending(&sent, &answer.bytes))?;
        self.say(&Event::Responded { id, kind, to, in_reply_to });
        Ok(self.reply(answer))
    }

    fn reply(&self, answer: Signed) -> Reply {
        Reply { status: StatusCode::OK, content_type: self.own_media_type(), bytes: answer.bytes }
    }

    /// The media type of its own bodies.
    pub(super) fn own_media_type(&self) -> String {
        let own = self.adapter.as_ref().map(|adapter| adapter.media_type()).filter(|own| !own.is_empty());
        own.unwrap_or("application/xml; charset=utf-8").to_owned()
    }

    /// What a broken endpoint answers: in turn nothing, a page, a piece of a body, and a refusal.
    fn broken_reply(&self, about: &Header) -> Reply {
        self.trouble(format!("{} {}: a bad answer, as told", about.message_type, about.message_id));
        let turn = self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 4;
        let page = || (StatusCode::OK, "text/html".to_owned(), b"<html><body>It works!</body></html>".to_vec());
        let (status, content_type, bytes) = match turn {
            0 => return Reply::status(StatusCode::INTERNAL_SERVER_ERROR),
            1 => page(),
            2 => (StatusCode::OK, self.own_media_type(), b"{<".to_vec()),
            _ => return Reply::status(StatusCode::UNPROCESSABLE_ENTITY),
        };
        Reply { status, content_type, bytes }
    }

    /// Without reminders who is late has nothing to wait for but its pause.
    pub(super) fn waits_itself(&self) -> bool {
        self.identity.profile.behaviour == Behaviour::Late && self.bare.as_ref().is_some_and(|b| !b.is_reminded())
    }

    /// Does what waits in a thread after the pause.
    pub(super) fn do_later(self: &Arc<Self>, thread: String) {
        let (system, pause) = (self.clone(), self.pause());
        tokio::spawn(async move {
            sleep(pause).await;
            let own = system.clone();
            let done = tokio::task::spawn_blocking(move || {
                if let Some(office) = &own.office {
                    own.do_what_may_be(office, &thread);
                }
            });
            if let Err(error) = done.await {
                system.trouble(error.to_string());
            }
        });
    }
}
