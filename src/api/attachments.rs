//! Files that messages list and do not carry, streamed in and out: never whole in memory.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;
use tracing::warn;

use super::Face;
use super::messages::unsigned;
use super::state::bearer;
use crate::domain::{Digest, Fault, FaultCode};
use crate::gateway::{Begun, Readable};
use crate::transport::http::{REFUSED_BYTES_READ_MAX, closing};

/// How long reading some of a refused file may take.
const REFUSED_TIME_MAX: Duration = Duration::from_secs(5);

/// `PUT /v1/attachments/{digest}`.
pub(super) async fn put(
    State(face): State<Face>,
    Path(digest): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let whole = Duration::from_secs(u64::from(face.gateway.settings().attachments.upload_seconds_max));
    match timeout(whole, upload(&face, &digest, &headers, body)).await {
        Ok(response) => response,
        Err(_) => closing(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

async fn upload(face: &Face, digest: &str, headers: &HeaderMap, body: Body) -> Response {
    let idle = Duration::from_secs(u64::from(face.gateway.settings().attachments.idle_seconds_max));
    // Who waits for `100 Continue` has sent nothing yet, and need not.
    let waits = headers.contains_key(header::EXPECT);
    let mut body = Arriving { chunks: body.into_data_stream(), idle };
    let refused = |fault: Fault, mut body: Arriving| async move {
        if !waits {
            drop(timeout(REFUSED_TIME_MAX, body.pass_over(REFUSED_BYTES_READ_MAX as u64)).await);
        }
        closing(told(&fault))
    };
    let Some(token) = bearer(headers) else { return refused(no_ticket(), body).await };
    let Ok(digest) = Digest::parse_hex(digest) else { return refused(no_digest(), body).await };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut upload = match face.gateway.begin_upload(token, digest, announced).await {
        Ok(Begun::Upload(upload)) => upload,
        Ok(Begun::Held(size)) => {
            if !waits {
                body.pass_over(face.gateway.settings().attachments.bytes_max).await;
            }
            return stored(StatusCode::OK, digest, size);
        }
        Err(fault) => return refused(fault, body).await,
    };
    loop {
        match body.next().await {
            Next::Bytes(bytes) => {
                if let Err(fault) = upload.write(&bytes).await {
                    return refused(fault, body).await;
                }
            }
            Next::End => break,
            // Nobody is left to answer; what has come goes with the upload.
            Next::Broken => return closing(StatusCode::BAD_REQUEST.into_response()),
            Next::Idle => return closing(StatusCode::REQUEST_TIMEOUT.into_response()),
        }
    }
    // A task of its own: a peer that hangs up now has sent everything.
    match tokio::spawn(upload.finish()).await {
        Ok(Ok(size)) => stored(StatusCode::CREATED, digest, size),
        Ok(Err(fault)) => told(&fault),
        Err(_) => unsigned(FaultCode::NotNow),
    }
}

/// A body as it comes.
struct Arriving {
    chunks: BodyDataStream,
    idle: Duration,
}

enum Next {
    Bytes(axum::body::Bytes),
    End,
    Broken,
    Idle,
}

impl Arriving {
    async fn next(&mut self) -> Next {
        match timeout(self.idle, self.chunks.next()).await {
            Ok(Some(Ok(bytes))) => Next::Bytes(bytes),
            Ok(Some(Err(_))) => Next::Broken,
            Ok(None) => Next::End,
            Err(_) => Next::Idle,
        }
    }

    /// Reads what is still to come and drops it.
    async fn pass_over(&mut self, bytes_max: u64) {
        let mut passed = 0_u64;
        while let Next::Bytes(bytes) = self.next().await {
            passed = passed.saturating_add(bytes.len() as u64);
            if passed > bytes_max {
                return;
            }
        }
    }
}

/// `GET /v1/attachments/{digest}`, whole or from a byte on.
pub(super) async fn get(State(face): State<Face>, Path(digest): Path<String>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else { return told(&no_ticket()) };
    let Ok(digest) = Digest::parse_hex(&digest) else { return told(&no_digest()) };
    match face.gateway.read_attachment(token, digest).await {
        Ok(readable) => send(readable, digest, &headers).await,
        Err(fault) => told(&fault),
    }
}

async fn send(readable: Readable, digest: Digest, headers: &HeaderMap) -> Response {
    let size = readable.size_bytes();
    let from = headers.get(header::RANGE).and_then(|v| from_byte(v.to_str().ok()?)).unwrap_or(0);
    if from > 0 && from >= size {
        let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
        return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
    }
    let bytes = match readable.read_from(from).await {
        Ok(bytes) => bytes,
        Err(fault) => return told(&fault),
    };
    let rest = size.saturating_sub(from);
    let body = Body::from_stream(bytes);
    let mut response = (
        [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_LENGTH, rest.to_string()),
            (header::ETAG, format!("\"{digest}\"")),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ],
        body,
    )
        .into_response();
    if from > 0 {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        if let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{}/{size}", size.saturating_sub(1))) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    response
}

/// The byte that a cut download goes on from: `bytes=1000-`. Any other range is answered with the whole, as HTTP allows.
fn from_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn no_ticket() -> Fault {
    Fault::new(FaultCode::TicketInvalid, "Authorization: Bearer TOKEN is needed")
}

fn no_digest() -> Fault {
    Fault::new(FaultCode::NotFound, "the address ends with the SHA-256 in 64 lower-case hexadecimal digits")
}

fn stored(status: StatusCode, digest: Digest, size_bytes: u64) -> Response {
    (status, axum::Json(json!({ "digest": digest, "sizeBytes": size_bytes }))).into_response()
}

/// A fault with its detail, for who showed a ticket that was given for a signed request; of what went wrong in here only the code is told.
fn told(fault: &Fault) -> Response {
    let mut response = unsigned(fault.code);
    if fault.code == FaultCode::NotNow {
        warn!(detail = fault.detail, "an attachment: not now");
        return response;
    }
    let said = json!({ "code": fault.code.code(), "text": fault.code.bland(), "detail": fault.detail });
    *response.body_mut() = Body::from(said.to_string());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_download_goes_on_from_a_byte() {
        assert_eq!(from_byte("bytes=1000-"), Some(1000));
        for other in ["bytes=-5", "bytes=1-2", "bytes=1-,3-", "lines=1-", "bytes=x-", ""] {
            assert_eq!(from_byte(other), None, "{other}");
        }
    }
}
