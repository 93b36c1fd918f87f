//! What the agencies send: drawn before the time begins.

use mezhved::domain::{CaseId, ConversationId, Header, MessageId, Timestamp};

use crate::draw::Draw;
use crate::ground::{begins, ground};
use crate::net::Written;
use crate::party::{header, new_id, sign};

const REQUEST: &str = include_str!("../../schemas/social/document-request/1/samples/minimal.xml");
const RESPONSE: &str = include_str!("../../schemas/social/document-response/1/samples/minimal.xml");
const NOTE: &str = include_str!("../../schemas/social/note/1/samples/minimal.xml");
const APPLICATION: &str = include_str!("../../schemas/social/application/1/samples/minimal.xml");
const WITHDRAWAL: &str = include_str!("../../schemas/social/request-withdrawal/1/samples/minimal.xml");
/// The id that the sample of a withdrawal names.
const WITHDRAWN: &str = "01931f6e-7a00-7000-8000-000000000001";

/// Who is asked for documents.
const ASKED: [&str; 3] = ["health", "police", "education"];

/// A message to be.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) to: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) id: Option<MessageId>,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) in_reply_to: Option<MessageId>,
    pub(crate) case: Option<CaseId>,
    /// Sent once the item with this number was acknowledged.
    pub(crate) after: Option<usize>,
    /// What a withdrawal is about.
    pub(crate) about: Option<MessageId>,
    pub(crate) expires_seconds: Option<i64>,
}

impl Letter {
    fn plain(to: &'static str, kind: &'static str) -> Self {
        Self {
            to,
            kind,
            id: None,
            conversation: None,
            in_reply_to: None,
            case: None,
            after: None,
            about: None,
            expires_seconds: None,
        }
    }

    /// The answer to a request.
    pub(crate) fn response(_from: &'static str, request: &Header) -> Self {
        Self {
            conversation: Some(request.conversation_id),
            in_reply_to: Some(request.message_id),
            ..Self::plain("uszn", "document-response")
        }
    }

    pub(crate) fn write(&self, from: &'static str, draw: &mut Draw, now: Timestamp) -> Written {
        let mut head = header(from, self.to, self.kind, draw, now);
        head.message_id = self.id.unwrap_or(head.message_id);
        head.conversation_id = self.conversation.unwrap_or(head.conversation_id);
        head.in_reply_to = self.in_reply_to;
        head.case_id = self.case;
        head.expires = self.expires_seconds.map(|seconds| now.plus_seconds(seconds));
        let body = match self.kind {
            "document-request" => REQUEST.to_owned(),
            "document-response" => RESPONSE.to_owned(),
            "note" => NOTE.to_owned(),
            "application" => APPLICATION.to_owned(),
            "request-withdrawal" => WITHDRAWAL.replace(WITHDRAWN, &self.about.unwrap().to_string()),
            other => panic!("no body for {other}"),
        };
        let id = head.message_id;
        let sealed = sign(head, body.into_bytes(), &ground().signers[from]);
        Written { id, bytes: sealed.bytes, digest: sealed.digest }
    }
}

/// The letters with their senders, in the order of their numbers.
pub(crate) fn letters(draw: &mut Draw) -> Vec<(&'static str, Letter)> {
    let mut all = Vec::new();
    for _ in 0..draw.between(2, 5) {
        let id = MessageId::from_uuid(new_id(draw, begins()));
        let conversation = ConversationId::from_uuid(new_id(draw, begins()));
        let to = *draw.pick(&ASKED);
        let number = all.len();
        let request =
            Letter { id: Some(id), conversation: Some(conversation), ..Letter::plain(to, "document-request") };
        all.push(("uszn", request));
        if draw.permille(150) {
            let withdrawal = Letter {
                conversation: Some(conversation),
                about: Some(id),
                after: Some(number),
                ..Letter::plain(to, "request-withdrawal")
            };
            all.push(("uszn", withdrawal));
        }
    }
    for _ in 0..draw.between(1, 2) {
        let conversation = ConversationId::from_uuid(new_id(draw, begins()));
        let to = *draw.pick(&ASKED);
        let mut before = None;
        for _ in 0..draw.between(2, 5) {
            let number = all.len();
            let expires_seconds = draw.permille(100).then(|| draw.between(5, 200));
            let note = Letter {
                conversation: Some(conversation),
                after: before,
                expires_seconds,
                ..Letter::plain(to, "note")
            };
            all.push(("uszn", note));
            before = Some(number);
        }
    }
    if draw.permille(600) {
        let case = CaseId::from_uuid(new_id(draw, begins()));
        for to in ["uszn", "provider"] {
            all.push(("uszn", Letter { case: Some(case), ..Letter::plain(to, "application") }));
        }
        let about_case = Letter { case: Some(case), ..Letter::plain("uszn", "note") };
        all.push(("provider", Letter { after: Some(all.len() - 2), ..about_case }));
    }
    all
}
