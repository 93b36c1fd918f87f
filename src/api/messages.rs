//! Envelopes in, signed answers out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Face;
use crate::domain::FaultCode;
use crate::gateway::{Peer, Reply};
use crate::store::Channel;

/// What a request counts for besides its body.
const REQUEST_BYTES: u32 = 4096;
/// How much of a refused body is read all the same, so that its sender sees the answer and not a broken connection.
const REFUSED_BYTES_READ_MAX: usize = 1024 * 1024;
/// How long that may take.
const REFUSED_TIME_MAX: Duration = Duration::from_secs(2);

pub(super) async fn receive(
    State(face): State<Face>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let peer =
        Peer { channel: Channel::Http, address: Some(address.ip()), queue: None, trace: super::trace_of(&headers) };
    let bytes_max = face.gateway.settings().limits.envelope_bytes_max;
    match take(body, bytes_max, &face.held).await {
        // A task of its own: a peer that hangs up must not stop a message between its judgement and its record.
        Taken::Whole(bytes, held) => {
            let taken = tokio::spawn(async move {
                let reply = face.gateway.receive(bytes, &peer).await;
                drop(held);
                reply
            });
            match taken.await {
                Ok(reply) => respond(reply),
                Err(_) => unsigned(FaultCode::NotNow),
            }
        }
        Taken::TooLarge => respond(face.gateway.refuse_too_large(&peer).await),
        Taken::NoRoom => unsigned(FaultCode::NotNow),
        // The peer went away in the middle of its body: nobody is left to answer.
        Taken::Broken => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What came of reading a body.
#[derive(Debug)]
pub(super) enum Taken {
    /// All of it, and its place among what is held.
    Whole(Vec<u8>, OwnedSemaphorePermit),
    TooLarge,
    NoRoom,
    Broken,
}

/// Reads a body. It takes its room as it arrives, so that whoever only announces a large one takes none from others.
pub(super) async fn take(body: Body, bytes_max: usize, held: &Arc<Semaphore>) -> Taken {
    let mut chunks = body.into_data_stream();
    let taken = read(&mut chunks, bytes_max, held).await;
    if matches!(taken, Taken::TooLarge | Taken::NoRoom) {
        pass_over(&mut chunks).await;
    }
    taken
}

/// Reads some of what is still to come of a refused body, and drops it.
pub(super) async fn pass_over(chunks: &mut BodyDataStream) {
    let some = async {
        let mut passed = 0_usize;
        while let Some(Ok(chunk)) = chunks.next().await {
            passed = passed.saturating_add(chunk.len());
            if passed > REFUSED_BYTES_READ_MAX {
                return;
            }
        }
    };
    drop(timeout(REFUSED_TIME_MAX, some).await);
}

async fn read(chunks: &mut BodyDataStream, bytes_max: usize, held: &Arc<Semaphore>) -> Taken {
    let room = |bytes: u32| held.clone().try_acquire_many_owned(bytes);
    let Ok(mut place) = room(REQUEST_BYTES) else { return Taken::NoRoom };
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { return Taken::Broken };
        if bytes.len().saturating_add(chunk.len()) > bytes_max {
            return Taken::TooLarge;
        }
        match u32::try_from(chunk.len()).map(room) {
            Ok(Ok(more)) => place.merge(more),
            Ok(Err(_)) | Err(_) => return Taken::NoRoom,
        }
        bytes.extend_from_slice(&chunk);
    }
    Taken::Whole(bytes, place)
}

/// The HTTP answer to a reply: XML when it is signed, else a small JSON object with the code and its bland sentence.
fn respond(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if reply.bytes.is_empty() {
        let code = reply.code.unwrap_or(FaultCode::NotNow);
        axum::Json(json!({ "code": code.code(), "text": code.bland() })).into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"))], reply.bytes)
            .into_response()
    };
    *response.status_mut() = status;
    if let Some(seconds) = reply.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An unsigned answer, with the time to come again where that helps.
pub(super) fn unsigned(code: FaultCode) -> Response {
    respond(Reply::unsigned(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_held_is_bounded_and_given_back() {
        let held = Arc::new(Semaphore::new(REQUEST_BYTES as usize * 2 + 10));
        let body = |len: usize| Body::from(vec![b'x'; len]);
        let Taken::Whole(bytes, first) = take(body(8), 8, &held).await else { panic!("there is room for the first") };
        assert_eq!((bytes.len(), held.available_permits()), (8, REQUEST_BYTES as usize + 2));
        assert!(matches!(take(body(3), 8, &held).await, Taken::NoRoom));
        drop(first);
        assert!(matches!(take(body(9), 8, &held).await, Taken::TooLarge));
        let second = take(body(8), 8, &held).await;
        assert!(matches!(second, Taken::Whole(..)), "{second:?}");
    }

    #[test]
    fn whoever_may_come_again_is_told_when() {
        for (code, told) in [(FaultCode::NotNow, true), (FaultCode::TooFast, true), (FaultCode::TicketInvalid, false)] {
            let response = unsigned(code);
            assert_eq!(response.status().as_u16(), code.http_status());
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), told, "{code}");
        }
    }
}
