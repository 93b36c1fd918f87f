//! What is left of a request's body when the answer is known already: a little is read, so that its sender sees the answer and
//! not a broken connection; and when more is left, the answer says that the connection ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};
use tokio::time::timeout;

/// Bytes of a refused body that are read all the same.
pub const REFUSED_BYTES_READ_MAX: usize = 1024 * 1024;
/// How long that may take.
const REFUSED_TIME_MAX: Duration = Duration::from_secs(2);

/// Reads some of what is still to come of a refused body, and drops it. Whether that was all of it.
pub async fn pass_over(chunks: &mut BodyDataStream) -> bool {
    let some = async {
        let mut passed = 0_usize;
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { return false };
            passed = passed.saturating_add(chunk.len());
            if passed > REFUSED_BYTES_READ_MAX {
                return false;
            }
        }
        true
    };
    timeout(REFUSED_TIME_MAX, some).await.unwrap_or(false)
}

/// The rest of the body may still be under way: the connection is of no more use.
pub fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A layer that passes over what handlers left of a body.
pub async fn read_rest(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let body = Shared(Arc::new(Mutex::new(body)));
    let rest = body.clone();
    let response = next.run(Request::from_parts(parts, Body::new(body))).await;
    if rest.is_end_stream() || pass_over(&mut Body::new(rest).into_data_stream()).await {
        return response;
    }
    closing(response)
}

/// A body that stays here when the handler drops its own hold of it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut Body) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}
