//! POST of an envelope to a partner's address.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::http::{HeaderMap, header};
use chrono::DateTime;
use reqwest::{Identity, Response, StatusCode, Url};

use crate::{
    client::{self, RootError},
    domain::{MessageId, ParkReason, TraceContext, chain, media_type},
    transport::{Answer, Outcome},
};

/// How the gateway posts to partners.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For the whole call, from the first byte out to the last byte of the answer.
    pub call_timeout: Duration,
    /// The largest answer body that is read.
    pub answer_bytes_max: usize,
    /// The longest `Retry-After` that is believed.
    pub retry_after_max: Duration,
    /// Idle connections kept for each partner.
    pub idle_connections_max: usize,
    /// Certificates of authorities, PEM, trusted beside the system's own.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// What we show to partners that ask for a client certificate.
    pub identity: Option<super::TlsIdentity>,
    /// Whether plain `http` may go to other machines.
    pub insecure_allowed: bool,
}

/// The client could not be made: the options are wrong.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A root certificate is not PEM.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The client identity is unusable.
    #[error("the client certificate or its key is unusable")]
    Identity(#[source] reqwest::Error),
    /// TLS or the client could not be set up.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
}

/// Posts envelopes to partners; one for the whole process, for it keeps the connections.
#[derive(Debug, Clone)]
pub struct Push {
    pub(super) client: reqwest::Client,
    answer_bytes_max: usize,
    pub(super) retry_after_max: Duration,
    pub(super) insecure_allowed: bool,
    pub(super) trust: Arc<Trust>,
}

/// What TLS is made with, kept for who looks at an address step by step.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) extra_roots_pem: Vec<Vec<u8>>,
    pub(super) identity: Option<super::TlsIdentity>,
    pub(super) connect_timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(30),
            answer_bytes_max: 256 * 1024,
            retry_after_max: Duration::from_secs(3600),
            idle_connections_max: 8,
            extra_roots_pem: Vec::new(),
            identity: None,
            insecure_allowed: false,
        }
    }
}

impl Push {
    /// Sets the client up.
    ///
    /// # Errors
    /// When a certificate of the options is unusable.
    pub fn new(options: HttpOptions) -> Result<Self, HttpError> {
        let mut builder = client::builder(&options.extra_roots_pem)?
            .connect_timeout(options.connect_timeout)
            .timeout(options.call_timeout)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(options.idle_connections_max);
        if let Some(identity) = &options.identity {
            let identity =
                Identity::from_pkcs8_pem(&identity.chain_pem, &identity.key_pem).map_err(HttpError::Identity)?;
            builder = builder.identity(identity);
        }
        Ok(Self {
            client: builder.build().map_err(HttpError::Setup)?,
            answer_bytes_max: options.answer_bytes_max,
            retry_after_max: options.retry_after_max,
            insecure_allowed: options.insecure_allowed,
            trust: Arc::new(Trust {
                extra_roots_pem: options.extra_roots_pem,
                identity: options.identity,
                connect_timeout: options.connect_timeout,
            }),
        })
    }

    /// Posts the bytes as `application/xml; charset=utf-8`, with the id in `Mezhved-Message-Id` for the partner's logs, and the trace in
    /// `traceparent` and `tracestate` if there is one.
    ///
    /// 2xx is [`Outcome::Sent`]; 4xx (not 429) with an XML body is [`Outcome::Answered`]; every other status, a redirect
    /// included, is `PartnerError`; no connection (DNS, TCP, TLS) is `Unreachable`; no answer in time is `TimedOut`; an
    /// address that may not be used is `RouteMissing`.
    pub async fn push(
        &self,
        url: &str,
        bytes: Vec<u8>,
        message_id: MessageId,
        trace: Option<&TraceContext>,
    ) -> Outcome {
        let url = match usable(url, self.insecure_allowed) {
            Ok(url) => url,
            Err(problem) => return Outcome::failed(ParkReason::RouteMissing, problem),
        };
        let mut request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/xml; charset=utf-8")
            .header("mezhved-message-id", message_id.to_string())
            .body(bytes);
        for (name, value) in trace.into_iter().flat_map(TraceContext::headers) {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => self.judge(response).await,
            Err(error) => Outcome::failed(reason(&error), chain(&error.without_url())),
        }
    }

    pub(super) async fn judge(&self, response: Response) -> Outcome {
        let status = response.status();
        let retry_after = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            .then(|| retry_after(response.headers()))
            .flatten()
            .map(|wait| wait.min(self.retry_after_max));
        if status.is_success() {
            return Outcome::Sent { answer: self.answer(response).await };
        }
        if status.is_client_error()
            && status != StatusCode::TOO_MANY_REQUESTS
            && says_xml(response.headers())
            && let Answer::Bytes(answer) = self.answer(response).await
        {
            return Outcome::Answered { status: status.as_u16(), answer };
        }
        let detail = if status.is_redirection() {
            format!("HTTP {}: redirects are not followed", status.as_u16())
        } else {
            format!("HTTP {}", status.as_u16())
        };
        Outcome::Failed { reason: ParkReason::PartnerError, detail, retry_after }
    }

    pub(super) async fn answer(&self, mut response: Response) -> Answer {
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > self.answer_bytes_max => {
                    return Answer::Unread { detail: format!("more than {} bytes", self.answer_bytes_max) };
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) if bytes.is_empty() => return Answer::Empty,
                Ok(None) => return Answer::Bytes(bytes),
                Err(error) => return Answer::Unread { detail: chain(&error.without_url()) },
            }
        }
    }
}

/// Idle connections are closed after this time; most servers close them after 60 to 75 seconds.
const IDLE: Duration = Duration::from_secs(50);

pub(super) fn usable(url: &str, insecure_allowed: bool) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|error| format!("the participant's address is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the participant's address carries credentials".into());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if insecure_allowed || is_loopback(&url) => Ok(url),
        "http" => Err("the participant's address is plain http and not loopback: use https, or insecure = true".into()),
        other => Err(format!("the participant's address has the scheme `{other}`; https is needed")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

pub(super) fn reason(error: &reqwest::Error) -> ParkReason {
    if error.is_connect() {
        ParkReason::Unreachable
    } else if error.is_timeout() {
        ParkReason::TimedOut
    } else if error.is_builder() {
        ParkReason::RouteMissing
    } else {
        ParkReason::Unreachable
    }
}

/// The media type that the headers name, without parameters and in lower case; empty when they name none.
pub(super) fn named_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type::essence(value.unwrap_or_default())
}

fn says_xml(headers: &HeaderMap) -> bool {
    media_type::is_xml(&named_type(headers))
}

/// `Retry-After` in seconds, or as a date, which is taken relative to the answer's own `Date`: no clock is needed.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let value = text(header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |value| DateTime::parse_from_rfc2822(value).ok();
    let wait = date(value)? - date(text(header::DATE)?)?;
    Some(wait.to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, insecure, good) in [
            ("https://agency.example/in", false, true),
            ("http://127.0.0.1:8080/in", false, true),
            ("http://[::1]:8080/in", false, true),
            ("http://localhost/in", false, true),
            ("http://agency.example/in", false, false),
            ("http://localhost.agency.example/in", false, false),
            ("http://10.0.0.1/in", false, false),
            ("http://agency.example/in", true, true),
            ("https://user:secret@agency.example/in", true, false),
            ("ftp://agency.example/in", true, false),
            ("agency.example", true, false),
        ] {
            let result = usable(url, insecure);
            assert_eq!(result.is_ok(), good, "{url}: {result:?}");
            assert!(!format!("{result:?}").contains("secret") || good, "{result:?}");
        }
    }

    #[test]
    fn the_wish_to_come_later() {
        let date = "Sun, 22 Nov 2026 08:00:00 GMT";
        for (value, date, seconds) in [
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("Sun, 22 Nov 2026 08:01:30 GMT", Some(date), Some(90)),
            ("Sun, 22 Nov 2026 07:00:00 GMT", Some(date), Some(0)),
            ("Sun, 22 Nov 2026 08:01:30 GMT", None, None),
            ("-5", None, None),
            ("soon", Some(date), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(header::DATE, date.parse().unwrap());
            }
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn only_xml_may_be_a_fault() {
        for (value, xml) in [
            ("application/xml; charset=utf-8", true),
            ("text/xml", true),
            ("application/fhir+XML", true),
            ("text/html", false),
            ("application/xmlish", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(says_xml(&headers), xml, "{value}");
        }
        assert!(!says_xml(&HeaderMap::new()));
    }
}
