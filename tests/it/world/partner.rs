//! A small receiving system: an HTTP server that verifies what the gateway delivers, keeps it, and answers as it is told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use mezhved::crypto::Certificate;
use mezhved::domain::{MessageId, ParticipantId};

use super::RUNTIME;
use super::agency::Agency;
use super::opened::Opened;

/// The largest delivery that it takes.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What it does with a delivery after it was verified and kept.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// A signed receipt.
    Receipt,
    /// 200 and nothing.
    Silent,
    /// This status and nothing; the message is not kept.
    Status(u16),
    /// A signed fault with this code.
    Fault(String),
    /// 200 and bytes that are no receipt.
    Garbage,
    /// No answer at all; the message is not kept.
    Hangs,
    /// A signed receipt, but late.
    Slow(std::time::Duration),
    /// A signed receipt, but every n-th is kept and then answered with 500, as if the answer was lost on its way.
    LosesEvery(usize),
}

/// One message as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) bytes: Vec<u8>,
    pub(crate) opened: Opened,
    pub(crate) headers: HeaderMap,
}

struct Shared {
    agency: Arc<Agency>,
    gateway: Certificate,
    behaviour: Mutex<Behaviour>,
    copies: Mutex<Vec<Copy>>,
    problems: Mutex<Vec<String>>,
    calls: AtomicUsize,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(crate) struct Partner {
    url: String,
    shared: Arc<Shared>,
}

impl Partner {
    /// Starts listening on a free port of loopback.
    pub(crate) fn start(agency: Arc<Agency>, gateway: Certificate) -> Self {
        let shared = Arc::new(Shared {
            agency,
            gateway,
            behaviour: Mutex::new(Behaviour::Receipt),
            copies: Mutex::default(),
            problems: Mutex::default(),
            calls: AtomicUsize::new(0),
        });
        let layer = axum::extract::DefaultBodyLimit::max(BYTES_MAX);
        let router = axum::Router::new().route("/inbox", post(take)).layer(layer).with_state(shared.clone());
        let listener = RUNTIME.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/inbox", listener.local_addr().unwrap());
        RUNTIME.spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How often it was called, whatever it did.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Acquire)
    }

    /// From now on behaves so.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// Everything that was kept, in order, copies of one message too.
    pub(crate) fn copies(&self) -> Vec<Copy> {
        self.no_problems();
        self.shared.copies.lock().unwrap().clone()
    }

    /// How many copies were kept, and of how many different messages.
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.no_problems();
        let copies = self.shared.copies.lock().unwrap();
        (copies.len(), ids(&copies).len())
    }

    /// The different messages that were kept, by sender and id.
    pub(crate) fn ids(&self) -> BTreeSet<(ParticipantId, MessageId)> {
        self.no_problems();
        ids(&self.shared.copies.lock().unwrap())
    }

    /// The first kept message of this type, if it came.
    pub(crate) fn first(&self, kind: &str) -> Option<Copy> {
        self.copies().into_iter().find(|copy| copy.opened.kind() == kind)
    }

    /// The first kept copy of this message, if it came.
    pub(crate) fn message(&self, id: MessageId) -> Option<Copy> {
        self.copies().into_iter().find(|copy| copy.opened.header.message_id == id)
    }

    /// What the gateway sends must verify by the gateway's certificate.
    fn no_problems(&self) {
        let problems = self.shared.problems.lock().unwrap();
        assert!(problems.is_empty(), "{}: {problems:?}", self.shared.agency.id);
    }
}

fn ids(copies: &[Copy]) -> BTreeSet<(ParticipantId, MessageId)> {
    copies.iter().map(|c| (c.opened.header.sender.clone(), c.opened.header.message_id)).collect()
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let opened = match Opened::read(&bytes, &shared.gateway) {
        Ok(opened) => opened,
        Err(fault) => {
            shared.problems.lock().unwrap().push(fault.to_string());
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let behaviour = shared.behaviour.lock().unwrap().clone();
    shared.calls.fetch_add(1, Ordering::AcqRel);
    if let Behaviour::Hangs = behaviour {
        std::future::pending::<()>().await;
    }
    if let Behaviour::Slow(time) = behaviour {
        tokio::time::sleep(time).await;
    }
    if let Behaviour::Status(status) = behaviour {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let count = {
        let mut copies = shared.copies.lock().unwrap();
        copies.push(Copy { bytes: bytes.to_vec(), opened: opened.clone(), headers });
        copies.len()
    };
    if opened.header.message_type.technical().is_some_and(|technical| !technical.wants_receipt()) {
        // Nobody waits for an answer to a notice.
        return StatusCode::OK.into_response();
    }
    match behaviour {
        Behaviour::LosesEvery(n) if count.is_multiple_of(n) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Behaviour::Receipt | Behaviour::Slow(_) | Behaviour::LosesEvery(_) => {
            xml(StatusCode::OK, shared.agency.receipt(&opened))
        }
        Behaviour::Fault(code) => xml(StatusCode::UNPROCESSABLE_ENTITY, shared.agency.refusal(&opened, &code)),
        Behaviour::Garbage => xml(StatusCode::OK, b"<ok/>".to_vec()),
        Behaviour::Silent | Behaviour::Status(_) | Behaviour::Hangs => StatusCode::OK.into_response(),
    }
}

fn xml(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/xml; charset=utf-8")], bytes).into_response()
}
