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

use futures_util::StreamExt as _;
use lapin::Consumer;
use lapin::options::BasicAckOptions;

use super::broker::{Broker, Reads};
use super::load::say;
use super::protocol::{Ask, Said};
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

/// Runs the receiving systems of a folder, one for each of its folders, until the input ends. Where the folder has a file with a broker's
/// address, they read their queues too.
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
    while let Some(line) = lines.next_line().await.map_err(|e| BenchError::defect(&e))? {
        let said = match serde_json::from_str(&line).map_err(|e| BenchError::defect(&e))? {
            Ask::Attach => {
                if let Some(url) = home::broker(folder)? {
                    attach(&sink, &url).await?;
                }
                Said::Ready { address: None }
            }
            Ask::Come => {
                let mut arrivals = sink.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                let messages = std::mem::take(&mut arrivals.untold);
                Said::Arrived { messages, repeated: arrivals.repeated }
            }
        };
        say(&said)?;
    }
    server.abort();
    Ok(())
}

async fn attach(sink: &Arc<Sink>, url: &str) -> Result<(), BenchError> {
    for (name, identity) in &sink.partners {
        let (broker, consumer) = Broker::connect(url, &identity.profile.id, Reads::Deliveries).await?;
        tokio::spawn(read(sink.clone(), name.clone(), Arc::new(broker), consumer));
    }
    Ok(())
}

/// Takes what comes on a queue, as many at once as the broker hands out.
async fn read(sink: Arc<Sink>, partner: String, broker: Arc<Broker>, mut queue: Consumer) {
    while let Some(Ok(delivery)) = queue.next().await {
        let (sink, partner, broker, at) = (sink.clone(), partner.clone(), broker.clone(), now_micros());
        tokio::spawn(async move {
            // What is not acknowledged does not count as come: the bench then says how many are missing.
            if let Some((receipt, id)) = receipted(sink, partner, delivery.data.clone(), at).await
                && broker.publish(&receipt, id).await.is_ok()
            {
                drop(delivery.ack(BasicAckOptions::default()).await);
            }
        });
    }
}

async fn take(State(sink): State<Arc<Sink>>, Of(partner): Of<String>, body: Body) -> Response {
    let at = now_micros();
    let Ok(bytes) = to_bytes(body, BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    if !sink.partners.contains_key(&partner) {
        // The sender, which is told of its messages.
        return StatusCode::NO_CONTENT.into_response();
    }
    match receipted(sink, partner, bytes.into(), at).await {
        Some((receipt, _)) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/xml; charset=utf-8")], receipt).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Verifies what came, notes it, and makes the partner's receipt, with its id.
async fn receipted(sink: Arc<Sink>, partner: String, bytes: Vec<u8>, at: i64) -> Option<(Vec<u8>, uuid::Uuid)> {
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
        Some((receipt.bytes, receipt.header.message_id.uuid()))
    });
    receipt.await.ok().flatten()
}
