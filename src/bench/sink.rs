//! The receiving system, a process of its own: verifies what comes, answers with its signed receipt, and notes when it came.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path as Of, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use super::load::say;
use super::protocol::Said;
use super::{BenchError, home, now_micros};
use crate::system::Identity;

const BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Default)]
struct Arrivals {
    first: BTreeMap<uuid::Uuid, i64>,
    untold: Vec<(uuid::Uuid, i64)>,
    repeated: u64,
}

struct Sink {
    partners: BTreeMap<String, Identity>,
    arrivals: Mutex<Arrivals>,
}

/// Runs the receiving systems of a folder, one for each of its folders, until the input ends. Each line of the input asks what has come.
pub(super) async fn run(folder: &Path) -> Result<(), BenchError> {
    let mut partners = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|e| BenchError::defect(&e))? {
        let path: PathBuf = entry.map_err(|e| BenchError::defect(&e))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_dir()) {
            partners.insert(name.to_owned(), home::load(&path)?);
        }
    }
    let sink = Arc::new(Sink { partners, arrivals: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| BenchError::defect(&e))?;
    let address = listener.local_addr().map_err(|e| BenchError::defect(&e))?;
    let router = Router::new().route("/{partner}", post(take)).with_state(sink.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    say(&Said::Ready { address: Some(address.to_string()) })?;
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(tokio::io::stdin()));
    while lines.next_line().await.map_err(|e| BenchError::defect(&e))?.is_some() {
        let said = {
            let mut arrivals = sink.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            let messages = std::mem::take(&mut arrivals.untold);
            Said::Arrived { messages, repeated: arrivals.repeated }
        };
        say(&said)?;
    }
    server.abort();
    Ok(())
}

async fn take(State(sink): State<Arc<Sink>>, Of(partner): Of<String>, body: Body) -> Response {
    let at = now_micros();
    let Ok(bytes) = to_bytes(body, BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let receipt = tokio::task::spawn_blocking(move || {
        let identity = sink.partners.get(&partner)?;
        let opened = identity.open(&bytes).ok()?;
        let receipt = identity.receipt(&opened).ok()?;
        let id = opened.header.message_id.uuid();
        let mut arrivals = sink.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.first.insert(id, at).is_none() {
            arrivals.untold.push((id, at));
        } else {
            arrivals.repeated = arrivals.repeated.saturating_add(1);
        }
        Some(receipt.bytes)
    });
    match receipt.await {
        Ok(Some(bytes)) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/xml; charset=utf-8")], bytes).into_response()
        }
        Ok(None) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
