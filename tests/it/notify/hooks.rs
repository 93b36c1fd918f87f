//! The system behind a webhook: keeps every call with its head, verifies its signature, and answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::Value;
use tokio::sync::watch;

use crate::support::eventually;
use crate::world::RUNTIME;

const KEY: &[u8] = b"a key of the tests, of 32 bytes.";

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) body: Value,
}

#[derive(Clone)]
struct Shared {
    calls: Arc<Mutex<Vec<Call>>>,
    /// `None`: keeps the caller waiting.
    status: watch::Sender<Option<u16>>,
}

/// The server; it ends with the process.
pub(crate) struct HookSink {
    pub(crate) url: String,
    shared: Shared,
}

impl HookSink {
    /// Answers with this status, or keeps every caller waiting.
    pub(crate) fn start(status: Option<u16>) -> Self {
        let shared = Shared { calls: Arc::default(), status: watch::Sender::new(status) };
        let router = axum::Router::new().route("/deadlines", post(take)).with_state(shared.clone());
        let listener = RUNTIME.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/deadlines", listener.local_addr().unwrap());
        RUNTIME.spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// The secret in the settings' form.
    pub(crate) fn secret() -> String {
        format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(KEY))
    }

    /// From now on answers so; who waits is answered.
    pub(crate) fn answer(&self, status: Option<u16>) {
        self.shared.status.send_replace(status);
    }

    /// Every call, in order, copies too. Each was signed.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Waits until so many calls came, copies too.
    pub(crate) fn until(&self, count: usize, within: Duration) {
        eventually(&format!("{count} calls"), within, || (self.calls().len() >= count).then_some(()));
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (id, at) = (text("webhook-id"), text("webhook-timestamp"));
    let mut signer = Signer::new(MessageDigest::sha256(), &PKey::hmac(KEY).unwrap()).unwrap();
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &bytes].concat();
    let mac = signer.sign_oneshot_to_vec(&signed).unwrap();
    let expected = format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(mac));
    if text("webhook-signature") != expected {
        return StatusCode::UNAUTHORIZED;
    }
    shared.calls.lock().unwrap().push(Call { id, body: serde_json::from_slice(&bytes).unwrap() });
    let mut status = shared.status.subscribe();
    let answer = status.wait_for(Option::is_some).await.unwrap().unwrap();
    StatusCode::from_u16(answer).unwrap()
}
