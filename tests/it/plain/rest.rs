//! A stand-in for a partner that has only a REST endpoint.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use crate::support::eventually;
use crate::world::{RUNTIME, SOON};

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header's text; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What it answers.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: String::new() }
    }

    pub(super) fn json(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: "application/json; charset=utf-8", body: body.into() }
    }
}

struct Shared {
    requests: Mutex<Vec<Request>>,
    replies: Mutex<VecDeque<Reply>>,
    /// A request is answered only with a permit.
    open: Semaphore,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(super) struct Rest {
    url: String,
    shared: Arc<Shared>,
}

impl Rest {
    /// Starts listening on a free port of loopback; answers 204 until it is told otherwise.
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            replies: Mutex::new(VecDeque::from([Reply::status(204)])),
            open: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        });
        let router = axum::Router::new().fallback(take).with_state(shared.clone());
        let listener = RUNTIME.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        RUNTIME.spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// From now on answers these in turn, the last one again and again.
    pub(super) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        *self.shared.replies.lock().unwrap() = replies.into_iter().collect();
    }

    /// Keeps who asks waiting until [`Rest::open`].
    pub(super) fn shut(&self) {
        self.shared.open.forget_permits(usize::MAX);
    }

    pub(super) fn open(&self) {
        self.shared.open.add_permits(1_000);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until so many requests came.
    pub(super) fn until(&self, count: usize) -> Vec<Request> {
        eventually(&format!("{count} requests"), SOON, || Some(self.requests()).filter(|all| all.len() >= count))
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().unwrap().to_string();
    shared.requests.lock().unwrap().push(Request { method, path, headers, body: body.to_vec() });
    let _permit = shared.open.acquire().await.unwrap();
    let reply = {
        let mut replies = shared.replies.lock().unwrap();
        if replies.len() > 1 { replies.pop_front().unwrap() } else { replies.front().unwrap().clone() }
    };
    (StatusCode::from_u16(reply.status).unwrap(), [(header::CONTENT_TYPE, reply.content_type)], reply.body)
        .into_response()
}
