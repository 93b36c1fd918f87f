//! A request to a partner that has only a REST endpoint: its own body, without an envelope.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use reqwest::{Method, Response, StatusCode};

use super::Push;
use super::push::{reason, retry_after, usable};
use crate::domain::{ParkReason, PlainMethod, chain};
use crate::transport::Answer;

/// One request.
pub struct PlainCall {
    /// How.
    pub method: PlainMethod,
    /// Where.
    pub url: String,
    /// The media type of the body.
    pub content_type: String,
    /// The value of `Authorization`, if the partner wants one.
    pub authorization: Option<String>,
    /// By what the partner knows a repeat, and what else it is told: names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came of it.
pub enum PlainAnswer {
    /// 2xx: the partner has it.
    Taken {
        /// The status, 200 to 299.
        status: u16,
        /// The media type of what it wrote back, without parameters and in lower case.
        media_type: String,
        /// What it wrote back, whole; may be empty.
        bytes: Vec<u8>,
    },
    /// 4xx that repeating cannot help.
    Refused {
        /// The status, 400 to 499.
        status: u16,
        /// What it wrote back, as far as it could be read.
        bytes: Vec<u8>,
    },
    /// Not handed over, as far as we know; the same bytes are sent again.
    Failed {
        /// Why, from the closed list.
        reason: ParkReason,
        /// What happened, for the operator: no body, no credentials.
        detail: String,
        /// How long the partner asked us to wait, cut to `retry_after_max`.
        retry_after: Option<Duration>,
    },
}

fn failed(reason: ParkReason, detail: impl Into<String>) -> PlainAnswer {
    PlainAnswer::Failed { reason, detail: detail.into(), retry_after: None }
}

impl Push {
    /// Sends a request. 2xx with a whole body is [`PlainAnswer::Taken`]; a body that is too large or breaks off is a failure, for it may
    /// be the answer that is waited for. 4xx is [`PlainAnswer::Refused`], but for 401 and 407 (our own credentials were not taken, which
    /// says nothing of the message), 408, 425 and 429. Every other status is `PartnerError`, and what keeps the request from an answer
    /// is named as in [`Push::push`].
    pub async fn send_plain(&self, call: PlainCall) -> PlainAnswer {
        let url = match usable(&call.url, self.insecure_allowed) {
            Ok(url) => url,
            Err(problem) => return failed(ParkReason::RouteMissing, problem),
        };
        let method = match call.method {
            PlainMethod::Post => Method::POST,
            PlainMethod::Put => Method::PUT,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let Ok(value) = HeaderValue::from_str(value) else {
                return failed(ParkReason::RouteMissing, format!("the header `{name}` cannot be written"));
            };
            headers.insert(*name, value);
        }
        if let Some(value) = &call.authorization {
            let Ok(mut value) = HeaderValue::from_str(value) else {
                return failed(ParkReason::RouteMissing, "the secret cannot stand in a header");
            };
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let request = self.client.request(method, url).headers(headers).header(header::CONTENT_TYPE, call.content_type);
        match request.body(call.body).send().await {
            Ok(response) => self.judge_plain(response).await,
            Err(error) => failed(reason(&error), chain(&error.without_url())),
        }
    }

    async fn judge_plain(&self, response: Response) -> PlainAnswer {
        let status = response.status();
        let number = status.as_u16();
        let retry_after = retry_after(response.headers()).map(|wait| wait.min(self.retry_after_max));
        let media_type = essence(response.headers());
        if status.is_success() {
            return match self.answer(response).await {
                Answer::Empty => PlainAnswer::Taken { status: number, media_type, bytes: Vec::new() },
                Answer::Bytes(bytes) => PlainAnswer::Taken { status: number, media_type, bytes },
                Answer::Unread { detail } => {
                    let detail = format!("HTTP {number}, but the answer could not be read: {detail}");
                    failed(ParkReason::PartnerError, detail)
                }
            };
        }
        let again = matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
        );
        if status.is_client_error() && !again {
            let bytes = match self.answer(response).await {
                Answer::Bytes(bytes) => bytes,
                Answer::Empty | Answer::Unread { .. } => Vec::new(),
            };
            return PlainAnswer::Refused { status: number, bytes };
        }
        let detail = match status {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                format!("HTTP {number}: the partner does not take the gateway's secret")
            }
            other if other.is_redirection() => format!("HTTP {number}: redirects are not followed"),
            _ => format!("HTTP {number}"),
        };
        PlainAnswer::Failed { reason: ParkReason::PartnerError, detail, retry_after }
    }
}

/// The media type without parameters, in lower case; empty when none is named.
fn essence(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
